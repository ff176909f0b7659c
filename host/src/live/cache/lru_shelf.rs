//! Cached executions in the order of their last use, up to a weight. What is in use does
//! not count: an execution that weighs more than that alone would have to be read anew in
//! each turn, and push out all others each time.

use std::sync::Arc;

use hashlink::LinkedHashMap;

use crate::id::ExecutionId;
use crate::live::execution::cached::CachedExecution;
use crate::store::Head;

/// Guests, which keep executions in memory of their own.
pub(crate) trait Forget {
    /// Makes the guest of this digest forget an execution.
    fn forget(&mut self, digest: &str, id: ExecutionId);
}

/// All that is cached of one execution.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// What is stored of it. `None` while a turn has it, and where only its guest
    /// knows the execution.
    pub(super) stored: Option<CachedExecution>,
    /// The epoch that `stored` is of.
    pub(super) epoch: u64,
    pub(super) guest: Option<GuestKnowledge>,
}

/// What a guest knows of an execution.
#[derive(Debug)]
pub(super) struct GuestKnowledge {
    /// The digest of the guest.
    pub(super) digest: Arc<str>,
    /// The head of the log, when the guest was asked last and that was committed.
    pub(super) up_to: Head,
}

/// Entries in the order of their last use, and their weight.
#[derive(Debug, Default)]
pub(super) struct LruShelf {
    entries: LinkedHashMap<ExecutionId, Entry>,
    weight: usize,
}

impl Entry {
    fn weight(&self) -> usize {
        self.stored.as_ref().map_or(1, CachedExecution::weight)
    }
}

impl LruShelf {
    pub(super) fn get(&self, id: ExecutionId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// To change what its guest knows, which weighs nothing.
    pub(super) fn get_mut(&mut self, id: ExecutionId) -> Option<&mut Entry> {
        self.entries.get_mut(&id)
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Answers the weight of what was pushed.
    pub(super) fn push(&mut self, id: ExecutionId, entry: Entry) -> usize {
        let weight = entry.weight();
        self.weight += weight;
        let former = self.entries.insert(id, entry);
        self.weight -= former.map_or(0, |former| former.weight());
        weight
    }

    pub(super) fn remove(&mut self, id: ExecutionId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.weight -= entry.weight();
        Some(entry)
    }

    /// Takes the copy out of the entry, if there is an entry, and says of which
    /// epoch the copy is.
    pub(super) fn lend(&mut self, id: ExecutionId) -> Option<(Option<CachedExecution>, u64)> {
        let entry = self.entries.get_mut(&id)?;
        self.weight -= entry.weight();
        let stored = entry.stored.take();
        self.weight += entry.weight();
        Some((stored, entry.epoch))
    }

    /// Drops the entries that were used longest ago, until the rest is within this
    /// bound. The last ones, which together weigh `in_use`, are kept besides.
    pub(super) fn trim(&mut self, weight_max: usize, in_use: usize, guests: &mut impl Forget) {
        let weight_max = weight_max.saturating_add(in_use);
        while self.weight > weight_max
            && let Some((id, oldest)) = self.entries.pop_front()
        {
            self.weight -= oldest.weight();
            if let Some(known) = oldest.guest {
                guests.forget(&known.digest, id);
            }
        }
    }
}
