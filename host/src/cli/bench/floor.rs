//! The floor: what the disk and the database cost by themselves.
//!
//! SQLite alone, with prepared statements: on the same tables it writes the
//! same rows, in the same batches, from values that are there already. There
//! is no scheduler in it, no log that is hashed, no queue that is searched and
//! no worker; nothing on this database can be faster than that.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use refrain::store::{Durability, SqliteStore, Turn};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Statement, params_from_iter};

use super::process;
use super::rows::{Batch, Scribe};

/// A database without an engine.
pub(super) struct Floor {
    scribe: Scribe,
    connection: Connection,
}

impl Floor {
    /// With new databases in this folder.
    pub(super) fn new(folder: &Path, durability: Durability) -> anyhow::Result<Self> {
        let path = folder.join("floor.db");
        // The store makes the tables, so that they are the same.
        drop(SqliteStore::open(&path)?);
        let connection = Connection::open(&path).context("cannot open the floor's database")?;
        connection.pragma_update(None, "synchronous", durability.name())?;
        connection.pragma_update(None, "foreign_keys", false)?;
        // As the store has them.
        connection.pragma_update(None, "cache_size", -16384)?;
        connection.query_row("PRAGMA wal_autocheckpoint = 4096", [], |_| Ok(()))?;
        // A statement is planned once, whatever is bound to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self {
            scribe: Scribe::new(folder)?,
            connection,
        })
    }

    /// Write what these turns write, which follow on those before; how long
    /// that took.
    pub(super) fn write(&mut self, turns: &[Turn]) -> anyhow::Result<Took> {
        let batches = self.scribe.batches(turns)?;
        let mut begin = self.connection.prepare("BEGIN IMMEDIATE")?;
        let mut commit = self.connection.prepare("COMMIT")?;
        let statements = self.scribe.statements.iter();
        let mut statements = statements
            .map(|sql| self.connection.prepare(sql))
            .collect::<rusqlite::Result<Vec<Statement<'_>>>>()?;
        let (begun, on_processor) = (Instant::now(), process::own_cpu());
        for Batch { rows } in &batches {
            begin.execute([])?;
            for (shape, values) in rows {
                statements[*shape].execute(params_from_iter(values))?;
            }
            commit.execute([])?;
        }
        let spent = process::own_cpu().zip(on_processor);
        Ok(Took {
            wall: begun.elapsed(),
            on_processor: spent.map(|(after, before)| after.saturating_sub(before)),
        })
    }
}

/// How long writing took.
pub(super) struct Took {
    /// By the clock on the wall.
    pub(super) wall: Duration,
    /// On a processor, where the system says it.
    pub(super) on_processor: Option<Duration>,
}

/// How long the disk takes to make a page more of a file durable, so many
/// times, in microseconds.
pub(super) fn syncs(folder: &Path, count: usize) -> anyhow::Result<Vec<f64>> {
    let path = folder.join("syncs");
    let place = || format!("cannot write {}", path.display());
    let mut file = File::create(&path).with_context(place)?;
    let page = [7; 4096];
    (0..count)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&page)
                .and_then(|()| file.sync_data())
                .with_context(place)?;
            Ok(begun.elapsed().as_secs_f64() * 1e6)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use refrain::{Engine, Next, WorkError, Workflow};
    use rusqlite::types::Value;
    use serde_json::json;

    use super::*;
    use crate::cli::bench::tally::Tally;

    /// The floor would be none, were it not the same rows.
    #[test]
    fn the_floor_writes_what_the_engine_wrote() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("engine.db");
        let tally = Tally::keeping();
        let store = tally.of(SqliteStore::open(&path)?);
        live(store)?;
        let mut floor = Floor::new(folder.path(), Durability::Normal)?;
        let turns = tally.take();
        let (first, others) = turns.split_at(3);
        floor.write(first)?;
        floor.write(others)?;
        let engines = Connection::open(&path)?;
        for table in ["executions", "events", "items", "snapshots", "workflows"] {
            let wrote = rows(&engines, table)?;
            assert!(!wrote.is_empty(), "nothing was written to {table}");
            assert_eq!(rows(&floor.connection, table)?, wrote, "{table}");
        }
        Ok(())
    }

    /// Steps that succeed, fail, are tried anew and are left over; snapshots
    /// that replace one another.
    fn live(store: impl refrain::store::Store + 'static) -> anyhow::Result<()> {
        let builder = Engine::builder().store(store).seed(1);
        let every = NonZeroU64::new(4).context("four is not zero")?;
        let (engine, mut steps) = builder.events_per_snapshot(every).stepped()?;
        let done = json!({ "kind": { "type": "tool", "tool_ref": "t" } });
        let left = json!({ "kind": { "type": "command", "argv": ["true"] } });
        let workflow = json!({
            "workflow_id": "w", "version": "1.0.0", "start_node": "a",
            "nodes": { "a": done, "b": done, "fails": done, "left": left },
            "edges": [{ "from": "a", "to": "b" }, { "from": "a", "to": "fails" }, { "from": "a", "to": "left" }],
        });
        let registered = steps.until(engine.register(Workflow::from_json(workflow.to_string())?));
        registered.context("it takes no answer")??;
        engine.work("tool", |item| async move {
            match item.node_id.as_str() {
                "fails" => Err(WorkError::permanent("it cannot be done")),
                _ => Ok(json!({ "done": item.node_id })),
            }
        });
        for _ in 0..3 {
            let started = steps.until(engine.start("w", "1.0.0", json!({})));
            started.context("it takes no answer")??;
            while steps.step() == Next::Now {}
        }
        Ok(())
    }

    fn rows(connection: &Connection, table: &str) -> anyhow::Result<Vec<Vec<Value>>> {
        let mut select = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
        let width = select.column_count();
        let rows = select.query_map([], |row| (0..width).map(|n| row.get(n)).collect())?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
