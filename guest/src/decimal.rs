//! Decimal numbers that are not negative, added exactly.
//!
//! Costs are written in decimal, and a sum of them has to be what a person who adds them
//! up gets. Binary floating point cannot do that.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The most digits before and after the point: all that a 64-bit floating-point number
/// can have, written out, and more.
const DIGITS_MAX: i64 = 1_100;

/// A decimal number that is not negative.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Decimal {
    /// Its digits, without zeros in front; empty for zero.
    digits: String,
    /// How many of them stand after the point.
    scale: usize,
}

impl Decimal {
    /// Read a JSON number. `None` if the text is none, is negative, or has more digits
    /// than can be counted.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        let (mantissa, exponent) = match json.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (json, 0),
        };
        let (sign, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, mantissa),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{part}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Some(Self::default());
        }
        let cut = digits.len() - digits.trim_end_matches('0').len();
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
        let shift = i64::try_from(cut).ok()?.checked_add(exponent)?;
        let scale = length(part).checked_sub(shift)?;
        let before = length(significant).checked_sub(scale)?;
        if sign < 0 || scale > DIGITS_MAX || before > DIGITS_MAX {
            return None;
        }
        let zeros = usize::try_from(-scale).unwrap_or(0);
        Some(Self {
            digits: format!("{significant}{}", "0".repeat(zeros)),
            scale: usize::try_from(scale).unwrap_or(0),
        })
    }

    /// The sum of both, exact.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        let (this, that) = (self.at_scale(scale), other.at_scale(scale));
        let places = this.len().max(that.len());
        let mut sum: Vec<u8> = Vec::with_capacity(places + 1);
        let mut carry = 0;
        for place in 0..places {
            let total = digit(&this, place) + digit(&that, place) + carry;
            sum.push(b'0' + total % 10);
            carry = total / 10;
        }
        if carry > 0 {
            sum.push(b'0' + carry);
        }
        sum.reverse();
        let digits: String = sum.into_iter().map(char::from).collect();
        Self {
            digits: digits.trim_start_matches('0').to_string(),
            scale,
        }
    }

    /// Its digits with so many places after the point, which are not fewer than it has.
    fn at_scale(&self, scale: usize) -> String {
        format!("{}{}", self.digits, "0".repeat(scale - self.scale))
    }
}

/// The digit at a place that is counted from the end.
fn digit(digits: &str, place: usize) -> u8 {
    let at = digits.len().checked_sub(place + 1);
    at.map_or(0, |at| digits.as_bytes()[at] - b'0')
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let (this, that) = (self.at_scale(scale), other.at_scale(scale));
        let (this, that) = (this.trim_start_matches('0'), that.trim_start_matches('0'));
        this.len().cmp(&that.len()).then_with(|| this.cmp(that))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

/// As a JSON number without an exponent, and without zeros that say nothing.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zeros = "0".repeat((self.scale + 1).saturating_sub(self.digits.len()));
        let digits = format!("{zeros}{}", self.digits);
        let (whole, part) = digits.split_at(digits.len() - self.scale);
        match part.trim_end_matches('0') {
            "" => f.write_str(whole),
            part => write!(f, "{whole}.{part}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r28_numbers_are_read_as_they_are_written() {
        #[rustfmt::skip]
        let rows = [
            ("0",        Some("0")),       ("-0.00",    Some("0")),
            ("1",        Some("1")),       ("1.50",     Some("1.5")),
            ("0.001",    Some("0.001")),   ("12e-3",    Some("0.012")),
            ("1.2e3",    Some("1200")),    ("100",      Some("100")),
            ("10.0",     Some("10")),      ("1E2",      Some("100")),
            ("5e-324",   None),            ("-1",       None),
            ("1e99999999999999999999", None), ("1e9999", None), ("x", None), ("", None),
        ];
        for (json, expected) in rows {
            let read = Decimal::parse(json).map(|it| it.to_string());
            match json {
                // As small as a floating-point number can be.
                "5e-324" => assert_eq!(read.map(|text| text.len()), Some(326)),
                _ => assert_eq!(read.as_deref(), expected, "{json}"),
            }
        }
    }

    #[test]
    fn r28_sums_are_exact() {
        #[rustfmt::skip]
        let rows = [
            ("0.1",   "0.2",                 "0.3"),
            ("0",     "0",                   "0"),
            ("9.99",  "0.01",                "10"),
            ("1e20",  "1e-20",               "100000000000000000000.00000000000000000001"),
            ("0.30000000000000004", "0.7",   "1.00000000000000004"),
            ("999",   "1",                   "1000"),
        ];
        for (a, b, sum) in rows {
            let [x, y] = [a, b].map(|text| Decimal::parse(text).expect("a number"));
            assert_eq!(x.plus(&y).to_string(), sum, "{a} + {b}");
            assert_eq!(y.plus(&x), Decimal::parse(sum).expect("a number"));
        }
    }

    #[test]
    fn r28_numbers_are_ordered_by_what_they_are_worth() {
        let ordered = [
            "0", "1e-9", "0.09", "0.1", "0.11", "1", "1.0001", "9", "10", "1e3",
        ];
        for (place, a) in ordered.iter().enumerate() {
            for (other, b) in ordered.iter().enumerate() {
                let [x, y] = [a, b].map(|text| Decimal::parse(text).expect("a number"));
                assert_eq!(x.cmp(&y), place.cmp(&other), "{a} and {b}");
            }
        }
        assert_eq!(Decimal::parse("1.0"), Decimal::parse("1"));
    }
}
