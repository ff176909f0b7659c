//! Medians and percentiles.

/// The value that `percent` of them do not exceed; 0 of none.
pub(super) fn percentile(values: &[f64], percent: u32) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len();
    let rank = (count * percent as usize)
        .div_ceil(100)
        .clamp(1, count.max(1));
    sorted.get(rank - 1).copied().unwrap_or(0.0)
}

/// The value in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// A count, to be divided.
#[expect(
    clippy::cast_precision_loss,
    reason = "measured to a few digits at best"
)]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let table: [(&[f64], u32, f64); 7] = [
            (&[], 50, 0.0),
            (&[3.0], 50, 3.0),
            (&[3.0], 99, 3.0),
            (&[2.0, 1.0], 50, 1.0),
            (&[3.0, 1.0, 2.0], 50, 2.0),
            (&hundred, 50, 50.0),
            (&hundred, 99, 99.0),
        ];
        for (values, percent, expected) in table {
            assert!(
                percentile(values, percent).total_cmp(&expected).is_eq(),
                "{percent} % of {values:?}"
            );
        }
    }
}
