//! How far time has come, real and simulated.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::log::Timestamp;
use crate::store::sqlite::failure;
use crate::store::sqlite::value::Number;
use crate::store::{ClockReading, Turn};

/// The greatest time.
pub(super) fn last_at(connection: &Connection, simulated: bool) -> Result<Timestamp> {
    let mut select =
        connection.prepare_cached("SELECT last_at FROM clocks WHERE simulated = ?1")?;
    match select
        .query_row([simulated], |row| row.get::<_, Number>(0))
        .optional()
    {
        Ok(last_at) => Ok(last_at.map_or(0, |last_at| last_at.0)),
        // The row only repeats the greatest time; the next event mends it.
        Err(error) if failure::is_of_a_row(&error) => last_at_of_all(connection, simulated),
        Err(error) => Err(error),
    }
}

/// The greatest time, found in the records of executions.
fn last_at_of_all(connection: &Connection, simulated: bool) -> Result<Timestamp> {
    let mut select = connection
        .prepare_cached("SELECT coalesce(max(last_at), 0) FROM executions WHERE simulated = ?1")?;
    select.query_row([simulated], |row| row.get::<_, Number>(0).map(|it| it.0))
}

/// The reading of the last turn of real time.
pub(super) fn last_reading(connection: &Connection) -> Result<Option<ClockReading>> {
    const SQL: &str = "SELECT last_at, machine, since_boot_ns FROM clocks
        WHERE simulated = 0 AND since_boot_ns IS NOT NULL";
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
    for simulated in [false, true] {
        let reading = turn.reading.as_ref().filter(|_| !simulated);
        let changes = || {
            let all = turn.executions.iter();
            all.filter(|change| change.record.simulated == simulated)
        };
        // Of events, not of records: where nothing is appended, no time has passed.
        let times = changes().filter_map(|change| change.events.last());
        let at = times.map(|stored| stored.event.at);
        let at = at.chain(reading.map(|reading| reading.at)).max();
        // A turn counts, whatever is in it.
        let counts = changes().next().map(|_| 0);
        if let Some(at) = at.or(counts) {
            upsert(connection, simulated, at, reading)?;
        }
    }
    Ok(())
}

fn upsert(
    connection: &Connection,
    simulated: bool,
    at: Timestamp,
    reading: Option<&ClockReading>,
) -> Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO clocks (simulated, last_at, machine, since_boot_ns) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at),
             machine = excluded.machine, since_boot_ns = excluded.since_boot_ns, turns = turns + 1",
    )?;
    upsert.execute(params![
        simulated,
        Number(at),
        reading.and_then(|reading| reading.machine.as_deref()),
        reading.map(|reading| Number(reading.since_boot_ns)),
    ])?;
    Ok(())
}
