//! Children of executions.

use std::path::Path;

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Error, OptionalExtension, Params, Result, Row, params};

use crate::id::ExecutionId;
use crate::model::WorkflowName;
use crate::store::sqlite::many;
use crate::store::sqlite::value::{Id, Number};
use crate::store::{ChildChange, ChildRecord, ChildState, Many};

/// The columns, in the order in which [`read`] takes them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT child, parent, root, node_id, attempt, iteration, sequence, state, workflow_id, version, input FROM children ",
            $rest
        )
    };
}

/// Writes what a turn does to a child's record.
pub(super) fn write(connection: &Connection, change: &ChildChange) -> Result<()> {
    let record = match change {
        ChildChange::Keep(record) => record,
        ChildChange::Drop(child) => {
            let mut delete = connection.prepare_cached("DELETE FROM children WHERE child = ?1")?;
            return delete.execute([Id(*child)]).map(drop);
        }
    };
    let (state, workflow, input) = match &record.state {
        ChildState::Requested { workflow, input } => ("requested", workflow.as_ref(), Some(input)),
        ChildState::Awaited => ("awaited", None, None),
        ChildState::Ended => ("ended", None, None),
        ChildState::Cancelled => ("cancelled", None, None),
        ChildState::Settled => ("settled", None, None),
    };
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO children
         (child, parent, root, node_id, attempt, iteration, sequence, state, workflow_id, version, input)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    insert.execute(params![
        Id(record.child),
        Id(record.parent),
        Id(record.root),
        record.node_id,
        record.attempt,
        record.iteration,
        Number(record.sequence),
        state,
        workflow.map(|workflow| &workflow.workflow_id),
        workflow.map(|workflow| &workflow.version),
        input,
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<ChildRecord> {
    let Id(child) = row.get(0)?;
    let Id(parent) = row.get(1)?;
    let Id(root) = row.get(2)?;
    let Number(sequence) = row.get(6)?;
    let state: String = row.get(7)?;
    let state = match state.as_str() {
        "requested" => {
            let named: (Option<String>, Option<String>) = (row.get(8)?, row.get(9)?);
            let workflow = named.0.zip(named.1);
            ChildState::Requested {
                workflow: workflow.map(|(workflow_id, version)| WorkflowName {
                    workflow_id,
                    version,
                }),
                input: row.get(10)?,
            }
        }
        "awaited" => ChildState::Awaited,
        "ended" => ChildState::Ended,
        "cancelled" => ChildState::Cancelled,
        "settled" => ChildState::Settled,
        _ => {
            let place = rusqlite::types::Type::Text;
            return Err(Error::FromSqlConversionFailure(
                7,
                place,
                Box::new(FromSqlError::InvalidType),
            ));
        }
    };
    Ok(ChildRecord {
        child,
        parent,
        root,
        node_id: row.get(3)?,
        attempt: row.get(4)?,
        iteration: row.get(5)?,
        sequence,
        state,
    })
}

fn all(connection: &Connection, select: &str, of: impl Params) -> Result<Vec<ChildRecord>> {
    let mut select = connection.prepare_cached(select)?;
    let found = select.query_map(of, read)?;
    found.collect()
}

pub(super) fn by_id(connection: &Connection, id: ExecutionId) -> Result<Option<ChildRecord>> {
    let mut by_id = connection.prepare_cached(select!("WHERE child = ?1"))?;
    by_id.query_row([Id(id)], read).optional()
}

pub(super) fn of_parent(connection: &Connection, id: ExecutionId) -> Result<Vec<ChildRecord>> {
    let select = select!("WHERE parent = ?1 ORDER BY sequence, child");
    all(connection, select, [Id(id)])
}

pub(super) fn owed(connection: &Connection, path: &Path, max: usize) -> Result<Many<ChildRecord>> {
    let mut select = connection.prepare_cached(select!(
        "WHERE state IN ('requested', 'ended', 'cancelled') ORDER BY parent, sequence, child"
    ))?;
    many::read(path, select.query([])?, max, read, name)
}

/// A row is its parent's, which it holds up; where that is no id, it is the child's.
fn name(row: &Row<'_>) -> many::Name {
    let id = |column| row.get::<_, Id>(column).ok().map(|id| id.0);
    let of = format!("row {} of `children`", many::text(row, 0));
    (id(1).or_else(|| id(0)), of)
}

pub(super) fn of_root(connection: &Connection, id: ExecutionId) -> Result<u64> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM children WHERE root = ?1")?;
    count.query_row([Id(id)], |row| row.get::<_, Number>(0).map(|it| it.0))
}

pub(super) fn any(connection: &Connection) -> Result<bool> {
    let mut any = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM children)")?;
    any.query_row([], |row| row.get(0))
}
