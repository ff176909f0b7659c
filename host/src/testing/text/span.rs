//! Spans of time as they are written in test files: `250ms`, `5s`, `1h30m`, `2d`.

use std::time::Duration;

/// The units, the greatest first, and their milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest span that may be written: a hundred years.
pub(in crate::testing) const SPAN_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// What a span looks like, for remedies.
pub(in crate::testing) const LOOKS_LIKE: &str =
    "write it like `250ms`, `5s`, `1h30m` or `2d`, at most a hundred years";

/// The span that is written so. `None` if it is no span, or one of more than
/// [`SPAN_MAX`].
pub(in crate::testing) fn parse_span(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total_ms: u64 = 0;
    // Each unit once, the greater before the smaller.
    let mut units = UNITS.as_slice();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_lowercase());
        let (unit, after) = after.split_at(letters.unwrap_or(after.len()));
        let found = units.iter().position(|(name, _)| *name == unit)?;
        let ms = number.parse::<u64>().ok()?.checked_mul(units[found].1)?;
        total_ms = total_ms.checked_add(ms)?;
        units = &units[found + 1..];
        rest = after
            .strip_prefix(' ')
            .filter(|it| !it.is_empty())
            .unwrap_or(after);
    }
    let span = Duration::from_millis(total_ms);
    (!text.is_empty() && span <= SPAN_MAX).then_some(span)
}

/// A span as it is written in test files (`1h30m`), to the millisecond.
#[must_use]
pub fn span_text(span: Duration) -> String {
    let mut left = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, ms) in UNITS {
        if left >= ms {
            text.push_str(&format!("{}{unit}", left / ms));
            left %= ms;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, ms, written) in [
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
            ("250ms", 250, "250ms"),
            ("5s", 5_000, "5s"),
            ("90s", 90_000, "1m30s"),
            ("1h30m", 5_400_000, "1h30m"),
            ("1h 30m", 5_400_000, "1h30m"),
            ("2d 1ms", 172_800_001, "2d1ms"),
            ("36500d", 3_153_600_000_000, "36500d"),
        ] {
            assert_eq!(parse_span(text), Some(Duration::from_millis(ms)), "{text}");
            assert_eq!(span_text(Duration::from_millis(ms)), written);
        }
        for text in [
            "",
            " ",
            "5",
            "s",
            "-1s",
            "1.5s",
            "5 s",
            "1m1h",
            "1s1s",
            "1 h",
            "5s ",
            "1y",
            "5S",
            "36501d",
            "99999999999999999999s",
            "18446744073709551615d",
            "1s,2ms",
            "٣s",
        ] {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
