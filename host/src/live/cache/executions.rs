//! What an engine knows of executions from the turns before: what is stored of
//! each, and up to where its guest knows its log.
//!
//! There is one entry for each execution, with one bound and one eviction, so
//! that the two cannot disagree on what is cached.
//!
//! * **What is stored** is a copy, so that no turn reads what the engine itself
//!   has just written. It holds for as long as nobody else has committed, and no
//!   longer than until a turn is not written as a whole.
//! * **What the guest knows** stands in the guest's own memory. Whatever a guest
//!   knows has an entry here, from the turn in which it was asked until it is told
//!   to forget: otherwise nobody would compare it with the log ([`compare`]), and
//!   nobody would free it. The other way round does no harm: a guest that has
//!   forgotten reads the log anew.
//!
//! [`compare`]: ExecutionCache::compare

use std::collections::HashMap;
use std::sync::Arc;

use super::lru_shelf::{Entry, Forget, GuestKnowledge, LruShelf};
use super::nothing_due::NothingDue;
use crate::id::ExecutionId;
use crate::limits::{BUSY_EXECUTIONS_CACHED_MAX, IDLE_EXECUTIONS_CACHED_MAX};
use crate::live::execution::cached::{Activity, CachedExecution};
use crate::store::{ExecutionRecord, Head, Reader, StoreError};

/// The executions about which guests were asked, with the digests of the guests.
pub(crate) type Asked = HashMap<ExecutionId, Arc<str>>;

/// Cached executions.
#[derive(Debug, Default)]
pub(crate) struct ExecutionCache {
    /// Executions with work under way.
    busy: LruShelf,
    /// Executions without, which may wait for days.
    idle: LruShelf,
    /// Copies of an earlier epoch hold no longer.
    epoch: u64,
    /// The version of the store that the copies are of.
    version: Option<u64>,
    pub(crate) nothing_due: NothingDue,
}

impl ExecutionCache {
    /// The store is of this version: copies of another one hold no longer.
    pub(crate) fn as_of(&mut self, version: u64) {
        if self.version != Some(version) {
            self.forget_all();
            self.version = Some(version);
        }
    }

    /// What is stored of an execution, if that is known.
    pub(crate) fn peek(&self, id: ExecutionId) -> Option<&CachedExecution> {
        let entry = self.busy.get(id);
        let entry = entry.or_else(|| self.idle.get(id))?;
        let stored = entry.stored.as_ref();
        stored.filter(|_| entry.epoch == self.epoch)
    }

    /// Takes what is stored of an execution into a turn, if that is known.
    pub(crate) fn take(&mut self, id: ExecutionId) -> Option<CachedExecution> {
        let lent = self.busy.lend(id).or_else(|| self.idle.lend(id));
        let (stored, epoch) = lent?;
        stored.filter(|_| epoch == self.epoch)
    }

    /// Keeps what was read of an execution. Nothing is evicted for that before the
    /// next turn is written.
    pub(crate) fn keep_read(&mut self, stored: CachedExecution) {
        let activity = stored.activity();
        if activity != Activity::Ended {
            self.keep(stored, activity);
        }
    }

    /// Keeps what a written turn leaves, whatever that weighs: the turn had it in memory,
    /// and the next one needs it again. Guests forget what is not kept.
    pub(crate) fn written(
        &mut self,
        left: Vec<CachedExecution>,
        mut asked: Asked,
        guests: &mut impl Forget,
    ) {
        let mut in_use = InUse::default();
        for stored in left {
            let (id, head) = (stored.record.id, stored.record.head);
            if let Some(digest) = asked.remove(&id) {
                self.guest_knows(id, digest, head, guests);
            }
            match stored.activity() {
                // Nothing comes after an end.
                Activity::Ended => self.drop_entry(id, guests),
                activity => in_use.add(activity, self.keep(stored, activity)),
            }
        }
        // Executions that are not left, such as starts that were refused.
        for (id, digest) in asked {
            guests.forget(&digest, id);
        }
        self.trim(in_use, guests);
    }

    /// Keeps what a guest knows that was asked about a stored execution, by a question.
    pub(crate) fn looked_at(
        &mut self,
        id: ExecutionId,
        head: Head,
        activity: Activity,
        mut asked: Asked,
        guests: &mut impl Forget,
    ) {
        if let Some(digest) = asked.remove(&id) {
            self.guest_knows(id, digest, head, guests);
        }
        if activity == Activity::Ended {
            self.drop_entry(id, guests);
        }
        self.trim(InUse::default(), guests);
    }

