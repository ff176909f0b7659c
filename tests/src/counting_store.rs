//! A store that counts what it is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use refrain::store::{CommitError, Reader, Store, StoreError, Turn};

/// How often each method of a store was called. Clones are the same count.
#[derive(Clone, Debug, Default)]
pub struct Count(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Count {
    /// The calls since this was last asked.
    #[must_use]
    pub fn take(&self) -> BTreeMap<&'static str, u64> {
        self.with(std::mem::take)
    }

    fn with<T>(&self, count: impl FnOnce(&mut BTreeMap<&'static str, u64>) -> T) -> T {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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
    // What further readers are asked is not counted: it costs the owner nothing.
    refrain::delegate_store!(inner: place, is_simulated, reader, end_reading);
    refrain::delegate_store!(inner after called: begin_reading);
    refrain::delegate_store!(inner after called: execution, list, labels, output, last_begun, changed_since, raw_events, events, items, item);
    refrain::delegate_store!(inner after called: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner after called: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}
