//! The most frequent change: the log of an execution grows, its head moves, and
//! nothing else of the execution changes.

use rusqlite::{CachedStatement, Connection, Result, params};

use crate::log::{ChainedEvent, packed};
use crate::store::ExecutionRecord;
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::value::Number;

/// Not status, guest and wake: what else hangs on them is not done here.
pub(super) const ADVANCE: &str =
    "UPDATE executions SET last_sequence = ?2, last_hash = ?3, last_at = ?4 WHERE key = ?1";

const APPEND: &str = "INSERT INTO events (execution, sequence, plain, erasable, salt, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Moves heads on.
pub(super) struct Advance<'a>(CachedStatement<'a>);

impl<'a> Advance<'a> {
    pub(super) fn prepare(connection: &'a Connection) -> Result<Self> {
        connection.prepare_cached(ADVANCE).map(Self)
    }

    /// Writes the record's new head. `false` if there is no record.
    pub(super) fn advance(&mut self, key: Key, record: &ExecutionRecord) -> Result<bool> {
        let advanced = self.0.execute(params![
            key,
            Number(record.head.sequence),
            record.head.hash,
            Number(record.last_at),
        ])?;
        Ok(advanced > 0)
    }
}

/// Appends events.
pub(super) struct Append<'a> {
    insert: CachedStatement<'a>,
    plain: Vec<u8>,
    erasable: Vec<u8>,
}

impl<'a> Append<'a> {
    pub(super) fn prepare(connection: &'a Connection) -> Result<Self> {
        Ok(Self {
            insert: connection.prepare_cached(APPEND)?,
            plain: Vec::new(),
            erasable: Vec::new(),
        })
    }

    /// Appends these events.
    pub(super) fn append(&mut self, key: Key, events: &[ChainedEvent]) -> Result<()> {
        for chained in events {
            let bytes = chained.bytes();
            self.plain.clear();
            self.erasable.clear();
            packed::pack_into(&bytes.plain, &mut self.plain);
            packed::pack_into(&bytes.erasable, &mut self.erasable);
            self.insert.execute(params![
                key,
                Number(chained.event.sequence),
                self.plain,
                self.erasable,
                chained.salt,
                chained.hash
            ])?;
        }
        Ok(())
    }
}
