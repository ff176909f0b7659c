//! Spans and times, as the workflow's JSON has them.

use serde_json::Value;

/// Seconds in JSON, as milliseconds; a span of `{"secs", "nanos"}` is rounded up.
pub(super) fn milliseconds(json: &Value) -> Option<u64> {
    match json.as_u64() {
        Some(seconds) => Some(seconds.saturating_mul(1_000)),
        None => {
            let nanos = json["nanos"].as_u64().unwrap_or(0);
            let whole = json["secs"].as_u64()?.saturating_mul(1_000);
            Some(whole.saturating_add(nanos.div_ceil(1_000_000)))
        }
    }
}

/// `1970-01-02T00:00:01Z` as milliseconds since the epoch: days, counted one by one.
pub(super) fn milliseconds_of(time: &str) -> Option<u64> {
    if time.len() != 20 || !time.ends_with('Z') {
        return None;
    }
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let is_leap = |year: u64| {
        (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
    };
    let february = |year| if is_leap(year) { 29 } else { 28 };
    let months = |year| [31, february(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: u64 = (1970..year)
        .map(|year| months(year).iter().sum::<u64>())
        .sum();
    let days: u64 = months(year).iter().take(month as usize - 1).sum();
    let hours = (years + days + day - 1) * 24 + number(11, 13)?;
    Some(((hours * 60 + number(14, 16)?) * 60 + number(17, 19)?) * 1_000)
}
