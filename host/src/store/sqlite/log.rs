//! Events, as their canonical bytes, packed.

use rusqlite::types::Type;
use rusqlite::{Connection, Result, Row, params};

use crate::log::packed;
use crate::store::RawEvent;
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::row::{of_column, read_row};
use crate::store::sqlite::value::Number;

pub(super) fn read(
    connection: &Connection,
    key: Key,
    first: u64,
    max: u32,
) -> Result<Vec<RawEvent>> {
    let mut select = connection.prepare_cached(
        "SELECT sequence, plain, erasable, salt, hash FROM events
         WHERE execution = ?1 AND sequence >= ?2
         ORDER BY sequence LIMIT ?3",
    )?;
    let of = params![key, Number(first), max];
    let events = select.query_map(of, |row| read_row(row, event))?;
    events.collect()
}

fn event(row: &Row<'_>) -> Result<RawEvent> {
    let blob = |column| {
        let blob = row.get_ref(column)?.as_blob();
        blob.map_err(of_column(column, Type::Blob))
    };
    // What is not packed is no event either: let those who judge see it.
    let unpacked = |packed: &[u8]| packed::unpack(packed).unwrap_or_else(|| packed.to_vec());
    Ok(RawEvent {
        sequence: row.get::<_, Number>(0)?.0,
        plain: unpacked(blob(1)?),
        erasable: unpacked(blob(2)?),
        salt: blob(3)?.to_vec(),
        hash: blob(4)?.to_vec(),
    })
}
