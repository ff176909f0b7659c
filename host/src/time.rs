//! Times as people read them: RFC 3339, UTC, milliseconds.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::model::Timestamp;

/// The last millisecond of the year 9999: RFC 3339 knows no later one.
const WRITTEN_MAX: Timestamp = 253_402_300_799_999;

/// The time as text, such as `2026-01-01T00:00:00.000Z`; none if it is after
/// the year 9999.
#[must_use]
pub fn rfc3339(time: Timestamp) -> Option<String> {
    let millis = i64::try_from(time.min(WRITTEN_MAX + 1)).ok()?;
    let time = DateTime::<Utc>::from_timestamp_millis(millis).filter(|_| time <= WRITTEN_MAX)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The time that [`rfc3339`] writes like this; none for any other spelling.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let time = Timestamp::try_from(time.timestamp_millis()).ok()?;
    (rfc3339(time)? == text).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_spelling() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_767_225_600_001, "2026-01-01T00:00:00.001Z"),
            (WRITTEN_MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(time).as_deref(), Some(text));
            assert_eq!(parse_rfc3339(text), Some(time));
        }
        assert_eq!(rfc3339(WRITTEN_MAX + 1), None);
        assert_eq!(rfc3339(Timestamp::MAX), None);
        for other in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.0001Z",
            "2026-01-01T01:00:00.000+01:00",
            "1969-12-31T23:59:59.999Z",
        ] {
            assert_eq!(parse_rfc3339(other), None, "{other}");
        }
    }
}
