//! The store itself: a reader that owns the write side.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::id::ExecutionId;
use crate::store::sqlite::database::Database;
use crate::store::sqlite::durability::{Access, Durability, Opening};
use crate::store::sqlite::reader::SqliteReader;
use crate::store::sqlite::record_cache::RecordCache;
use crate::store::sqlite::{backup, commit, erase};
use crate::store::{CommitError, RawEvent, Reader, Store, StoreError, Turn};

/// How to open a database file.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    durability: Durability,
    lock_wait: Duration,
    simulated: bool,
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

    /// Whether a file that is created keeps simulated executions; those of real time,
    /// unless said otherwise. A file that is there stays what it is.
    #[must_use]
    pub fn simulated(mut self, simulated: bool) -> Self {
        self.simulated = simulated;
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
            simulated,
        } = self;
        let opening = Opening {
            access,
            durability,
            lock_wait,
            simulated,
        };
        let database = Database::open(path, opening)?;
        Ok(SqliteStore {
            reader: SqliteReader { database },
            records: RecordCache::default(),
        })
    }
}

/// A store in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) reader: SqliteReader,
    pub(super) records: RecordCache,
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
            simulated: false,
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
        &self.reader.database.path
    }
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<(), StoreError> {
        let version = self.reader.database.begin()?;
        self.records.are_of(version);
        Ok(())
    }

    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        let written = commit::write(&mut self.reader.database, &mut self.records, turn);
        if written.is_err() {
            self.records.forget();
            self.rollback();
        }
        written
    }

    fn rollback(&mut self) {
        self.reader.database.rollback();
    }

    fn purge(&mut self) -> Result<(), StoreError> {
        erase::purge(&mut self.reader.database)
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.rollback();
        self.records.forget();
        self.reader.database.reopen()
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        self.reader.database.version()
    }

    fn watched_file(&self) -> Option<PathBuf> {
        Some(self.reader.database.file.log().to_owned())
    }
}

impl Reader for SqliteStore {
    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        // Within a turn, the known records hold.
        let in_turn = self.reader.database.in_turn();
        let known = self.records.key(id).filter(|_| in_turn);
        self.reader.events_of(id, known, first, max)
    }

    crate::delegate_store!(reader: place, is_simulated, reader, begin_reading, end_reading);
    crate::delegate_store!(reader: execution, list, labels, output, last_begun, changed_since, items, item);
    crate::delegate_store!(reader: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    crate::delegate_store!(reader: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}
