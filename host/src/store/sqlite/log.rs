//! Events, as their canonical bytes, packed.

use rusqlite::{Connection, Result, params};

use crate::log::packed;
use crate::store::RawEvent;
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::value::Number;

pub(super) fn read(
    connection: &Connection,
    key: Key,
    first: u64,
    max: u32,
) -> Result<Vec<RawEvent>> {
    let mut select = connection.prepare_cached(
        "SELECT sequence, bytes, hash FROM events
         WHERE execution = ?1 AND sequence >= ?2
         ORDER BY sequence LIMIT ?3",
    )?;
    let events = select.query_map(params![key, Number(first), max], |row| {
        let packed = row.get_ref(1)?.as_blob()?;
        Ok(RawEvent {
            sequence: row.get::<_, Number>(0)?.0,
            // Bytes that are not packed are no event either. They are handed on as they
            // are, because an audit judges them.
            bytes: packed::unpack(packed).unwrap_or_else(|| packed.to_vec()),
            hash: row.get_ref(2)?.as_blob()?.to_vec(),
        })
    })?;
    events.collect()
}
