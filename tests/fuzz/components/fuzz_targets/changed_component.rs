#![no_main]

use refrain_tests::fuzzing::{component, generated};

const COMMITTED: &[u8] = include_bytes!("../../../../host/component/refrain-scheduler.wasm");

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(changed) = generated::changed(COMMITTED, data) {
        component::check(&changed);
    }
});
