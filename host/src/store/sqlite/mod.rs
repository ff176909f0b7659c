//! The store in an SQLite file, for real work.
//!
//! A turn is one transaction of SQLite, which begins by taking the write lock, and
//! one sync. Several processes may work on one file. `schema.rs` says what the tables
//! are for.

mod backup;
mod changes;
mod clocks;
mod commit;
mod execution;
mod failure;
mod file;
mod grow;
mod keep;
mod known;
mod log;
mod many;
mod news;
mod open;
mod queue;
mod schema;
mod stale_log;
#[cfg(test)]
mod tests;
mod turn;
mod value;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

pub use news::SeenUpTo;

use crate::id::ExecutionId;
use crate::log::Timestamp;
use crate::model::Snapshot;
use crate::store::{
    ClockReading, CommitError, DueWake, ExecutionRecord, ItemRecord, ListFilter, Many, RawEvent,
    Store, StoreError, Turn, WorkflowRecord,
};

use file::DatabaseFile;

/// How safe a turn is when `commit` has returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It survives a power cut. One sync a turn.
    #[default]
    Full,
    /// It survives a crash of the process; a power cut may lose the last
    /// turns, though never a part of one.
    Normal,
}

/// How to open a database file.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    durability: Durability,
    lock_wait: Duration,
}

impl SqliteOptions {
    /// How safe a turn is when `commit` has returned; [`Durability::Full`],
    /// unless said otherwise.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long to wait for another process's lock; 5 seconds, unless changed.
    #[must_use]
    pub fn lock_wait(mut self, lock_wait: Duration) -> Self {
        self.lock_wait = lock_wait;
        self
    }

    /// Opens the file, and creates it if it is not there.
    ///
    /// # Errors
    ///
    /// The file cannot be used, is not ours, or is of a newer version.
    pub fn open(self, path: impl Into<PathBuf>) -> Result<SqliteStore, StoreError> {
        SqliteStore::new(path.into(), Access::Write, self)
    }

    /// Opens the file for reading only. It must be there.
    ///
    /// # Errors
    ///
    /// The file is not there, cannot be used, is not ours, or is of another
    /// version.
    pub fn open_read_only(self, path: impl Into<PathBuf>) -> Result<SqliteStore, StoreError> {
        SqliteStore::new(path.into(), Access::Read, self)
    }
}

/// What the file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// A store in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    access: Access,
    options: SqliteOptions,
    connection: Connection,
    file: DatabaseFile,
    records: known::Records,
    /// How many connections there were before this one.
    reopened: u64,
}

impl SqliteStore {
    /// Opens the file, and creates it if it is not there.
    ///
    /// # Errors
    ///
    /// The file cannot be used, is not ours, or is of a newer version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::options().open(path)
    }

    /// Opens the file for reading only, for commands that look and change
    /// nothing. It must be there.
    ///
    /// # Errors
    ///
    /// The file is not there, cannot be used, is not ours, or is of another
    /// version.
    pub fn open_read_only(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::options().open_read_only(path)
    }

    /// Options to open the file in another way than the usual one.
    #[must_use]
    pub fn options() -> SqliteOptions {
        SqliteOptions {
            durability: Durability::default(),
            lock_wait: Duration::from_secs(5),
        }
    }

    /// Copy the database at `from` to `to`, which must not be there, as it is at
    /// one moment: others may be working on it. The copy is checked to be whole.
    ///
    /// # Errors
    ///
    /// `to` is there, `from` is not ours or is damaged, or a disk failed.
    pub fn backup(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
        backup::backup(from.as_ref(), to.as_ref())
    }

    /// Put a copy of the database at `from` in the place of the one at `to`. What
    /// stood there is moved aside with all that belongs to it: the answer says
    /// where to.
    ///
    /// # Errors
    ///
    /// Somebody has the database open, `from` is not ours or is damaged, or a
    /// disk failed.
    pub fn restore(
        from: impl AsRef<Path>,
        to: impl AsRef<Path>,
    ) -> Result<Option<PathBuf>, StoreError> {
        backup::restore(from.as_ref(), to.as_ref())
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn new(path: PathBuf, access: Access, options: SqliteOptions) -> Result<Self, StoreError> {
        let (connection, file) = open::connect(&path, access, &options)?;
        Ok(Self {
            path,
            access,
            options,
            connection,
            file,
            records: known::Records::default(),
            reopened: 0,
        })
    }

    /// Whether a transaction is open.
    fn in_turn(&self) -> bool {
        !self.connection.is_autocommit()
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn contradiction(&self, detail: &str) -> StoreError {
        StoreError::Contradiction {
            place: self.place(),
            detail: detail.to_owned(),
        }
    }

    /// The error of a statement about one execution, which is named.
    fn error_of(&self, id: ExecutionId, error: &rusqlite::Error) -> StoreError {
        match failure::store_error(&self.path, error) {
            StoreError::Corrupt { place, detail } => StoreError::Corrupt {
                place: format!("{place}, {id}"),
                detail,
            },
            other => other,
        }
    }

    /// Asks the database about one execution, which an error names.
    fn ask_of<T>(
        &self,
        id: ExecutionId,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        question(&self.connection).map_err(|error| self.error_of(id, &error))
    }

    /// Asks the database about one row that belongs to no single execution.
    fn ask_one<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        question(&self.connection).map_err(|error| failure::store_error(&self.path, &error))
    }

    /// Asks the database about many executions, or about the whole store.
    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        question(&self.connection).map_err(|error| failure::whole_error(&self.path, &error))
    }
}

