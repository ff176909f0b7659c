//! What programs have written, in the order in which it was kept.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::id::ExecutionId;
use crate::limits::OUTPUT_PIECE_BYTES_MAX;
use crate::store::output::{dropped_up_to, place_after};
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::row::{of_column, read_row};
use crate::store::sqlite::value::{Id, Number};
use crate::store::{KeptOutput, OutputChange, OutputPiece, OutputStream};

const LAST: &str = "SELECT place FROM outputs WHERE execution = ?1 ORDER BY place DESC LIMIT 1";

const INSERT: &str = "
    INSERT INTO outputs (execution, place, node_id, attempt, stream, start, bytes)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Those that begin before a place. None of them ends further behind it than one is long.
const DROP: &str = "
    DELETE FROM outputs
    WHERE execution = ?1 AND place < ?2 + ?3 AND place - length(bytes) - ?4 < ?2";

/// Keeps more of an execution's output, and drops the oldest of what is too much.
pub(super) fn keep(connection: &Connection, key: Key, change: &OutputChange) -> Result<()> {
    let mut last = {
        let mut select = connection.prepare_cached(LAST)?;
        let last = select.query_row([key], |row| row.get::<_, Number>(0));
        last.optional()?.map_or(0, |last| last.0)
    };
    let mut insert = connection.prepare_cached(INSERT)?;
    for piece in change.pieces.iter() {
        last = place_after(last, piece.bytes.len());
        insert.execute(params![
            key,
            Number(last),
            change.node_id,
            change.attempt,
            piece.stream.name(),
            Number(piece.start),
            piece.bytes,
        ])?;
    }
    let from = dropped_up_to(last);
    if from > 0 {
        let longest = place_after(0, OUTPUT_PIECE_BYTES_MAX);
        let cost = place_after(0, 0);
        let mut drop = connection.prepare_cached(DROP)?;
        drop.execute(params![key, Number(from), Number(longest), Number(cost)])?;
    }
    Ok(())
}

/// What is kept of a node, behind this place.
pub(super) fn of_node(
    connection: &Connection,
    (id, node_id): (ExecutionId, &str),
    after: u64,
) -> Result<Vec<KeptOutput>> {
    let mut select = connection.prepare_cached(
        "SELECT place, attempt, stream, start, bytes FROM outputs
         WHERE execution = (SELECT key FROM executions WHERE id = ?1) AND place > ?3 AND node_id = ?2
         ORDER BY place",
    )?;
    let kept = select.query_map(params![Id(id), node_id, Number(after)], |row| {
        read_row(row, read)
    })?;
    kept.collect()
}

fn read(row: &Row<'_>) -> Result<KeptOutput> {
    let stream = row.get_ref(2)?.as_str();
    let stream = stream.map_err(of_column(2, Type::Text))?;
    let unknown = || {
        let detail = format!("there is no output {stream:?}");
        rusqlite::Error::FromSqlConversionFailure(2, Type::Text, detail.into())
    };
    Ok(KeptOutput {
        place: row.get::<_, Number>(0)?.0,
        attempt: row.get(1)?,
        piece: OutputPiece {
            stream: OutputStream::named(stream).ok_or_else(unknown)?,
            start: row.get::<_, Number>(3)?.0,
            bytes: row.get(4)?,
        },
    })
}
