//! Values that are typed, and what is said of those that are none.

use std::num::NonZeroUsize;
use std::time::Duration;

/// A span of time.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "it should be a span, as in 500ms, 30s or 1h30m".to_owned())
}

/// How many, at least one.
pub(super) fn from_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "it should be a whole number from 1 on".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_value_is_told_with_what_would_be_one() {
        for text in ["foo", "-1s", "", "5"] {
            let error = span(text).expect_err(text);
            assert!(error.contains("30s"), "{text}: {error}");
        }
        assert_eq!(span("1m"), Ok(Duration::from_secs(60)));
        for text in ["0", "-1", "many", ""] {
            let error = from_one(text).expect_err(text);
            assert!(error.contains("from 1 on"), "{text}: {error}");
        }
        assert_eq!(from_one("2").map(NonZeroUsize::get), Ok(2));
    }
}
