//! A store that counts what it is asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use refrain::ExecutionId;
use refrain::store::{
    CommitError, ItemRecord, Many, Reader, Store, StoreError, StoredEvent, Timestamp, Turn,
};

/// How often each method of a store was called, and how many rows some of them answered.
/// Clones are the same count.
#[derive(Clone, Debug, Default)]
pub struct Count {
    calls: Arc<Mutex<BTreeMap<&'static str, u64>>>,
    rows: Arc<AtomicU64>,
}

impl Count {
    /// The calls since this was last asked.
    #[must_use]
    pub fn take(&self) -> BTreeMap<&'static str, u64> {
        self.with(std::mem::take)
    }

    /// The events and work items that were answered since this was last asked, one by one.
    #[must_use]
    pub fn take_rows(&self) -> u64 {
        self.rows.swap(0, Ordering::Relaxed)
    }

    fn answered(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    fn with<T>(&self, count: impl FnOnce(&mut BTreeMap<&'static str, u64>) -> T) -> T {
        count(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A store whose calls are counted.
pub struct CountingStore<S> {
    inner: S,
    count: Count,
}

impl<S: Store> CountingStore<S> {
    /// `inner`, counted here.
    pub fn new(inner: S, count: &Count) -> Self {
        Self {
            inner,
            count: count.clone(),
        }
    }

    /// Errs never: this is what happens before a call, and nothing forbids it.
    fn called(&mut self, method: &'static str) -> Result<(), StoreError> {
        self.count
            .with(|calls| *calls.entry(method).or_default() += 1);
        Ok(())
    }
}

impl<S: Store> Store for CountingStore<S> {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        self.called("commit").map_err(CommitError::Failed)?;
        self.inner.commit(turn)
    }

    refrain::delegate_store!(inner: rollback, watched_file);
    refrain::delegate_store!(inner after called: begin, purge, reopen, version);
}

impl<S: Store> Reader for CountingStore<S> {
    fn events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.called("events")?;
        let events = self.inner.events(id, first, max)?;
        self.count.answered(events.len());
        Ok(events)
    }

    fn items(&mut self, id: ExecutionId) -> Result<Many<ItemRecord>, StoreError> {
        self.called("items")?;
        let items = self.inner.items(id)?;
        self.count.answered(items.found.len());
        Ok(items)
    }

    fn claimable(
        &mut self,
        tenant: &str,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        self.called("claimable")?;
        let items = self.inner.claimable(tenant, queue, now, max)?;
        self.count.answered(items.found.len());
        Ok(items)
    }

    // What further readers are asked is not counted: it costs the owner nothing.
    refrain::delegate_store!(inner: place, is_simulated, reader, end_reading);
    refrain::delegate_store!(inner after called: begin_reading);
    refrain::delegate_store!(inner after called: execution, list, labels, output, last_begun, changed_since, raw_events, item);
    refrain::delegate_store!(inner after called: expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner after called: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}
