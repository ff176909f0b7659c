//! The records of executions.

use std::path::Path;

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params};

use crate::id::ExecutionId;
use crate::log::{Attestation, Head, Timestamp};
use crate::store::sqlite::many::{self, Name};
use crate::store::sqlite::row::{column, of_column, read_row};
use crate::store::sqlite::value::{HashBytes, Id, Number, StatusName};
use crate::store::{DueWake, ExecutionRecord, Many, Tampering};

/// What [`read`] reads of a row.
macro_rules! columns {
    () => {
        "id, workflow_id, workflow_version, guest_digest, tenant, caller_key, status, \
         last_sequence, last_hash, started_at, last_at, next_wake, tampered_sequence, tampered_message, erased, key, priority"
    };
}

pub(super) const COLUMNS: &str = columns!();

const BY_ID: &str = concat!("SELECT ", columns!(), " FROM executions WHERE id = ?1");
pub(super) const BY_KEY: &str = concat!("SELECT ", columns!(), " FROM executions WHERE key = ?1");

/// An execution's integer key, by which the other tables name it.
pub(super) type Key = i64;

pub(super) fn read(row: &Row<'_>) -> Result<ExecutionRecord> {
    let number = |column| row.get::<_, Number>(column).map(|number| number.0);
    Ok(ExecutionRecord {
        id: row.get::<_, Id>(0)?.0,
        workflow_id: row.get(1)?,
        workflow_version: row.get(2)?,
        guest_digest: row.get(3)?,
        tenant: row.get(4)?,
        key: row.get(5)?,
        priority: row.get(16)?,
        status: row.get::<_, StatusName>(6)?.0,
        head: Head {
            sequence: number(7)?,
            hash: row.get::<_, HashBytes>(8)?.0,
        },
        started_at: number(9)?,
        last_at: number(10)?,
        next_wake: row.get::<_, Option<Number>>(11)?.map(|number| number.0),
        tampering: match row.get::<_, Option<Number>>(12)? {
            Some(sequence) => Some(Tampering {
                sequence: sequence.0,
                message: row.get(13)?,
            }),
            None => None,
        },
        erased: attestation(row, 14)?.map(Box::new),
    })
}

fn attestation(row: &Row<'_>, column: usize) -> Result<Option<Attestation>> {
    let text = row.get_ref(column)?.as_str_or_null();
    let Some(text) = text.map_err(of_column(column, Type::Text))? else {
        return Ok(None);
    };
    Attestation::from_json(text)
        .map(Some)
        .map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// The place of the key among these columns, from 0.
pub(super) const KEY: usize = 15;

/// The name of a row whose id and key stand in these columns.
pub(super) fn name(row: &Row<'_>, id: usize, key: usize) -> Name {
    let execution = row.get::<_, Id>(id).ok().map(|id| id.0);
    let of = many::text(row, id);
    (
        execution,
        format!("row {} of `executions`, {of}", many::text(row, key)),
    )
}

pub(super) fn by_id(connection: &Connection, id: ExecutionId) -> Result<Option<ExecutionRecord>> {
    let found = with_key(connection, id)?;
    Ok(found.map(|(record, _)| record))
}

pub(super) fn with_key(
    connection: &Connection,
    id: ExecutionId,
) -> Result<Option<(ExecutionRecord, Key)>> {
    connection
        .prepare_cached(BY_ID)?
        .query_row([Id(id)], |row| Ok((read_row(row, read)?, row.get(KEY)?)))
        .optional()
}

pub(super) fn key_of(connection: &Connection, id: ExecutionId) -> Result<Option<Key>> {
    let mut select = connection.prepare_cached("SELECT key FROM executions WHERE id = ?1")?;
    select.query_row([Id(id)], |row| row.get(0)).optional()
}

/// What holds of an execution that no other one has asked for.
pub(super) const ROOTS: &str =
    "NOT EXISTS (SELECT 1 FROM children WHERE children.child = executions.id)";

/// Keys grow from one execution to the next.
pub(super) fn last_begun(connection: &Connection) -> Result<Option<ExecutionId>> {
    let sql = format!("SELECT id FROM executions WHERE {ROOTS} ORDER BY key DESC LIMIT 1");
    let mut select = connection.prepare_cached(&sql)?;
    let id = select.query_row([], |row| row.get::<_, Id>(0)).optional()?;
    Ok(id.map(|id| id.0))
}

/// The id of an execution whose row may be damaged.
pub(super) fn id_of(connection: &Connection, key: Key) -> Result<Option<ExecutionId>> {
    const ID_OF: &str = "SELECT id FROM executions INDEXED BY executions_by_start WHERE +key = ?1";
    let mut select = connection.prepare_cached(ID_OF)?;
    let id = select
        .query_row([key], |row| row.get::<_, Id>(0))
        .optional()?;
    Ok(id.map(|id| id.0))
}

pub(super) fn due(
    connection: &Connection,
    path: &Path,
    now: Timestamp,
    after: Option<DueWake>,
    max: usize,
) -> Result<Many<DueWake>> {
    let mut select = connection.prepare_cached(DUE)?;
    // No time comes before zero, and no id before the empty one.
    let (after_at, after_id) = match after {
        Some(after) => (after.at, after.execution.to_string()),
        None => (0, String::new()),
    };
    let of = params![Number(now), Number(after_at), after_id];
    let rows = select.query(of)?;
    let wake = |row: &Row<'_>| {
        Ok(DueWake {
            at: row.get::<_, Number>(2)?.0,
            execution: row.get::<_, Id>(0)?.0,
        })
    };
    many::read(path, rows, max, wake, |row| name(row, 0, 1))
}

