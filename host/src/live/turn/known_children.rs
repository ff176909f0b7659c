//! What an engine, and a turn, know of children.

use std::collections::{BTreeMap, VecDeque};

use crate::id::ExecutionId;
use crate::store::{ChildChange, ChildRecord, Turn};

/// What an engine knows of the children in its store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KnownChildren {
    /// The store's version that this is of. `None` if it is to be asked anew.
    pub(super) version: Option<u64>,
    /// Whether there may be any.
    pub(super) any: bool,
    /// Whether something may be owed.
    pub(super) owed: bool,
}

impl KnownChildren {
    /// What is known of them may be wrong: a turn was not written, or the engine works on
    /// executions whose children it has not looked for.
    pub(in crate::live) fn forget(&mut self) {
        self.version = None;
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
    /// Whether what is stored as owed is among them.
    pub(super) is_loaded: bool,
    /// Whether something that is owed is left to a later turn.
    pub(super) is_left: bool,
    /// How many descendants roots have, as far as the turn has counted them.
    pub(super) descendants: BTreeMap<ExecutionId, u64>,
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
