//! The way of most changes: the log of an execution grows, its head with it,
//! and nothing else is to be said of the execution.

use std::collections::HashMap;

use rusqlite::{CachedStatement, Connection, Result, params};

use crate::id::ExecutionId;
use crate::log::StoredEvent;
use crate::store::ExecutionChange;
use crate::store::sqlite::execution::{self, Key};
use crate::store::sqlite::value::{Id, Number, StatusName};

/// Keys that are remembered: those of the executions that have lately changed.
const KEYS_MAX: usize = 1 << 16;

/// What an execution was started with is compared, since it never changes; and
/// status, guest and wake, because what else hangs on them is not done here.
pub(super) const ADVANCE: &str = "
    UPDATE executions SET last_sequence = ?2, last_hash = ?3, last_at = ?4
    WHERE key = ?1 AND id = ?5 AND last_sequence = ?6 AND last_hash = ?7
          AND status = ?8 AND guest_digest = ?9 AND next_wake IS ?10
          AND workflow_id = ?11 AND workflow_version = ?12 AND tenant = ?13 AND caller_key IS ?14
          AND simulated = ?15 AND started_at = ?16";

const APPEND: &str =
    "INSERT INTO events (execution, sequence, bytes, hash) VALUES (?1, ?2, ?3, ?4)";

/// Moves heads on.
pub(super) struct Advance<'a>(CachedStatement<'a>);

impl<'a> Advance<'a> {
    pub(super) fn prepare(connection: &'a Connection) -> Result<Self> {
        connection.prepare_cached(ADVANCE).map(Self)
    }

    /// Write the record's new head. False: nothing was written, because more
    /// than that has changed, or it does not follow on what is stored.
    pub(super) fn advance(&mut self, key: Key, change: &ExecutionChange) -> Result<bool> {
        let ExecutionChange {
            expected, record, ..
        } = change;
        let advanced = self.0.execute(params![
            key,
            Number(record.head.sequence),
            record.head.hash,
            Number(record.last_at),
            Id(record.id),
            Number(expected.sequence),
            expected.hash,
            StatusName(record.status),
            record.guest_digest,
            record.next_wake.map(Number),
            record.workflow_id,
            record.workflow_version,
            record.tenant,
            record.key,
            record.simulated,
            Number(record.started_at),
        ])?;
        Ok(advanced > 0)
    }
}

/// Appends events.
pub(super) struct Append<'a>(CachedStatement<'a>);

impl<'a> Append<'a> {
    pub(super) fn prepare(connection: &'a Connection) -> Result<Self> {
        connection.prepare_cached(APPEND).map(Self)
    }

    /// Append these, whose canonical bytes are given.
    pub(super) fn append(
        &mut self,
        key: Key,
        events: &[StoredEvent],
        bytes: &[Vec<u8>],
    ) -> Result<()> {
        for (stored, bytes) in events.iter().zip(bytes) {
            let sequence = Number(stored.event.sequence);
            self.0.execute(params![key, sequence, bytes, stored.hash])?;
        }
        Ok(())
    }
}

/// The keys of executions. A key stays the same as long as the file has the
/// execution; whoever uses one still makes sure that it is the execution's.
#[derive(Debug, Default)]
pub(super) struct Keys(HashMap<ExecutionId, Key>);

impl Keys {
    /// The execution's key, if the file has it.
    pub(super) fn of(&mut self, connection: &Connection, id: ExecutionId) -> Result<Option<Key>> {
        if let Some(key) = self.0.get(&id) {
            return Ok(Some(*key));
        }
        let key = execution::key_of(connection, id)?;
        if let Some(key) = key {
            self.keep(id, key);
        }
        Ok(key)
    }

    pub(super) fn keep(&mut self, id: ExecutionId, key: Key) {
        if self.0.len() >= KEYS_MAX {
            self.forget();
        }
        self.0.insert(id, key);
    }

    /// Forget all: a turn was not written, or the file may be another.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
