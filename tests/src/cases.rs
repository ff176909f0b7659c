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

/// How often, or how long, something is done to real processes: `usual`, times
/// the factor of [`cases`]; with `REFRAIN_ROUNDS=1` the `whole` of it, which
/// takes long and is for a machine that has nothing else to do.
///
/// # Panics
/// Where `REFRAIN_ROUNDS` is neither 0 nor 1.
#[must_use]
pub fn rounds(usual: u32, whole: u32) -> u32 {
    match std::env::var("REFRAIN_ROUNDS").as_deref() {
        Ok("1") => whole,
        Ok("0") | Err(_) => cases(usual),
        Ok(other) => panic!("REFRAIN_ROUNDS is 1 or 0, not {other:?}"),
    }
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
