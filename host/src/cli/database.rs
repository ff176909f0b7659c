//! The database that a command is about.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use refrain::id::ExecutionId;
use refrain::store::{ExecutionRecord, SqliteStore, Store};

/// Where the executions are.
#[derive(clap::Args)]
pub(super) struct Database {
    /// The database, an SQLite file
    #[arg(
        long = "db",
        env = "REFRAIN_DB",
        default_value = "refrain.db",
        value_name = "PATH"
    )]
    path: PathBuf,
}

impl Database {
    /// Open the database for writing; it is made if it is not there.
    pub(super) fn open_or_create(&self) -> anyhow::Result<SqliteStore> {
        Ok(SqliteStore::open(&self.path)?)
    }

    /// Open the database for reading: asking about something must not leave
    /// an empty database behind, nor change one.
    pub(super) fn open(&self) -> anyhow::Result<SqliteStore> {
        let path = self.path.display();
        match self.path.try_exists() {
            Ok(true) => Ok(SqliteStore::open_read_only(&self.path)?),
            Ok(false) => bail!(
                "there is no database {path}; name another with --db PATH, or begin one with `refrain run`"
            ),
            Err(error) => {
                Err(error).with_context(|| format!("cannot look for the database {path}"))
            }
        }
    }

    /// What a person types after `refrain` to mean this database again.
    pub(super) fn flag(&self) -> String {
        if self.path == Path::new("refrain.db") {
            String::new()
        } else {
            format!(" --db {}", self.path.display())
        }
    }
}

/// The record of an execution that must be there.
pub(super) fn record(store: &mut dyn Store, id: ExecutionId) -> anyhow::Result<ExecutionRecord> {
    match store.execution(id)? {
        Some(record) => Ok(record),
        None => bail!("there is no execution {id}; `refrain list` shows those there are"),
    }
}