pub(super) const DUE: &str = "
    SELECT id, key, next_wake FROM executions INDEXED BY executions_by_wake
    WHERE next_wake IS NOT NULL AND status IN ('running', 'paused', 'stalled') AND tampered_sequence IS NULL
          AND next_wake <= ?1 AND (next_wake, id) > (?2, ?3)
    ORDER BY next_wake, id";

/// The first wake after `now`.
pub(super) fn next_wake(connection: &Connection, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut select = connection.prepare_cached(NEXT_WAKE)?;
    let wake = select.query_row(params![Number(now)], |row| column::<Number>(row, 0));
    wake.map(|wake| wake.0).optional()
}

pub(super) const NEXT_WAKE: &str = "
    SELECT next_wake FROM executions INDEXED BY executions_by_wake
    WHERE next_wake IS NOT NULL AND status IN ('running', 'paused', 'stalled') AND tampered_sequence IS NULL
          AND next_wake > ?1
    ORDER BY next_wake LIMIT 1";

/// Whether there are events of this key already, of an execution whose record is
/// gone: SQLite gives out the key of a deleted row again.
const LEFT_BEHIND: &str = "SELECT EXISTS (SELECT 1 FROM events WHERE execution = ?1)
    OR EXISTS (SELECT 1 FROM items WHERE execution = ?1)";

/// A key that no row of the database has.
const MOVE_ON: &str = "
    UPDATE executions SET key = 1 + max(
        (SELECT max(key) FROM executions),
        coalesce((SELECT max(execution) FROM events), 0),
        coalesce((SELECT max(execution) FROM items), 0))
    WHERE key = ?1 RETURNING key";

/// Writes a new execution's record. `None` if its id is taken.
pub(super) fn insert(connection: &Connection, record: &ExecutionRecord) -> Result<Option<Key>> {
    if !insert_row(connection, record)? {
        return Ok(None);
    }
    let key = connection.last_insert_rowid();
    let mut left_behind = connection.prepare_cached(LEFT_BEHIND)?;
    if !left_behind.query_row([key], |row| row.get(0))? {
        return Ok(Some(key));
    }
    let mut move_on = connection.prepare_cached(MOVE_ON)?;
    move_on.query_row([key], |row| row.get(0)).map(Some)
}

fn insert_row(connection: &Connection, record: &ExecutionRecord) -> Result<bool> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO executions (id, workflow_id, workflow_version, guest_digest, tenant, caller_key, status,
             last_sequence, last_hash, started_at, last_at, next_wake, priority)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT DO NOTHING",
    )?;
    let inserted = insert.execute(params![
        Id(record.id),
        record.workflow_id,
        record.workflow_version,
        record.guest_digest,
        record.tenant,
        record.key,
        StatusName(record.status),
        Number(record.head.sequence),
        record.head.hash,
        Number(record.started_at),
        Number(record.last_at),
        record.next_wake.map(Number),
        record.priority,
    ])?;
    Ok(inserted > 0)
}

/// Writes what can change of an execution's record. `false` if there is none.
pub(super) fn update(connection: &Connection, key: Key, record: &ExecutionRecord) -> Result<bool> {
    let mut update = connection.prepare_cached(
        "UPDATE executions
         SET guest_digest = ?2, status = ?3, last_sequence = ?4, last_hash = ?5, last_at = ?6, next_wake = ?7,
             tampered_sequence = ?8, tampered_message = ?9
         WHERE key = ?1",
    )?;
    let updated = update.execute(params![
        key,
        record.guest_digest,
        StatusName(record.status),
        Number(record.head.sequence),
        record.head.hash,
        Number(record.last_at),
        record.next_wake.map(Number),
        record.tampering.as_ref().map(|it| Number(it.sequence)),
        record.tampering.as_ref().map(|it| &it.message),
    ])?;
    Ok(updated > 0)
}