/// A number that changes whenever another connection has committed.
fn data_version(connection: &Connection) -> rusqlite::Result<u32> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}

impl Store for SqliteStore {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if self.access == Access::Read {
            let detail = "it was opened for reading only".to_owned();
            return Err(StoreError::ReadOnly {
                place: self.place(),
                detail,
            });
        }
        if self.in_turn() {
            return Err(self.contradiction("a turn was begun within a turn"));
        }
        let begun = self
            .execute("BEGIN IMMEDIATE")
            .and_then(|()| data_version(&self.connection));
        match begun {
            Ok(version) => {
                self.records.are_of(version);
                Ok(())
            }
            Err(error) => {
                self.rollback();
                Err(failure::whole_error(&self.path, &error))
            }
        }
    }

    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        let written = self.write(turn);
        if written.is_err() {
            self.records.forget();
            self.rollback();
        }
        written
    }

    fn rollback(&mut self) {
        if !self.in_turn() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            // SQLite has rolled back by itself, or will on the next opening:
            // without a COMMIT nothing of it counts. Why there was anything to
            // roll back is told by whoever wanted it written.
            tracing::debug!(refrain.store = %self.path.display(), %error, "a turn could not be rolled back");
        }
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.rollback();
        self.records.forget();
        let (connection, file) = open::connect(&self.path, self.access, &self.options)?;
        if !self.file.is_same(&file) {
            return Err(self.file.gone("another file stands in its place"));
        }
        (self.connection, self.file) = (connection, file);
        self.reopened += 1;
        Ok(())
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        self.file.check()?;
        let version = self.ask(data_version)?;
        // SQLite's number tells of changes within one connection only.
        Ok(self.reopened << 32 | u64::from(version))
    }

    fn watched_file(&self) -> Option<PathBuf> {
        Some(self.file.log().to_owned())
    }

    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError> {
        self.ask_of(id, |connection| execution::by_id(connection, id))
    }

    fn execution_by_key(
        &mut self,
        tenant: &str,
        key: &str,
    ) -> Result<Option<ExecutionId>, StoreError> {
        self.ask_one(|connection| execution::by_caller_key(connection, tenant, key))
    }

    fn list(&mut self, filter: &ListFilter) -> Result<Many<ExecutionRecord>, StoreError> {
        self.ask(|connection| execution::list(connection, &self.path, filter))
    }

    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        // Within a turn, the known records hold.
        let known = self.records.key(id).filter(|_| self.in_turn());
        self.ask_of(id, |connection| {
            let key = match known {
                Some(key) => Some(key),
                None => execution::key_of(connection, id)?,
            };
            key.map_or_else(
                || Ok(Vec::new()),
                |key| log::read(connection, key, first, max),
            )
        })
    }

    fn items(&mut self, id: ExecutionId) -> Result<Many<ItemRecord>, StoreError> {
        self.ask_of(id, |connection| {
            queue::of_execution(connection, &self.path, id)
        })
    }

    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        self.ask_of(id, |connection| queue::of_node(connection, id, node_id))
    }

    fn claimable(
        &mut self,
        simulated: bool,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        self.ask(|connection| queue::claimable(connection, &self.path, simulated, queue, now, max))
    }

    fn expired(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        self.ask(|connection| queue::expired(connection, &self.path, simulated, now, max))
    }

    fn lease_holders(&mut self, simulated: bool) -> Result<Many<String>, StoreError> {
        self.ask(|connection| queue::lease_holders(connection, &self.path, simulated))
    }

    fn due(
        &mut self,
        simulated: bool,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError> {
        self.ask(|connection| execution::due(connection, &self.path, simulated, now, after, max))
    }

    fn next_due(
        &mut self,
        simulated: bool,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.ask(|connection| {
            let mut times = vec![
                execution::next_wake(connection, simulated, now)?,
                queue::next_expiry(connection, simulated, now)?,
            ];
            for queue in queues {
                times.push(queue::next_claimable(connection, simulated, queue, now)?);
            }
            Ok(times.into_iter().flatten().min())
        })
    }

    fn last_at(&mut self, simulated: bool) -> Result<Timestamp, StoreError> {
        self.ask(|connection| clocks::last_at(connection, simulated))
    }

    fn last_reading(&mut self) -> Result<Option<ClockReading>, StoreError> {
        self.ask(clocks::last_reading)
    }

    fn workflow(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError> {
        self.ask_one(|connection| keep::workflow(connection, workflow_id, version))
    }

    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask_one(|connection| keep::component(connection, digest))
    }

    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError> {
        self.ask_of(id, |connection| keep::snapshot(connection, id))
    }
}
