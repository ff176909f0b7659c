//! A store in which somebody meddles before a turn is committed.

use std::collections::BTreeSet;

use refrain::ExecutionId;
use refrain::model::EventKind;
use refrain::store::{ChildChange, ChildState, CommitError, Reader, Store, Turn};

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

/// An execution, and those that are linked with it in this turn (law 3): a fork that
/// begins in it, and its origin; a child that begins in it, is cancelled, or of whose end
/// its parent is told, and that parent.
#[must_use]
pub fn linked_with(turn: &Turn, execution: ExecutionId) -> BTreeSet<ExecutionId> {
    let begun = turn.executions.iter().filter_map(|change| {
        let EventKind::WorkflowStarted(started) = &change.events.first()?.event.kind else {
            return None;
        };
        let parent = started.parent.as_ref().map(|it| &it.execution_id);
        let origin = started.forked_from.as_ref().map(|it| &it.execution_id);
        Some((change.record.id, parent.or(origin)?.parse().ok()?))
    });
    let settled = turn.children.iter().filter_map(|change| match change {
        ChildChange::Keep(row) if row.state == ChildState::Settled => Some((row.child, row.parent)),
        _ => None,
    });
    let links: Vec<_> = begun.chain(settled).collect();
    let mut group = BTreeSet::from([execution]);
    // Over however many others: each time round finds one more, or all are found.
    for _ in 0..links.len() {
        for (one, other) in &links {
            if group.contains(one) || group.contains(other) {
                group.extend([*one, *other]);
            }
        }
    }
    group
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
    refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
    refrain::delegate_store!(inner: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}
