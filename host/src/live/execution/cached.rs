//! What a turn knows of a stored execution when it begins, and what it leaves.

use crate::store::{ExecutionChange, ExecutionRecord, ended};

use super::item_changes::{StoredItems, written};

/// How a turn left an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// With work that waits or is under way, or with a step to come in the next turn.
    Busy,
    /// Without.
    Idle,
    /// It has ended.
    Ended,
}

/// All that a turn needs to know of a stored execution.
#[derive(Debug)]
pub(crate) struct CachedExecution {
    pub(crate) record: ExecutionRecord,
    /// All its work items.
    pub(crate) items: StoredItems,
    /// Stalled by the host, because its guest failed.
    pub(crate) held: bool,
}

/// What a turn leaves of an execution, for when it is written.
#[derive(Debug)]
pub(crate) struct CacheUpdate {
    /// Its record; none: it stands in what the turn writes.
    pub(crate) record: Option<ExecutionRecord>,
    /// Its items before that.
    pub(crate) items: StoredItems,
    pub(crate) held: bool,
}

impl CacheUpdate {
    /// What is known once the turn is written, of whose changes these are left.
    pub(crate) fn known(
        self,
        changes: &mut impl Iterator<Item = ExecutionChange>,
    ) -> Option<CachedExecution> {
        let Self {
            record,
            mut items,
            held,
        } = self;
        let record = match record {
            Some(record) => record,
            None => {
                let change = changes.next()?;
                written(&mut items, change.items);
                change.record
            }
        };
        Some(CachedExecution {
            record,
            items,
            held,
        })
    }
}

impl CachedExecution {
    /// How it goes on.
    pub(crate) fn activity(&self) -> Activity {
        let mut items = self.items.values();
        // An execution that a budget cut off goes on in the next turn.
        let goes_on = self.record.is_owed_a_step() && !self.held;
        if ended(self.record.status) {
            Activity::Ended
        } else if goes_on || items.any(|item| item.is_unsettled()) {
            Activity::Busy
        } else {
            Activity::Idle
        }
    }

    /// It counts as one, and each of its items as one. An execution at work has an
    /// item, or will have one soon.
    pub(crate) fn weight(&self) -> usize {
        match self.activity() {
            Activity::Busy => 1 + self.items.len().max(1),
            Activity::Idle | Activity::Ended => 1 + self.items.len(),
        }
    }
}
