//! Times and spans as people read them; times are RFC 3339, UTC, milliseconds.

use std::time::Duration;

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

/// A span of milliseconds in the two units that matter, for tables: `1.2 s`, `3 min 07 s`.
#[must_use]
pub fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600_000..86_400_000 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A span of milliseconds that somebody wrote, to the millisecond: `30 s`, `1500 ms`.
#[must_use]
pub fn exact_span(ms: u64) -> String {
    match ms {
        ms if ms.is_multiple_of(1000) => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

/// How long something has lasted, roughly: `45 s`, `3 min`.
#[must_use]
pub fn rough_span(span: Duration) -> String {
    match span.as_secs() {
        0 => "less than a second".to_owned(),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        let table = [
            (0, "0 ms", "0 s", "less than a second"),
            (999, "999 ms", "999 ms", "less than a second"),
            (1_250, "1.2 s", "1250 ms", "1 s"),
            (61_000, "1 min 01 s", "61 s", "61 s"),
            (3_723_000, "1 h 02 min", "3723 s", "62 min"),
            (90_000_000, "1 d 01 h", "90000 s", "1500 min"),
        ];
        for (ms, read, exact, rough) in table {
            let lasted = rough_span(Duration::from_millis(ms));
            let found = (span(ms), exact_span(ms), lasted);
            assert_eq!(found, (read.to_owned(), exact.to_owned(), rough.to_owned()));
        }
    }

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
