//! How many cases a test tries, and which.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// `base`, times the factor in the environment variable `REFRAIN_CASES`, which
/// is 1 where it is not set: for long runs by hand.
///
/// # Panics
/// Where `REFRAIN_CASES` is no number.
#[must_use]
pub fn cases(base: u32) -> u32 {
    let factor = std::env::var("REFRAIN_CASES").map_or(1, |text| {
        text.parse().expect("REFRAIN_CASES is a whole number")
    });
    base.saturating_mul(factor)
}

/// A runner of `cases(base)` cases: the same ones each time, so that a failure
/// is there again when the test is run again.
#[must_use]
pub fn runner(base: u32) -> TestRunner {
    let config = Config {
        cases: cases(base),
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}
