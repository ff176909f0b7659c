//! Times as people read them: RFC 3339, UTC, milliseconds.

use crate::model::Timestamp;

/// The last millisecond of the year 9999: RFC 3339 knows no later one.
const WRITTEN_MAX: Timestamp = 253_402_300_799_999;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The days of any 400 years that follow each other: the calendar repeats itself then.
const CYCLE_DAYS: u64 = 400 * 365 + 97;

/// The time as text, such as `2026-01-01T00:00:00.000Z`; none if it is after
/// the year 9999.
#[must_use]
pub fn rfc3339(time: Timestamp) -> Option<String> {
    if time > WRITTEN_MAX {
        return None;
    }
    let (year, month, day) = date(time / DAY_MS);
    let (seconds, millis) = (time % DAY_MS / 1000, time % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
    ))
}

/// The time that [`rfc3339`] writes like this; none for any other spelling.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let seconds = (hour * 60 + minute) * 60 + second;
    let millis = seconds * 1000 + number(20, 23)?;
    let time = days_before(year, month)?.checked_add(day.checked_sub(1)?)? * DAY_MS + millis;
    // A day or an hour that there is not, and any other spelling, is written otherwise.
    (rfc3339(time)? == text).then_some(time)
}

/// The year, month and day of the month of a day, counted from 1970-01-01.
fn date(day: u64) -> (u64, u64, u64) {
    let mut year = 1970 + day / CYCLE_DAYS * 400;
    let mut day = day % CYCLE_DAYS;
    while day >= days_of_year(year) {
        day -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while day >= days_of_month(year, month) {
        day -= days_of_month(year, month);
        month += 1;
    }
    (year, month, day + 1)
}

/// The days from 1970-01-01 to the first of this month; none for a month that there is
/// not, or that comes before.
fn days_before(year: u64, month: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) {
        return None;
    }
    let years: u64 = (1970..year).map(days_of_year).sum();
    let months: u64 = (1..month).map(|month| days_of_month(year, month)).sum();
    Some(years + months)
}

fn days_of_year(year: u64) -> u64 {
    365 + u64::from(is_leap(year))
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_spelling() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_767_225_600_001, "2026-01-01T00:00:00.001Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
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
            "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-01-00T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "+026-01-01T00:00:00.000Z",
            "2026-01-01T00:00:00.000é",
        ] {
            assert_eq!(parse_rfc3339(other), None, "{other}");
        }
    }
}
