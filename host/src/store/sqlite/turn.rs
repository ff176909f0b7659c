//! Writing a turn, within the transaction that its owner has begun.

use rusqlite::{Connection, Error};

use crate::contract::Snapshot;
use crate::id::ExecutionId;
use crate::store::check::{self, EventBytes};
use crate::store::sqlite::queue::Owner;
use crate::store::sqlite::{execution, keep, log, queue};
use crate::store::status::claims;
use crate::store::{ExecutionChange, Turn, WorkflowRecord};

/// Why a turn was not written. What was written of it must be rolled back.
pub(super) enum Refusal {
    Conflict(String),
    Sqlite(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Write a turn that has been checked by itself.
pub(super) fn write(
    connection: &Connection,
    turn: &Turn,
    bytes: &[EventBytes],
) -> Result<(), Refusal> {
    for workflow in &turn.workflows {
        let WorkflowRecord {
            workflow_id,
            version,
            ..
        } = workflow;
        if !keep::keep_workflow(connection, workflow)? {
            return conflict(format!(
                "workflow {workflow_id} {version} is registered with another text"
            ));
        }
    }
    for component in &turn.components {
        keep::keep_component(connection, component)?;
    }
    for (change, bytes) in turn.executions.iter().zip(bytes) {
        write_execution(connection, change, bytes)?;
    }
    for (id, snapshot) in &turn.snapshots {
        write_snapshot(connection, *id, snapshot)?;
    }
    advance_clocks(connection, turn)
}

fn write_execution(
    connection: &Connection,
    change: &ExecutionChange,
    bytes: &EventBytes,
) -> Result<(), Refusal> {
    let record = &change.record;
    let id = record.id;
    let stored = execution::by_id(connection, id)?;
    check::follows(stored.as_ref(), change).map_err(Refusal::Conflict)?;
    let key = match execution::key_of(connection, id)? {
        Some(key) => {
            execution::update(connection, key, record)?;
            key
        }
        None => match execution::insert(connection, record)? {
            Some(key) => key,
            None => {
                return conflict(format!(
                    "{id}: the key {:?} has started another",
                    record.key
                ));
            }
        },
    };
    log::append(connection, key, &change.events, bytes)?;
    let owner = Owner {
        key,
        simulated: record.simulated,
        held: !claims(record.status),
    };
    for item in &change.items {
        if let Some(refused) = queue::change(connection, owner, item)? {
            return conflict(format!("{id}: {refused}"));
        }
    }
    // Mostly nothing changes: a look at the items is saved.
    if stored.is_some_and(|stored| claims(stored.status) != claims(record.status)) {
        queue::hold(connection, owner)?;
    }
    Ok(())
}

fn write_snapshot(
    connection: &Connection,
    id: ExecutionId,
    snapshot: &Snapshot,
) -> Result<(), Refusal> {
    match execution::key_of(connection, id)? {
        Some(key) => Ok(keep::keep_snapshot(connection, key, snapshot)?),
        None => conflict(format!(
            "{id}: there is no such execution to keep a snapshot of"
        )),
    }
}

fn advance_clocks(connection: &Connection, turn: &Turn) -> Result<(), Refusal> {
    for simulated in [false, true] {
        let records = turn.executions.iter().map(|change| &change.record);
        let times = records
            .filter(|record| record.simulated == simulated)
            .map(|record| record.last_at);
        if let Some(last_at) = times.max() {
            execution::advance_clock(connection, simulated, last_at)?;
        }
    }
    Ok(())
}

fn conflict(detail: String) -> Result<(), Refusal> {
    Err(Refusal::Conflict(detail))
}
