//! What a turn need not ask the store, because the answer is known to be that
//! nothing has come of it: a negative cache.

use std::collections::BTreeSet;

use crate::store::Timestamp;

/// What is known to be not due. It holds until something is written.
#[derive(Debug, Default)]
pub(crate) struct NothingDue {
    /// The engine's time is that of the store.
    times: bool,
    /// No wake and no end of a lease is due before.
    until: Option<Timestamp>,
    /// Queues on which, until then, no stored item waits for a worker.
    queues: BTreeSet<String>,
}

impl NothingDue {
    /// Whether the engine's time is that of the store.
    pub(crate) fn knows_times(&self) -> bool {
        self.times
    }

    /// Notes that the engine's time is that of the store.
    pub(crate) fn times_known(&mut self) {
        self.times = true;
    }

    /// Forgets what was due: something was written, which may have changed it.
    pub(crate) fn invalidate(&mut self) {
        self.until = None;
        self.queues.clear();
    }

    /// Notes that nothing is due before this time. `None` if nothing ever is.
    pub(crate) fn nothing_until(&mut self, due_at: Option<Timestamp>) {
        self.until = Some(due_at.unwrap_or(Timestamp::MAX));
    }

    /// Whether a wake or the end of a lease may be due at `now`.
    pub(crate) fn may_be_due(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until <= now)
    }

    /// Whether stored items of this queue may wait for a worker at `now`.
    pub(crate) fn may_wait(&self, queue: &str, now: Timestamp) -> bool {
        self.may_be_due(now) || !self.queues.contains(queue)
    }

    /// Notes that on these queues everything was claimed, and workers are free.
    pub(crate) fn drained(&mut self, queues: BTreeSet<String>) {
        self.queues = queues;
    }
}
