//! Events, as their canonical bytes.

use rusqlite::{Connection, Result, params};

use crate::id::ExecutionId;
use crate::store::RawEvent;
use crate::store::sqlite::value::{Id, Number};

pub(super) fn read(
    connection: &Connection,
    id: ExecutionId,
    first: u64,
    max: u32,
) -> Result<Vec<RawEvent>> {
    let mut select = connection.prepare_cached(
        "SELECT sequence, bytes, hash FROM events
         WHERE execution = (SELECT key FROM executions WHERE id = ?1) AND sequence >= ?2
         ORDER BY sequence LIMIT ?3",
    )?;
    let events = select.query_map(params![Id(id), Number(first), max], |row| {
        Ok(RawEvent {
            sequence: row.get::<_, Number>(0)?.0,
            bytes: row.get(1)?,
            hash: row.get(2)?,
        })
    })?;
    events.collect()
}
