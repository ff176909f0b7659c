//! The store itself: each method of the contract, led to the module that knows it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::id::ExecutionId;
use crate::log::Timestamp;
use crate::model::Snapshot;
use crate::store::sqlite::database::Database;
use crate::store::sqlite::durability::{Access, Durability};
use crate::store::sqlite::known::Records;
use crate::store::sqlite::news::{self, SeenUpTo};
use crate::store::sqlite::{backup, clocks, commit, erase, execution, keep, log, queue};
use crate::store::{
    ClockReading, CommitError, DueWake, ExecutionRecord, ItemRecord, ListFilter, Many, RawEvent,
    Store, StoreError, Turn, WorkflowRecord,
};

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
        self.open_for(path.into(), Access::Write)
    }

    /// Opens the file for reading only. It must be there.
    ///
    /// # Errors
    ///
    /// The file is not there, cannot be used, is not ours, or is of another
    /// version.
    pub fn open_read_only(self, path: impl Into<PathBuf>) -> Result<SqliteStore, StoreError> {
        self.open_for(path.into(), Access::Read)
    }

    fn open_for(self, path: PathBuf, access: Access) -> Result<SqliteStore, StoreError> {
        let Self {
            durability,
            lock_wait,
        } = self;
        Ok(SqliteStore {
            database: Database::open(path, access, durability, lock_wait)?,
            records: Records::default(),
        })
    }
}

/// A store in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) database: Database,
    pub(super) records: Records,
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
        &self.database.path
    }

    /// The executions to whose logs something was appended after `seen`, with all that
    /// are set aside, and the place up to which that is. `None` in place of them if any
    /// may have changed, because nothing has been seen yet or the file is another one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn changed_since(
        &mut self,
        seen: SeenUpTo,
    ) -> Result<(Option<Vec<ExecutionId>>, SeenUpTo), StoreError> {
        self.database
            .ask(|connection| news::changed_since(connection, seen))
    }
}

impl Store for SqliteStore {
    fn place(&self) -> String {
        self.database.place()
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        let version = self.database.begin()?;
        self.records.are_of(version);
        Ok(())
    }

    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        let written = commit::write(&mut self.database, &mut self.records, turn);
        if written.is_err() {
            self.records.forget();
            self.rollback();
        }
        written
    }

    fn rollback(&mut self) {
        self.database.rollback();
    }

    fn purge(&mut self) -> Result<(), StoreError> {
        erase::purge(&mut self.database)
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.rollback();
        self.records.forget();
        self.database.reopen()
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        self.database.version()
    }

    fn watched_file(&self) -> Option<PathBuf> {
        Some(self.database.file.log().to_owned())
    }

    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError> {
        self.database
            .ask_of(id, |connection| execution::by_id(connection, id))
    }

    fn execution_by_key(
        &mut self,
        tenant: &str,
        key: &str,
    ) -> Result<Option<ExecutionId>, StoreError> {
        self.database
            .ask_one(|connection| execution::by_caller_key(connection, tenant, key))
    }

    fn list(&mut self, filter: &ListFilter) -> Result<Many<ExecutionRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| execution::list(connection, path, filter))
    }

    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        // Within a turn, the known records hold.
        let known = self.records.key(id).filter(|_| self.database.in_turn());
        self.database.ask_of(id, |connection| {
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
        let path = &self.database.path;
        self.database
            .ask_of(id, |connection| queue::of_execution(connection, path, id))
    }

    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        self.database
            .ask_of(id, |connection| queue::of_node(connection, id, node_id))
    }

    fn claimable(
        &mut self,
        simulated: bool,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| queue::claimable(connection, path, simulated, queue, now, max))
    }

    fn expired(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| queue::expired(connection, path, simulated, now, max))
    }

    fn lease_holders(&mut self, simulated: bool) -> Result<Many<String>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| queue::lease_holders(connection, path, simulated))
    }

    fn due(
        &mut self,
        simulated: bool,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError> {
        let path = &self.database.path;
        self.database
            .ask(|connection| execution::due(connection, path, simulated, now, after, max))
    }

    fn next_due(
        &mut self,
        simulated: bool,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.database.ask(|connection| {
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
        self.database
            .ask(|connection| clocks::last_at(connection, simulated))
    }

    fn last_reading(&mut self) -> Result<Option<ClockReading>, StoreError> {
        self.database.ask(clocks::last_reading)
    }

    fn workflow(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError> {
        self.database
            .ask_one(|connection| keep::workflow(connection, workflow_id, version))
    }

    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.database
            .ask_one(|connection| keep::component(connection, digest))
    }

    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError> {
        self.database
            .ask_of(id, |connection| keep::snapshot(connection, id))
    }
}
