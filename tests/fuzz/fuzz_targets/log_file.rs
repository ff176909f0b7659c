#![no_main]

#[path = "../../src/fuzzing/log_file.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::check(data));
