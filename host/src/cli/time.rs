//! Times and spans as people read them.

use refrain::LogClock;
use refrain::store::{ExecutionRecord, Reader, StoreError, Timestamp};
use refrain::time::rfc3339;

/// A time: UTC, with milliseconds, as everywhere in Refrain.
pub(super) fn stamp(at: Timestamp) -> String {
    rfc3339(at).unwrap_or_else(|| "after the year 9999".to_owned())
}

/// A span of time, in the two units that matter.
pub(super) fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600_000..86_400_000 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// The time of an execution: simulated time stands where it is. Not the wall
/// clock, which may be behind the log.
pub(super) fn of_execution(record: &ExecutionRecord, simulated: bool, now: Timestamp) -> Timestamp {
    if simulated { record.last_at } else { now }
}

/// What time it is by a store's logs.
pub(super) fn now(store: &mut dyn Reader) -> Result<Timestamp, StoreError> {
    let mut clock = LogClock::system();
    clock.look(store)?;
    Ok(clock.now())
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_read_well() {
        let table = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_250, "1.2 s"),
            (61_000, "1 min 01 s"),
            (3_723_000, "1 h 02 min"),
            (90_000_000, "1 d 01 h"),
        ];
        for (ms, text) in table {
            assert_eq!(span(ms), text);
        }
    }
}
