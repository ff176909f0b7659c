#![no_main]

#[path = "../../src/fuzzing/event_decoder.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::check(data));