    /// Whether a guest knows this execution.
    pub(crate) fn guest_knows_of(&self, id: ExecutionId) -> bool {
        let entry = self.busy.get(id).or_else(|| self.idle.get(id));
        entry.is_some_and(|entry| entry.guest.is_some())
    }

    /// The execution is about to be used: its guest forgets it, unless what the
    /// guest knows is a part of the log. Others may have written to that log, which
    /// is well, or to another log of the same name, which is not.
    pub(crate) fn compare(
        &mut self,
        record: &ExecutionRecord,
        guests: &mut impl Forget,
        store: &mut dyn Reader,
    ) -> Result<(), StoreError> {
        let id = record.id;
        let Some(known) = self.entry(id).and_then(|entry| entry.guest.as_ref()) else {
            return Ok(());
        };
        let head = known.up_to;
        if head == record.head && known.digest == record.guest_digest {
            return Ok(());
        }
        let same_past = known.digest == record.guest_digest
            && head.sequence < record.head.sequence
            && match store.events(id, head.sequence, 1) {
                Ok(events) => events.first().is_some_and(|stored| stored.head() == head),
                // What is damaged shows when the guest reads it anew.
                Err(StoreError::Corrupt { .. } | StoreError::Erased { .. }) => false,
                Err(error) => return Err(error),
            };
        if !same_past && let Some(known) = self.entry(id).and_then(|entry| entry.guest.take()) {
            guests.forget(&known.digest, id);
        }
        Ok(())
    }

    /// The copy of this execution holds no longer.
    pub(crate) fn forget(&mut self, id: ExecutionId) {
        drop(self.take(id));
    }

    /// All copies hold no longer. What guests know is compared with the log before
    /// it is used, and stays.
    pub(crate) fn forget_all(&mut self) {
        self.epoch += 1;
        self.nothing_due = NothingDue::default();
    }

    fn entry(&mut self, id: ExecutionId) -> Option<&mut Entry> {
        let entry = self.busy.get_mut(id);
        entry.or_else(|| self.idle.get_mut(id))
    }

    /// Answers the weight of what is kept.
    fn keep(&mut self, stored: CachedExecution, activity: Activity) -> usize {
        let id = stored.record.id;
        let entry = self.busy.remove(id).or_else(|| self.idle.remove(id));
        let entry = Entry {
            stored: Some(stored),
            epoch: self.epoch,
            guest: entry.and_then(|entry| entry.guest),
        };
        match activity {
            Activity::Busy => self.busy.push(id, entry),
            Activity::Idle | Activity::Ended => self.idle.push(id, entry),
        }
    }

    fn guest_knows(
        &mut self,
        id: ExecutionId,
        digest: Arc<str>,
        up_to: Head,
        guests: &mut impl Forget,
    ) {
        let knows = GuestKnowledge { digest, up_to };
        let Some(entry) = self.entry(id) else {
            let entry = Entry {
                guest: Some(knows),
                ..Entry::default()
            };
            self.idle.push(id, entry);
            return;
        };
        let digest = &knows.digest;
        if let Some(before) = entry.guest.take_if(|before| before.digest != *digest) {
            guests.forget(&before.digest, id);
        }
        entry.guest = Some(knows);
    }

    fn drop_entry(&mut self, id: ExecutionId, guests: &mut impl Forget) {
        let entry = self.busy.remove(id).or_else(|| self.idle.remove(id));
        if let Some(known) = entry.and_then(|entry| entry.guest) {
            guests.forget(&known.digest, id);
        }
    }

    fn trim(&mut self, in_use: InUse, guests: &mut impl Forget) {
        let InUse { busy, idle } = in_use;
        self.busy.trim(BUSY_EXECUTIONS_CACHED_MAX, busy, guests);
        self.idle.trim(IDLE_EXECUTIONS_CACHED_MAX, idle, guests);
    }
}

/// The weight of what the last turn left, which is kept in addition.
#[derive(Debug, Default)]
struct InUse {
    busy: usize,
    idle: usize,
}

impl InUse {
    fn add(&mut self, activity: Activity, weight: usize) {
        match activity {
            Activity::Busy => self.busy += weight,
            Activity::Idle | Activity::Ended => self.idle += weight,
        }
    }
}

#[cfg(test)]
mod tests;
