//! What a turn has read of the store's queues. The store does not change while the turn is
//! open, so that what was read once is not read again with each claim.

use std::collections::{BTreeMap, VecDeque};

use crate::store::ItemRecord;

/// By the name of the queue.
pub(in crate::live) type StoredQueues = BTreeMap<String, StoredQueue>;

/// What the turn knows of this queue. Its name is copied once in a turn, and not with each
/// claim.
pub(super) fn of_queue<'a>(queues: &'a mut StoredQueues, name: &str) -> &'a mut StoredQueue {
    if !queues.contains_key(name) {
        queues.insert(name.to_owned(), StoredQueue::default());
    }
    queues.get_mut(name).expect("it was just put there")
}

/// The first stored items of one queue that may be claimed, the most urgent first.
#[derive(Default)]
pub(in crate::live) struct StoredQueue {
    /// Those that the turn has not changed, as far as it is known.
    pub(super) items: VecDeque<ItemRecord>,
    /// How many the store was asked for.
    pub(super) asked: usize,
    /// Whether the store has no more of them.
    pub(super) is_all: bool,
}

impl StoredQueue {
    /// How many items the store is to be asked for next, where so many are wanted: twice as
    /// many as before.
    pub(super) fn next_page(&self, max: usize) -> usize {
        self.asked.saturating_mul(2).max(max)
    }
}
