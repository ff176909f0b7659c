//! A store in which somebody meddles before a turn is committed.

use refrain::ExecutionId;
use refrain::store::{CommitError, Reader, Store, Turn};

/// What happens before each commit, with the turn and the store that is to commit it. It
/// may give up the lock (`rollback`), have others write, and take it again (`begin`). After
/// an error the turn is not committed.
pub type Meddler = Box<dyn FnMut(&Turn, &mut dyn Store) -> Result<(), CommitError> + Send>;

/// A store whose commits are meddled with.
pub struct MeddledStore {
    inner: Box<dyn Store>,
    meddler: Meddler,
}

impl MeddledStore {
    /// `inner`, with this before each commit.
    #[must_use]
    pub fn new(inner: Box<dyn Store>, meddler: Meddler) -> Self {
        Self { inner, meddler }
    }
}

/// The executions that a turn writes.
#[must_use]
pub fn written(turn: &Turn) -> Vec<ExecutionId> {
    let changes = turn.executions.iter();
    changes.map(|change| change.record.id).collect()
}

/// The conflict of these executions.
#[must_use]
pub fn conflict(executions: Vec<ExecutionId>) -> CommitError {
    CommitError::Conflict {
        executions,
        detail: "it was made to conflict".to_owned(),
    }
}

impl Store for MeddledStore {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        if let Err(error) = (self.meddler)(turn, self.inner.as_mut()) {
            self.inner.rollback();
            return Err(error);
        }
        self.inner.commit(turn)
    }

    refrain::delegate_store!(inner: begin, rollback, purge, reopen, version, watched_file);
}

impl Reader for MeddledStore {
    refrain::delegate_store!(inner: place, is_simulated, reader, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, changed_since, raw_events, items, item);
    refrain::delegate_store!(inner: claimable, expired, claimed_by, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot);
}
