//! What an engine knows of stored executions from the turns before, so that no
//! turn reads what the engine itself has just written.
//!
//! It is never more than a copy: it holds for as long as nobody else has
//! committed, and is thrown away whenever a turn was not written as a whole.
//! It has a bound, so that executions which wait for long cost nothing here.

use std::collections::BTreeSet;

use hashlink::LinkedHashMap;

use crate::id::ExecutionId;
use crate::limits::{BUSY_EXECUTIONS_CACHED_MAX, IDLE_EXECUTIONS_CACHED_MAX};
use crate::store::Timestamp;

use crate::live::execution::cached::{Activity, CachedExecution};

/// Stored executions that are known.
#[derive(Debug, Default)]
pub(crate) struct ExecutionCache {
    /// Those with work under way.
    busy: LruShelf,
    /// Those without.
    idle: LruShelf,
    /// Some were read outside of a turn or beside it, so that one which a turn
    /// has taken out may stand here still.
    beside: bool,
    /// The version of the store that they are of.
    version: Option<u64>,
    pub(crate) nothing_due: NothingDue,
}

/// What a turn need not ask the store, because it is known that nothing has
/// come of it.
#[derive(Debug, Default)]
pub(crate) struct NothingDue {
    /// The engine's time is that of the store.
    times: bool,
    /// Until then no wake and no lease's end is due.
    until: Option<Timestamp>,
    /// Queues on which, until then, no stored item waits for a worker.
    queues: BTreeSet<String>,
}

/// Executions in the order of their last use, and how much they are.
#[derive(Debug, Default)]
struct LruShelf {
    executions: LinkedHashMap<ExecutionId, CachedExecution>,
    weight: usize,
}

impl LruShelf {
    fn take(&mut self, id: ExecutionId) -> Option<CachedExecution> {
        let known = self.executions.remove(&id)?;
        self.weight -= known.weight();
        Some(known)
    }

    /// Keep it, in the place of those used longest ago if there are too many.
    fn keep(&mut self, known: CachedExecution, weight_max: usize) {
        self.weight += known.weight();
        let former = self.executions.insert(known.record.id, known);
        self.weight -= former.map_or(0, |former| former.weight());
        while self.weight > weight_max
            && let Some((_, oldest)) = self.executions.pop_front()
        {
            self.weight -= oldest.weight();
        }
    }
}

impl ExecutionCache {
    /// The store is of this version: what is known of another is forgotten.
    pub(crate) fn as_of(&mut self, version: u64) {
        if self.version != Some(version) {
            self.forget_all();
            self.version = Some(version);
        }
    }

    /// What is known of an execution, if anything.
    pub(crate) fn peek(&self, id: ExecutionId) -> Option<&CachedExecution> {
        let busy = self.busy.executions.get(&id);
        busy.or_else(|| self.idle.executions.get(&id))
    }

    /// Take out what is known of an execution, into a turn.
    pub(crate) fn take(&mut self, id: ExecutionId) -> Option<CachedExecution> {
        self.busy.take(id).or_else(|| self.idle.take(id))
    }

    /// It was read, and is stored so.
    pub(crate) fn keep_read(&mut self, known: CachedExecution) {
        self.keep(known);
        self.beside = true;
    }

    /// This is how the execution is stored now.
    pub(crate) fn keep(&mut self, known: CachedExecution) {
        if self.beside {
            self.take(known.record.id);
        }
        match known.activity() {
            Activity::Busy => self.busy.keep(known, BUSY_EXECUTIONS_CACHED_MAX),
            Activity::Idle => self.idle.keep(known, IDLE_EXECUTIONS_CACHED_MAX),
            // Nothing comes after an end.
            Activity::Ended => {}
        }
    }

    /// Nothing is known any longer.
    pub(crate) fn forget_all(&mut self) {
        self.beside = false;
        self.busy = LruShelf::default();
        self.idle = LruShelf::default();
        self.nothing_due = NothingDue::default();
    }
}

impl NothingDue {
    /// Whether the engine's time is that of the store.
    pub(crate) fn knows_times(&self) -> bool {
        self.times
    }

    /// The engine's time is that of the store.
    pub(crate) fn times_known(&mut self) {
        self.times = true;
    }

    /// Something was written: what is due may be another from here on.
    pub(crate) fn invalidate(&mut self) {
        self.until = None;
        self.queues.clear();
    }

    /// Nothing is due before this time, which is none when nothing ever is.
    pub(crate) fn nothing_until(&mut self, due_at: Option<Timestamp>) {
        self.until = Some(due_at.unwrap_or(Timestamp::MAX));
    }

    /// Whether a wake or a lease's end may be due at `now`.
    pub(crate) fn may_be_due(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// Whether stored items of this queue may wait for a worker at `now`.
    pub(crate) fn may_wait(&self, queue: &str, now: Timestamp) -> bool {
        self.may_be_due(now) || !self.queues.contains(queue)
    }

    /// On these queues everything was claimed, and workers are free.
    pub(crate) fn drained(&mut self, queues: BTreeSet<String>) {
        self.queues = queues;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::execution::items::StoredItems;
    use crate::model::Status;
    use crate::store::{ExecutionRecord, Head, ended};

    fn known(id: ExecutionId) -> CachedExecution {
        CachedExecution {
            record: ExecutionRecord {
                id,
                workflow_id: String::new(),
                workflow_version: String::new(),
                guest_digest: String::new(),
                tenant: String::new(),
                key: None,
                simulated: false,
                status: Status::Running,
                head: Head::default(),
                started_at: 0,
                last_at: 0,
                next_wake: None,
                tampering: None,
            },
            items: StoredItems::new(),
            held: false,
        }
    }

    #[test]
    fn another_version_is_not_known() {
        let id = ExecutionId::random();
        let mut all = ExecutionCache::default();
        all.as_of(1);
        all.keep(known(id));
        all.as_of(1);
        assert!(all.take(id).is_some());
        all.keep(known(id));
        all.as_of(2);
        assert!(all.take(id).is_none());
    }

    #[test]
    fn what_was_read_meanwhile_gives_way_to_what_a_turn_leaves() {
        let id = ExecutionId::random();
        let mut all = ExecutionCache::default();
        for status in [Status::Completed, Status::Paused] {
            all.keep_read(known(id));
            let mut left = known(id);
            left.record.status = status;
            all.keep(left);
            let now = all.take(id).map(|known| known.record.status);
            assert_eq!(now, Some(status).filter(|status| !ended(*status)));
            assert!(all.take(id).is_none());
        }
    }

    #[test]
    fn what_was_used_longest_ago_is_forgotten_first() {
        let ids: Vec<_> = (0..=IDLE_EXECUTIONS_CACHED_MAX)
            .map(|_| ExecutionId::random())
            .collect();
        let mut all = ExecutionCache::default();
        for id in &ids {
            all.keep(known(*id));
        }
        assert!(all.take(ids[0]).is_none());
        assert!(all.take(ids[1]).is_some());
        assert_eq!(all.idle.weight, IDLE_EXECUTIONS_CACHED_MAX - 1);
    }
}
