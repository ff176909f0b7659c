//! Times as RFC 3339 writes them.

type Read<T> = Result<T, &'static str>;

const FORM: &str = "it is not of the form YYYY-MM-DDThh:mm:ssZ";

/// Milliseconds since the Unix epoch.
pub(super) fn read(text: &str) -> Read<u64> {
    let mut rest = text.as_bytes();
    let year = number(&mut rest, 4)?;
    sign(&mut rest, b"-")?;
    let month = number(&mut rest, 2)?;
    sign(&mut rest, b"-")?;
    let day = number(&mut rest, 2)?;
    sign(&mut rest, b"Tt")?;
    let hour = number(&mut rest, 2)?;
    sign(&mut rest, b":")?;
    let minute = number(&mut rest, 2)?;
    sign(&mut rest, b":")?;
    let second = number(&mut rest, 2)?;
    let millis = fraction(&mut rest)?;
    let offset = offset(&mut rest)?;
    if !rest.is_empty() {
        return Err(FORM);
    }
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return Err("there is no such day");
    }
    // A minute may have a leap second.
    if hour > 23 || minute > 59 || second > 60 {
        return Err("a day has no such time");
    }
    let minutes = (days_before(year, month, day) * 24 + hour) * 60 + minute - offset;
    let millis = (minutes * 60 + second) * 1000 + millis;
    u64::try_from(millis).map_err(|_| "it is before 1970")
}

fn number(rest: &mut &[u8], digits: usize) -> Read<i64> {
    let (number, after) = rest.split_at_checked(digits).ok_or(FORM)?;
    *rest = after;
    number.iter().try_fold(0, |number, byte| match byte {
        b'0'..=b'9' => Ok(number * 10 + i64::from(byte - b'0')),
        _ => Err(FORM),
    })
}

/// One of these signs.
fn sign(rest: &mut &[u8], signs: &[u8]) -> Read<u8> {
    let (first, after) = rest.split_first().ok_or(FORM)?;
    *rest = after;
    signs.contains(first).then_some(*first).ok_or(FORM)
}

/// The part of a second, in milliseconds, rounded up.
fn fraction(rest: &mut &[u8]) -> Read<i64> {
    let Some(after) = rest.strip_prefix(b".") else {
        return Ok(0);
    };
    let end = after.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, after) = after.split_at(end.unwrap_or(after.len()));
    *rest = after;
    if digits.is_empty() {
        return Err(FORM);
    }
    let digit = |place: usize| digits.get(place).map_or(0, |byte| i64::from(byte - b'0'));
    let millis = digit(0) * 100 + digit(1) * 10 + digit(2);
    let is_more = digits.iter().skip(3).any(|byte| *byte != b'0');
    Ok(millis + i64::from(is_more))
}

/// How many minutes the clock there is ahead.
fn offset(rest: &mut &[u8]) -> Read<i64> {
    let ahead = match sign(rest, b"Zz+-")? {
        b'+' => 1,
        b'-' => -1,
        _ => return Ok(0),
    };
    let hours = number(rest, 2)?;
    sign(rest, b":")?;
    let minutes = number(rest, 2)?;
    if hours > 23 || minutes > 59 {
        return Err("no clock is so far ahead or behind");
    }
    Ok(ahead * (hours * 60 + minutes))
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from the epoch to this one.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let leap_days = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r19_times_are_read() {
        #[rustfmt::skip]
        let rows = [
            ("1970-01-01T00:00:00Z",          Ok(0)),
            ("1970-01-01T00:00:00.0001Z",     Ok(1)),
            ("1970-01-01t01:00:00.5+01:00",   Ok(500)),
            ("2000-02-29T12:00:00z",          Ok(951_825_600_000)),
            ("2026-11-29T15:40:00-02:30",     Ok(1_795_975_800_000)),
            ("2016-12-31T23:59:60Z",          Ok(1_483_228_800_000)),
            ("9999-12-31T23:59:59.999Z",      Ok(253_402_300_799_999)),
            ("1969-12-31T23:59:59Z",          Err("it is before 1970")),
            ("1970-01-01T00:00:00+00:01",     Err("it is before 1970")),
            ("2023-02-29T00:00:00Z",          Err("there is no such day")),
            ("2024-13-01T00:00:00Z",          Err("there is no such day")),
            ("2024-01-01T24:00:00Z",          Err("a day has no such time")),
            ("2024-01-01T00:00:00+24:00",     Err("no clock is so far ahead or behind")),
            ("2024-01-01T00:00:00",           Err(FORM)),
            ("2024-01-01 00:00:00Z",          Err(FORM)),
            ("2024-01-01T00:00:00.Z",         Err(FORM)),
            ("2024-01-01T00:00:00Zx",         Err(FORM)),
            ("2024-1-01T00:00:00Z",           Err(FORM)),
            ("tomorrow",                      Err(FORM)),
            ("",                              Err(FORM)),
        ];
        for (text, expected) in rows {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
