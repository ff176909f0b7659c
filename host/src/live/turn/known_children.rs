//! What an engine, and a turn, know of children.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::id::ExecutionId;
use crate::model::{Digest, Limits};
use crate::store::{ChildChange, ChildRecord, Head, Turn};

/// What an engine knows of the children in its store.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownChildren {
    /// The store's version that this is of. `None` if it is to be asked anew.
    pub(super) version: Option<u64>,
    /// Whether there may be any.
    pub(super) any: bool,
    /// Whether something may be owed.
    pub(super) owed: bool,
    /// Whether rows of what is owed may be others' than this engine has written, and were not
    /// held against the logs yet.
    pub(super) unproven: bool,
    /// How many descendants roots have, as far as that was counted.
    pub(super) descendants: BTreeMap<ExecutionId, u64>,
    /// The parent whose log was read last for whom it waits for.
    pub(super) awaited: Option<AwaitedOf>,
    /// Executions whose rows were found to be what their logs say, when the engine took them
    /// up.
    pub(super) sound: BTreeSet<ExecutionId>,
}

/// The children that an execution waits for.
#[derive(Clone, Debug)]
pub(crate) struct AwaitedOf {
    pub(super) parent: ExecutionId,
    /// The end of its log.
    pub(super) head: Head,
    pub(super) children: BTreeSet<ExecutionId>,
}

/// Roots whose descendants are counted beyond a turn.
const ROOTS_MAX: usize = 1_024;

impl KnownChildren {
    /// What is known of them may be wrong: a turn was not written, or the engine works on
    /// executions whose children it has not looked for.
    pub(in crate::live) fn forget(&mut self) {
        self.version = None;
        self.descendants.clear();
    }

    /// A turn is going to be written that leaves so many descendants. If it is not, this is
    /// forgotten.
    pub(in crate::live) fn count(&mut self, descendants: &BTreeMap<ExecutionId, u64>) {
        if self.descendants.len() + descendants.len() > ROOTS_MAX {
            self.descendants.clear();
        }
        let roots = descendants.iter().take(ROOTS_MAX);
        self.descendants
            .extend(roots.map(|(root, count)| (*root, *count)));
    }

    /// A turn was written.
    pub(in crate::live) fn written(&mut self, turn: &Turn) {
        self.any |= !turn.children.is_empty();
    }
}

/// The children of a turn.
#[derive(Debug, Default)]
pub(in crate::live) struct ChildRows {
    /// What the turn makes of them. `None`: there is none any more.
    pub(super) changed: BTreeMap<ExecutionId, Option<ChildRecord>>,
    /// Those of which something is owed, in the order in which it came to be.
    pub(super) owed: VecDeque<ExecutionId>,
    /// Whether what was stored as owed is among them, as far as one turn reads it.
    pub(super) is_loaded: bool,
    /// Whether what was stored as owed is to be held against the logs.
    pub(super) is_unproven: bool,
    /// Whether something that is owed is left to a later turn.
    pub(super) is_left: bool,
    /// How many descendants roots have, as far as the turn asked for them.
    pub(super) descendants: BTreeMap<ExecutionId, u64>,
    /// What children take over from their parents, as far as the turn has read it.
    pub(super) inherited: BTreeMap<ExecutionId, Inherited>,
}

/// What an execution's event 1 says that its children take over.
#[derive(Clone, Copy, Debug)]
pub(in crate::live) struct Inherited {
    /// How far below its root the execution itself is.
    pub(super) depth: u32,
    pub(super) limits: Limits,
    pub(super) simulated: bool,
    pub(super) guest_digest: Digest,
}

impl ChildRows {
    /// As a store is told.
    pub(in crate::live) fn into_changes(self) -> Vec<ChildChange> {
        let changes = self.changed.into_iter();
        let change = |(id, record): (_, Option<ChildRecord>)| {
            record.map_or(ChildChange::Drop(id), ChildChange::Keep)
        };
        changes.map(change).collect()
    }

    /// What is owed next.
    pub(super) fn next_owed(&mut self) -> Option<ExecutionId> {
        self.owed.pop_front()
    }
}
