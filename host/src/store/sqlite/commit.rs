//! The commit of a turn, which works around damaged pages of the file.

use crate::store::check::{self, EventBytes};
use crate::store::sqlite::turn::{self, Refusal};
use crate::store::sqlite::{SqliteStore, failure};
use crate::store::{CommitError, Store, Turn};

impl SqliteStore {
    /// Writes a turn and commits it.
    ///
    /// SQLite writes nothing more in a transaction that has met a damaged page, be it
    /// only by reading. A turn that fails for that is therefore written once more in
    /// another transaction, upon the same state. That shows whose page it is, which is
    /// mostly that of an execution which the turn does not write.
    pub(super) fn write(&mut self, turn: &Turn) -> Result<(), CommitError> {
        if !self.in_turn() {
            return Err(CommitError::Failed(
                self.contradiction("a turn was committed that was never begun"),
            ));
        }
        let bytes = check::turn(turn, &self.place()).map_err(CommitError::Failed)?;
        let (mut with_snapshots, mut is_second) = (true, false);
        loop {
            let refusal = match self.try_write(turn, &bytes, with_snapshots) {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal,
            };
            match &refusal {
                // A snapshot is only a cache.
                Refusal::Snapshot(id, error) if refusal.is_of_a_page() => {
                    tracing::warn!(refrain.execution = %id, "no snapshot is kept, because its place in the file is damaged: {error}");
                    with_snapshots = false;
                }
                _ if refusal.is_of_a_page() && !is_second => is_second = true,
                _ => return Err(self.refused(refusal)),
            }
            self.begin_again()?;
        }
    }

    fn try_write(
        &mut self,
        turn: &Turn,
        bytes: &[EventBytes],
        with_snapshots: bool,
    ) -> Result<(), Refusal> {
        turn::write(
            &self.connection,
            &mut self.records,
            turn,
            bytes,
            with_snapshots,
        )?;
        // Callers are told of what is stored, so the file must still be in its place
        // (law 8).
        let failed = |error| Refusal::Failed(CommitError::Failed(error));
        self.file.check().map_err(failed)?;
        self.execute("COMMIT")
            .map_err(|error| Refusal::Failed(failure::commit_error(&self.path, &error)))
    }

    fn refused(&self, refusal: Refusal) -> CommitError {
        match refusal {
            Refusal::Conflict(detail) => CommitError::Conflict(detail),
            Refusal::Damaged(execution, error) | Refusal::Snapshot(execution, error) => {
                CommitError::Damaged {
                    execution,
                    error: self.error_of(execution, &error),
                }
            }
            Refusal::Sqlite(error) => CommitError::Failed(failure::store_error(&self.path, &error)),
            Refusal::Whole(error) => CommitError::Failed(failure::whole_error(&self.path, &error)),
            Refusal::Failed(error) => error,
        }
    }

    /// Begins the turn once more, upon the same state as before.
    fn begin_again(&mut self) -> Result<(), CommitError> {
        let version = self.records.version();
        self.records.forget();
        self.rollback();
        self.begin().map_err(CommitError::Failed)?;
        if self.records.version() == version {
            return Ok(());
        }
        let detail = "others have written while it was begun once more".to_owned();
        Err(CommitError::Conflict(detail))
    }
}
