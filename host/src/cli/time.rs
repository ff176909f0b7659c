//! Times and spans as people read them.

use refrain::LogClock;
use refrain::store::{ExecutionRecord, Reader, StoreError, Timestamp};
use refrain::time::rfc3339;

pub(super) use refrain::time::span;

/// A time: UTC, with milliseconds, as everywhere in Refrain.
pub(super) fn stamp(at: Timestamp) -> String {
    rfc3339(at).unwrap_or_else(|| "after the year 9999".to_owned())
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
