//! The news of a file since it was last looked at, for a program that watches many
//! executions. The cost grows with what was written, not with what there is.

use rusqlite::{Connection, Error, OptionalExtension, Result, params};

use crate::id::ExecutionId;
use crate::store::SeenUpTo;
use crate::store::sqlite::value::Id;

/// Events stand in the order in which they came, and stay where they are.
const LAST: &str = "SELECT rowid FROM events ORDER BY rowid DESC LIMIT 1";

const APPENDED: &str = "
    SELECT id FROM executions
    WHERE key IN (SELECT execution FROM events WHERE rowid > ?1 AND rowid <= ?2)";

/// The executions that are set aside. They are always news, because nothing is
/// appended to them.
pub(super) const SET_ASIDE: &str = "SELECT id FROM executions WHERE tampered_sequence IS NOT NULL";

/// The executions to whose logs something was appended after `seen`, with all that
/// are set aside, and the place up to which that is. `None` in place of them if any
/// may have changed.
pub(super) fn changed_since(
    connection: &Connection,
    seen: SeenUpTo,
) -> Result<(Option<Vec<ExecutionId>>, SeenUpTo)> {
    let last = last(connection)?;
    if last < seen {
        return Ok((None, last));
    }
    let mut changed = ids(connection, APPENDED, params![seen.0, last.0])?;
    changed.extend(ids(connection, SET_ASIDE, [])?);
    changed.sort_unstable();
    changed.dedup();
    Ok((Some(changed), last))
}

fn last(connection: &Connection) -> Result<SeenUpTo> {
    let last = connection
        .prepare_cached(LAST)?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(SeenUpTo(last.unwrap_or(0)))
}

fn ids(connection: &Connection, sql: &str, of: impl rusqlite::Params) -> Result<Vec<ExecutionId>> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(of)?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        match row.get(0) {
            Ok(Id(id)) => ids.push(id),
            // Nobody watches one whose id cannot be read.
            Err(Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ids)
}
