//! What wrong stores hold: written into the database file behind the store's
//! back, beneath all that a store checks.

use refrain::log::canonical::Canonical;
use refrain::log::{Hash, Salt, chain, packed};
use rusqlite::{Connection, Row};

/// A number is left out.
pub(crate) fn gap(file: &Connection) -> bool {
    run(
        file,
        "UPDATE events SET sequence = 4 WHERE sequence = 3 AND NOT EXISTS (SELECT 1 FROM events WHERE sequence = 4)",
    )
}

/// The chain begins anew at an event.
pub(crate) fn chain_not_continued(file: &Connection) -> bool {
    let sql = "SELECT plain, erasable, salt FROM events WHERE sequence > 1 ORDER BY sequence DESC LIMIT 1";
    let read = |row: &Row<'_>| {
        let unpacked = |packed: Vec<u8>| packed::unpack(&packed).expect("they are packed");
        let bytes = Canonical {
            plain: unpacked(row.get(0)?),
            erasable: unpacked(row.get(1)?),
        };
        Ok((bytes, row.get::<_, Salt>(2)?))
    };
    let Ok((last, salt)) = file.query_row(sql, [], read) else {
        return false;
    };
    let hash: Hash = chain::link_of(&chain::START, &last, &salt);
    let events = "UPDATE events SET hash = ?1 WHERE sequence = (SELECT max(sequence) FROM events)";
    let heads = "UPDATE executions SET last_hash = ?1";
    let set = |sql| file.execute(sql, [&hash]).expect(SCHEMA) == 1;
    set(events) && set(heads)
}

/// An event is changed later on.
pub(crate) fn event_edited(file: &Connection) -> bool {
    let sql = "SELECT plain FROM events WHERE sequence = 2 LIMIT 1";
    let Ok(mut bytes) = file.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0)) else {
        return false;
    };
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    let set = "UPDATE events SET plain = ?1 WHERE sequence = 2";
    file.execute(set, [&bytes]).expect(SCHEMA) > 0
}

fn run(file: &Connection, sql: &str) -> bool {
    file.execute(sql, []).expect(SCHEMA) > 0
}

const SCHEMA: &str = "the tables are those of the schema";
