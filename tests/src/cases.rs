//! How many cases a test tries.

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
