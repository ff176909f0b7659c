#![no_main]

use std::sync::OnceLock;

use refrain_tests::fuzzing::{component, generated};
use refrain_tests::wat_guest::WatGuest;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static GUEST: OnceLock<Vec<u8>> = OnceLock::new();
    let guest = GUEST.get_or_init(|| WatGuest::default().component().expect("a component"));
    if let Ok(made) = generated::component(guest, data) {
        component::check(&made);
    }
});
