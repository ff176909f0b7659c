//! The labels of executions. One without any costs nothing here.

use rusqlite::{Connection, Result, params};

use crate::id::ExecutionId;
use crate::model::Label;
use crate::store::sqlite::execution::Key;
use crate::store::sqlite::value::Id;

/// The keys of executions that have a label of this name, of all tenants: each tenant is
/// found by a search from the one before it.
macro_rules! have {
    ($value:literal) => {
        concat!(
            "key IN (
                WITH RECURSIVE tenants (tenant) AS (
                    SELECT min(tenant) FROM labels
                    UNION ALL
                    SELECT (SELECT min(tenant) FROM labels WHERE labels.tenant > tenants.tenant)
                    FROM tenants WHERE tenants.tenant IS NOT NULL
                )
                SELECT labels.execution FROM tenants CROSS JOIN labels
                ON labels.tenant = tenants.tenant WHERE labels.name = ?",
            $value,
            ")"
        )
    };
}

/// The condition that an execution has a label of this name and value.
pub(super) const HAVE: &str = have!(" AND labels.value = ?");

/// The condition that an execution has a label of this name.
pub(super) const HAVE_ANY: &str = have!("");

/// Keeps the labels of an execution that begins.
pub(super) fn insert(
    connection: &Connection,
    (key, tenant): (Key, &str),
    labels: &[Label],
) -> Result<()> {
    if labels.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO labels (tenant, name, value, execution) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    for label in labels {
        insert.execute(params![tenant, label.name, label.value, key])?;
    }
    Ok(())
}

pub(super) fn of_execution(connection: &Connection, id: ExecutionId) -> Result<Vec<Label>> {
    let mut select = connection.prepare_cached(
        "SELECT name, value FROM labels
         WHERE execution = (SELECT key FROM executions WHERE id = ?1) ORDER BY name, value",
    )?;
    let labels = select.query_map([Id(id)], |row| {
        Ok(Label {
            name: row.get(0)?,
            value: row.get(1)?,
        })
    })?;
    labels.collect()
}
