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

/// How steeply the second grows with the first, over all of these (least
/// squares); 0 where they are too few to tell.
pub(super) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = real(points.len() as u64).max(1.0);
    let middle = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (middle(|point| point.0), middle(|point| point.1));
    let along = points.iter().map(|point| (point.0 - x) * (point.1 - y));
    let width = points.iter().map(|point| (point.0 - x).powi(2));
    let (along, width) = (along.sum::<f64>(), width.sum::<f64>());
    if width > 0.0 { along / width } else { 0.0 }
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
    use super::{percentile, slope};

    #[test]
    fn a_slope_is_that_of_the_line() {
        let table: [(&[(f64, f64)], f64); 4] = [
            (&[], 0.0),
            (&[(1.0, 5.0)], 0.0),
            (&[(0.0, 1.0), (10.0, 21.0)], 2.0),
            (&[(0.0, 1.0), (1.0, 2.0), (2.0, 0.0), (3.0, 1.0)], -0.2),
        ];
        for (points, expected) in table {
            assert!((slope(points) - expected).abs() < 1e-9, "{points:?}");
        }
    }

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
