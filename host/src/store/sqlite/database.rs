//! One connection to a database file, the transaction that is open on it, and the
//! errors of both, named.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::id::ExecutionId;
use crate::store::StoreError;
use crate::store::sqlite::durability::{Access, Opening};
use crate::store::sqlite::failure;
use crate::store::sqlite::file::DatabaseFile;
use crate::store::sqlite::lock::begin_immediate;
use crate::store::sqlite::open::{Connected, connect};

/// A connection to a database file.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) path: PathBuf,
    opening: Opening,
    /// Whether it keeps simulated executions.
    pub(super) simulated: bool,
    pub(super) connection: Connection,
    pub(super) file: DatabaseFile,
    /// How many connections there were before this one.
    reopened: u64,
    /// Whether the transaction that is open is a look.
    is_looking: bool,
    /// Nothing was asked since a commit, which looks whether the file is in its
    /// place.
    pub(super) has_just_committed: bool,
}

impl Database {
    pub(super) fn open(path: PathBuf, opening: Opening) -> Result<Self, StoreError> {
        let Connected {
            connection,
            file,
            simulated,
        } = connect(&path, opening)?;
        Ok(Self {
            path,
            opening,
            simulated,
            connection,
            file,
            reopened: 0,
            is_looking: false,
            has_just_committed: false,
        })
    }

    /// The file, for error messages.
    pub(super) fn place(&self) -> String {
        self.path.display().to_string()
    }

    /// A further connection to the same file, which only reads.
    pub(super) fn for_reading(&self) -> Result<Self, StoreError> {
        // The process may work in another folder by now.
        let path = self.file.path().to_owned();
        let opening = Opening {
            access: Access::Read,
            ..self.opening
        };
        let further = Self::open(path, opening)?;
        if !self.file.is_same(&further.file) {
            return Err(self.file.gone("another file stands in its place"));
        }
        Ok(Self {
            path: self.path.clone(),
            ..further
        })
    }

    /// Makes a new connection, to the same file.
    pub(super) fn reopen(&mut self) -> Result<(), StoreError> {
        let again = connect(&self.path, self.opening)?;
        if !self.file.is_same(&again.file) {
            return Err(self.file.gone("another file stands in its place"));
        }
        (self.connection, self.file) = (again.connection, again.file);
        self.reopened += 1;
        self.is_looking = false;
        self.has_just_committed = false;
        Ok(())
    }

    /// A number that changes whenever another connection has committed, or this
    /// one is another.
    pub(super) fn version(&mut self) -> Result<u64, StoreError> {
        // A commit looks for the file itself, so a turn that is about to end in one
        // and the question right after it need not: each look costs microseconds of
        // a step.
        if !std::mem::take(&mut self.has_just_committed) && !self.in_turn() {
            self.file.check()?;
        }
        let version = self.ask(data_version)?;
        // SQLite's number changes within one connection only.
        Ok(self.reopened << 32 | u64::from(version))
    }

    /// Whether a transaction is open that can be committed.
    pub(super) fn in_turn(&self) -> bool {
        !self.is_looking && !self.connection.is_autocommit()
    }

    /// Begins a look. SQLite's read transaction begins with the first question.
    pub(super) fn begin_reading(&mut self) -> Result<(), StoreError> {
        if self.is_looking || self.in_turn() {
            return Err(self.contradiction("a look was begun within a look or a turn"));
        }
        self.file.check()?;
        self.execute("BEGIN")
            .map_err(|error| failure::whole_error(&self.path, &error))?;
        self.is_looking = true;
        Ok(())
    }

    /// Ends the look, if there is one.
    pub(super) fn end_reading(&mut self) {
        if std::mem::take(&mut self.is_looking) {
            self.give_up_transaction();
        }
    }

    /// Begins a transaction, and says which version of the data it sees.
    pub(super) fn begin(&mut self) -> Result<u32, StoreError> {
        if self.opening.access == Access::Read {
            return Err(StoreError::ReadOnly {
                place: self.place(),
                detail: "it was opened for reading only".to_owned(),
            });
        }
        if self.is_looking || self.in_turn() {
            return Err(self.contradiction("a turn was begun within a turn or a look"));
        }
        let begun = begin_immediate(&self.connection, self.opening.lock_wait)
            .and_then(|()| data_version(&self.connection));
        begun.map_err(|error| {
            self.rollback();
            failure::whole_error(&self.path, &error)
        })
    }

    /// Gives the turn up, if one is open.
    pub(super) fn rollback(&mut self) {
        if self.in_turn() {
            self.give_up_transaction();
        }
    }

    fn give_up_transaction(&mut self) {
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            // SQLite has rolled back by itself, or will on the next opening:
            // without a COMMIT nothing of it counts. Why there was anything to
            // roll back is reported by the caller that wanted it written.
            tracing::debug!(refrain.store = %self.path.display(), %error, "a turn could not be rolled back");
        }
    }

    pub(super) fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    pub(super) fn contradiction(&self, detail: &str) -> StoreError {
        StoreError::Contradiction {
            place: self.place(),
            detail: detail.to_owned(),
        }
    }

    /// The error of a statement about one execution, which is named.
    pub(super) fn error_of(&self, id: ExecutionId, error: &rusqlite::Error) -> StoreError {
        match failure::store_error(&self.path, error) {
            StoreError::Corrupt { place, detail } => StoreError::Corrupt {
                place: format!("{place}, {id}"),
                detail,
            },
            other => other,
        }
    }

    /// Asks the database about one execution, which an error names.
    pub(super) fn ask_of<T>(
        &self,
        id: ExecutionId,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        question(&self.connection).map_err(|error| self.error_of(id, &error))
    }

    /// Asks the database about one row that belongs to no single execution.
    pub(super) fn ask_one<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        question(&self.connection).map_err(|error| failure::store_error(&self.path, &error))
    }

    /// Asks the database about many executions, or about the whole store.
    pub(super) fn ask<T>(
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
