#![no_main]

#[path = "../../src/fuzzing/workflow_json.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::check(data));
