//! What a JSON number is worth, and how two of them compare.

use core::cmp::Ordering;

/// A number's worth. Whole numbers that CEL can hold are exact; all others are
/// doubles, as they are in CEL.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    /// Within the range of `i64` and `u64` together.
    Whole(i128),
    /// Never NaN: JSON has no way to write it.
    Double(f64),
}

impl Number {
    /// Read a JSON number.
    pub(super) fn read(text: &str) -> Self {
        match text.parse::<i128>() {
            Ok(whole) if (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&whole) => {
                Self::Whole(whole)
            }
            // Too large for a double is infinity, as everywhere in IEEE 754.
            _ => Self::Double(text.parse().expect("a JSON number is a Rust number")),
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self == Self::Whole(0)
    }

    /// The number as an index; None if it is negative or no whole number.
    pub(super) fn index(self) -> Option<usize> {
        match self {
            Self::Whole(whole) => usize::try_from(whole).ok(),
            Self::Double(double) => {
                let whole = double as u32;
                (f64::from(whole) == double).then(|| usize::try_from(whole).ok())?
            }
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    /// Exact: no operand is rounded on the way.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            (Self::Whole(a), Self::Double(b)) => Some(compare_mixed(a, b)),
            (Self::Double(a), Self::Whole(b)) => Some(compare_mixed(b, a).reverse()),
        }
    }
}

fn compare_mixed(whole: i128, double: f64) -> Ordering {
    // The cast cuts off the fraction and saturates; so beyond the range of
    // i128 the whole parts already tell, and within it the fraction is exact.
    let cut = double as i128;
    whole.cmp(&cut).then_with(|| {
        let fraction = double - cut as f64;
        0.0_f64.partial_cmp(&fraction).expect("neither is NaN")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r8_numbers_compare_exactly() {
        #[rustfmt::skip]
        let rows = [
            ("1",                    Ordering::Equal,   "1.0"),
            ("1",                    Ordering::Equal,   "10e-1"),
            ("0",                    Ordering::Equal,   "-0.0"),
            ("-1",                   Ordering::Less,    "-0.5"),
            ("-1",                   Ordering::Greater, "-1.5"),
            ("1",                    Ordering::Less,    "1.5"),
            ("2",                    Ordering::Greater, "1.5"),
            ("0.1",                  Ordering::Less,    "0.2"),
            ("9007199254740993",     Ordering::Greater, "9007199254740992.0"),
            ("9007199254740993",     Ordering::Less,    "9007199254740994.0"),
            ("18446744073709551615", Ordering::Less,    "18446744073709551616"),
            ("18446744073709551615", Ordering::Less,    "1.8446744073709551616e19"),
            ("-9223372036854775808", Ordering::Equal,   "-9223372036854775808.0"),
            ("5",                    Ordering::Less,    "1e999"),
            ("5",                    Ordering::Greater, "-1e999"),
            ("1e999",                Ordering::Equal,   "2e999"),
        ];
        for (a, expected, b) in rows {
            let (x, y) = (Number::read(a), Number::read(b));
            assert_eq!(x.partial_cmp(&y), Some(expected), "{a} and {b}");
            assert_eq!(y.partial_cmp(&x), Some(expected.reverse()), "{b} and {a}");
        }
    }

    #[test]
    fn r8_indexes() {
        for (text, index) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("2.0", Some(2)),
            ("-1", None),
            ("1.5", None),
            ("1e999", None),
        ] {
            assert_eq!(Number::read(text).index(), index, "{text}");
        }
    }
}
