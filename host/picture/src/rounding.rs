//! Whole numbers near others, as the standard library has them and `core` has not.
//!
//! Lengths are far below 2^53, above which every number is whole.

/// The number without what stands behind its point.
fn truncated(number: f64) -> f64 {
    const ALL_WHOLE: f64 = (1_u64 << 53) as f64;
    // Not a number is not smaller either.
    match number.abs() < ALL_WHOLE {
        true => (number as i64 as f64).copysign(number),
        false => number,
    }
}

/// The largest whole number that is not above this one.
pub(crate) fn floor(number: f64) -> f64 {
    let whole = truncated(number);
    if whole > number { whole - 1.0 } else { whole }
}

/// The smallest whole number that is not below this one.
pub(crate) fn ceil(number: f64) -> f64 {
    let whole = truncated(number);
    if whole < number { whole + 1.0 } else { whole }
}

/// The nearest whole number; of two, the one that is farther from 0.
pub(crate) fn round(number: f64) -> f64 {
    let whole = truncated(number);
    match (number - whole).abs() >= 0.5 {
        true => whole + 1.0_f64.copysign(number),
        false => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_as_the_standard_library_rounds_them() {
        let near = [0.0, 0.25, 0.499_999_999_999_999_94, 0.5, 0.75, 1.0];
        let bases = [
            0.0,
            1.0,
            2.0,
            17.0,
            1e6,
            4_503_599_627_370_495.0,
            9e15,
            1e300,
        ];
        let numbers = bases.iter().flat_map(|base| near.map(|it| base + it));
        let edges = [f64::INFINITY, f64::MIN_POSITIVE, f64::EPSILON];
        for number in numbers.chain(edges).flat_map(|it| [it, -it]) {
            let ours = [floor(number), ceil(number), round(number)];
            let known = [number.floor(), number.ceil(), number.round()];
            assert_eq!(ours.map(f64::to_bits), known.map(f64::to_bits), "{number}");
        }
        assert!(floor(f64::NAN).is_nan());
    }
}
