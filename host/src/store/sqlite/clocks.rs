//! How far time has come in the one shard that a file is.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::log::Timestamp;
use crate::store::sqlite::failure;
use crate::store::sqlite::value::Number;
use crate::store::{ClockReading, Turn};

/// The greatest time.
pub(super) fn last_at(connection: &Connection) -> Result<Timestamp> {
    let mut select = connection.prepare_cached("SELECT last_at FROM clocks WHERE shard = 0")?;
    match select
        .query_row([], |row| row.get::<_, Number>(0))
        .optional()
    {
        Ok(last_at) => Ok(last_at.map_or(0, |last_at| last_at.0)),
        // The row only repeats the greatest time; the next event mends it.
        Err(error) if failure::is_of_a_row(&error) => last_at_of_all(connection),
        Err(error) => Err(error),
    }
}

/// The greatest time, found in the records of executions.
fn last_at_of_all(connection: &Connection) -> Result<Timestamp> {
    let mut select =
        connection.prepare_cached("SELECT coalesce(max(last_at), 0) FROM executions")?;
    select.query_row([], |row| row.get::<_, Number>(0).map(|it| it.0))
}

/// The reading of the last turn.
pub(super) fn last_reading(connection: &Connection) -> Result<Option<ClockReading>> {
    const SQL: &str = "SELECT last_at, machine, since_boot_ns FROM clocks
        WHERE shard = 0 AND since_boot_ns IS NOT NULL";
    let reading = connection.prepare_cached(SQL)?.query_row([], |row| {
        Ok(ClockReading {
            at: row.get::<_, Number>(0)?.0,
            machine: row.get(1)?,
            since_boot_ns: row.get::<_, Number>(2)?.0,
        })
    });
    match reading.optional() {
        // It is of no use to anyone; the next turn writes another.
        Err(error) if failure::is_of_a_row(&error) => Ok(None),
        reading => reading,
    }
}

/// Moves the time on to this turn's.
pub(super) fn advance(connection: &Connection, turn: &Turn) -> Result<()> {
    let reading = turn.reading.as_ref();
    // Of events, not of records: where nothing is appended, no time has passed.
    let events = turn.executions.iter();
    let times = events.filter_map(|change| change.events.last());
    let at = times.map(|stored| stored.event.at);
    let at = at.chain(reading.map(|reading| reading.at)).max();
    // A turn counts, whatever is in it.
    let counts = turn.executions.first().map(|_| 0);
    match at.or(counts) {
        Some(at) => upsert(connection, at, reading),
        None => Ok(()),
    }
}

fn upsert(connection: &Connection, at: Timestamp, reading: Option<&ClockReading>) -> Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO clocks (shard, last_at, machine, since_boot_ns) VALUES (0, ?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at),
             machine = excluded.machine, since_boot_ns = excluded.since_boot_ns, turns = turns + 1",
    )?;
    upsert.execute(params![
        Number(at),
        reading.and_then(|reading| reading.machine.as_deref()),
        reading.map(|reading| Number(reading.since_boot_ns)),
    ])?;
    Ok(())
}
