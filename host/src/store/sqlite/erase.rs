//! Erasing: an execution's log loses what can be erased, and the file every trace of
//! it.
//!
//! What a row loses, and what earlier turns have deleted, may still stand in the file:
//! in free pages, in the unused part of pages, and in the log of changes (`-wal`).
//! Nothing but a file that is written anew has none of it. So after an erasure the
//! database is vacuumed, and the log of changes worked in and cut to nothing.

use rusqlite::{Connection, Result, params};

use crate::log::Head;
use crate::store::sqlite::database::Database;
use crate::store::sqlite::execution::{self, Key};
use crate::store::sqlite::value::Number;
use crate::store::sqlite::{failure, log};
use crate::store::{Erasure, Hash, StoreError, check};

/// Events that are read at once. Each may be large.
const PAGE: u32 = 16;

/// Has SQLite overwrite with zeros what rows lose in this transaction.
pub(super) fn overwrite_deleted(connection: &Connection, on: bool) -> Result<()> {
    let sql = match on {
        true => "PRAGMA secure_delete = ON",
        false => "PRAGMA secure_delete = OFF",
    };
    connection.query_row(sql, [], |_| Ok(()))
}

/// Erases a log, with all that is kept next to it. Answers why that may not be, if it
/// may not.
pub(super) fn erase(connection: &Connection, erasure: &Erasure) -> Result<Option<String>> {
    let id = erasure.execution;
    let stored = execution::with_key(connection, id)?;
    if let Err(conflict) = check::erasable(stored.as_ref().map(|(record, _)| record), erasure) {
        return Ok(Some(conflict));
    }
    let Some((record, key)) = stored else {
        return Ok(None); // It was refused above.
    };
    if let Some(sequence) = erase_events(connection, key, record.head)? {
        return Ok(Some(format!(
            "{id}: event {sequence} is not the one that was audited"
        )));
    }
    for sql in [
        "DELETE FROM items WHERE execution = ?1",
        "DELETE FROM snapshots WHERE execution = ?1",
        "DELETE FROM labels WHERE execution = ?1",
        "DELETE FROM outputs WHERE execution = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([key])?;
    }
    let mut record = connection.prepare_cached(
        "UPDATE executions
         SET caller_key = NULL, tampered_sequence = NULL, tampered_message = NULL, erased = ?2
         WHERE key = ?1",
    )?;
    record.execute(params![key, erasure.attestation.to_json()])?;
    Ok(None)
}

/// Whether the log of this execution is erased.
pub(super) fn is_erased(connection: &Connection, key: Key) -> Result<bool> {
    let mut select =
        connection.prepare_cached("SELECT erased IS NOT NULL FROM executions WHERE key = ?1")?;
    select.query_row([key], |row| row.get(0))
}

/// Leaves of each event its plain fields and the commitment. Answers the first that
/// does not follow on those before it, or is missing, if any is: then nothing may be
/// written, because nobody could find that out afterwards.
fn erase_events(connection: &Connection, key: Key, head: Head) -> Result<Option<u64>> {
    let mut update = connection.prepare_cached(
        "UPDATE events SET erasable = x'', salt = ?3 WHERE execution = ?1 AND sequence = ?2",
    )?;
    let mut last = Head::default();
    loop {
        let page = log::read(connection, key, last.sequence + 1, PAGE)?;
        if page.is_empty() {
            let is_whole = last == head;
            return Ok((!is_whole).then_some(last.sequence + 1));
        }
        for raw in page {
            let sequence = last.sequence + 1;
            let hash = Hash::try_from(raw.hash.as_slice()).ok();
            let (Some(hash), Some(commitment)) = (hash, raw.commitment()) else {
                return Ok(Some(sequence));
            };
            if raw.sequence != sequence || !raw.follows(&last.hash) {
                return Ok(Some(sequence));
            }
            update.execute(params![key, Number(sequence), commitment])?;
            last = Head { sequence, hash };
        }
    }
}

/// Writes the file anew, without what deleted and erased rows have left in it, and
/// empties the log of changes.
pub(super) fn purge(database: &mut Database) -> std::result::Result<(), StoreError> {
    if database.in_turn() {
        return Err(database.contradiction("a purge was begun within a turn"));
    }
    database.file.check()?;
    let failed = |error| failure::whole_error(&database.path, &error);
    database
        .connection
        .execute_batch("VACUUM")
        .map_err(failed)?;
    let is_busy: bool = database
        .connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(failed)?;
    if is_busy {
        return Err(StoreError::Locked {
            place: database.place(),
            detail: "its log of changes (-wal) could not be emptied, because somebody reads an older state of it"
                .to_owned(),
        });
    }
    Ok(())
}
