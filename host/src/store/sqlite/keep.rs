//! Workflows, components and snapshots, which are kept next to the logs.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, params};
use sha2::{Digest as _, Sha256};

use crate::id::ExecutionId;
use crate::log::Hash;
use crate::model::Snapshot;
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::row::column;
use crate::store::sqlite::value::{Id, Number};
use crate::store::{ComponentRecord, WorkflowRecord};

pub(super) fn workflow(connection: &Connection, name: [&str; 3]) -> Result<Option<WorkflowRecord>> {
    let mut select = connection.prepare_cached(
        "SELECT text, digest FROM workflows WHERE tenant = ?1 AND workflow_id = ?2 AND version = ?3",
    )?;
    let [tenant, workflow_id, version] = name;
    let record = select.query_row(name, |row| {
        Ok(WorkflowRecord {
            tenant: tenant.to_owned(),
            workflow_id: workflow_id.to_owned(),
            version: version.to_owned(),
            text: column(row, 0)?,
            digest: column(row, 1)?,
        })
    });
    record.optional()
}

/// Keeps a workflow. `false` if another text is kept under its name.
pub(super) fn keep_workflow(connection: &Connection, record: &WorkflowRecord) -> Result<bool> {
    let WorkflowRecord {
        tenant,
        workflow_id,
        version,
        text,
        digest,
    } = record;
    if let Some(kept) = workflow(connection, [tenant, workflow_id, version])? {
        return Ok(kept.text == *text);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO workflows (tenant, workflow_id, version, text, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute(params![tenant, workflow_id, version, text, digest])?;
    Ok(true)
}

pub(super) fn component(connection: &Connection, digest: &str) -> Result<Option<Vec<u8>>> {
    let mut select = connection.prepare_cached("SELECT bytes FROM components WHERE digest = ?1")?;
    select.query_row([digest], |row| column(row, 0)).optional()
}

/// Keeps a component. A component of the same digest has the same bytes.
pub(super) fn keep_component(connection: &Connection, record: &ComponentRecord) -> Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO components (digest, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?;
    insert.execute(params![record.digest, record.bytes])?;
    Ok(())
}

pub(super) fn snapshot(connection: &Connection, id: ExecutionId) -> Result<Option<Snapshot>> {
    let mut select = connection.prepare_cached(
        "SELECT guest_digest, sequence, head, state, digest FROM snapshots
         WHERE execution = (SELECT key FROM executions WHERE id = ?1)",
    )?;
    let snapshot = select.query_row([Id(id)], |row| {
        let snapshot = Snapshot {
            guest_digest: column(row, 0)?,
            sequence: column::<Number>(row, 1)?.0,
            head: column(row, 2)?,
            state: column(row, 3)?,
        };
        if column::<Vec<u8>>(row, 4)? == digest(&snapshot) {
            return Ok(snapshot);
        }
        let changed = Box::new(Changed);
        Err(Error::FromSqlConversionFailure(4, Type::Blob, changed))
    });
    snapshot.optional()
}

/// The error of a snapshot that is not as it was kept.
#[derive(Debug, thiserror::Error)]
#[error("the snapshot was changed: its digest is another")]
struct Changed;

/// The digest of all parts of a snapshot.
fn digest(snapshot: &Snapshot) -> Hash {
    let Snapshot {
        guest_digest,
        sequence,
        head,
        state,
    } = snapshot;
    // The lengths stand first, so that two snapshots never give the same bytes.
    Sha256::new()
        .chain_update((guest_digest.len() as u64).to_le_bytes())
        .chain_update(guest_digest)
        .chain_update(sequence.to_le_bytes())
        .chain_update((head.len() as u64).to_le_bytes())
        .chain_update(head)
        .chain_update(state)
        .finalize()
        .into()
}

pub(super) fn keep_snapshot(connection: &Connection, key: Key, snapshot: &Snapshot) -> Result<()> {
    let Snapshot {
        guest_digest,
        sequence,
        head,
        state,
    } = snapshot;
    let mut replace = connection.prepare_cached(
        "INSERT OR REPLACE INTO snapshots (execution, guest_digest, sequence, head, state, digest)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    replace.execute(params![
        key,
        guest_digest,
        Number(*sequence),
        head,
        state,
        digest(snapshot)
    ])?;
    Ok(())
}
