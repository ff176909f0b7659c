//! Waiting for the locks of a database file.
//!
//! SQLite's own waiting looks again after longer and longer pauses. An engine with
//! much to do leaves the write lock alone only for moments; a process that looks so
//! rarely could miss each of them until its patience ends. So the waiting is done here, with
//! short pauses of one length.

use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use crate::limits::LOCK_LOOK_PAUSE;

/// Begins a transaction that holds the write lock. Waits for the lock for so long at
/// most.
pub(super) fn begin_immediate(
    connection: &Connection,
    lock_wait: Duration,
) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let begun = when_free(lock_wait, || {
        connection
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])
            .map(drop)
    });
    connection.busy_timeout(lock_wait)?;
    begun
}

/// Tries this until no lock is in its way, for so long at most.
pub(super) fn when_free<T>(
    lock_wait: Duration,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let begun = Instant::now();
    loop {
        let tried = attempt();
        let is_busy = tried
            .as_ref()
            .is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        let left = lock_wait.saturating_sub(begun.elapsed());
        if !is_busy || left.is_zero() {
            return tried;
        }
        std::thread::sleep(LOCK_LOOK_PAUSE.min(left));
    }
}
