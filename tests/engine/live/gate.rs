//! A store that keeps commits waiting, or those who read its logs.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use refrain::store::{CommitError, RawEvent, Reader, Store, StoreError, Turn};
use refrain::{Builder, Engine, ExecutionId};
use refrain_tests::engines::Place;

/// How long anything here may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What stands in the way of a store's owner and readers. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Gate {
    /// Where commits wait.
    pub(super) commits: Latch,
    /// Where further readers wait that ask for a page of a log.
    pub(super) pages: Latch,
    read: Arc<AtomicU64>,
}

impl Gate {
    /// The pages of logs that further readers were asked for.
    pub(super) fn pages_read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }
}

/// Who comes here waits while it is shut. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Latch(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    is_shut: bool,
    waiting: usize,
}

impl Latch {
    pub(super) fn shut(&self) {
        self.state().is_shut = true;
    }

    /// Shut until it is opened, and no longer than this lives: a test that fails must not
    /// wait for those who wait here.
    #[must_use]
    pub(super) fn shut_meanwhile(&self) -> OpenAtEnd {
        self.shut();
        OpenAtEnd(self.clone())
    }

    pub(super) fn open(&self) {
        self.state().is_shut = false;
        self.0.opened.notify_all();
    }

    /// Waits until so many wait here.
    pub(super) async fn until_waiting(&self, count: usize) {
        while self.state().waiting < count {
            tokio::task::yield_now().await;
        }
    }

    /// How many wait here.
    pub(super) fn waiting(&self) -> usize {
        self.state().waiting
    }

    fn pass(&self) {
        let mut state = self.state();
        state.waiting += 1;
        let waited = self.0.opened.wait_while(state, |state| state.is_shut);
        waited.unwrap_or_else(PoisonError::into_inner).waiting -= 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a latch in the end.
pub(super) struct OpenAtEnd(Latch);

impl Drop for OpenAtEnd {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A store behind a gate.
struct Gated<S: ?Sized> {
    gate: Gate,
    inner: Box<S>,
}

impl Store for Gated<dyn Store> {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        self.gate.commits.pass();
        self.inner.commit(turn)
    }

    refrain::delegate_store!(inner: begin, rollback, purge, reopen, version, watched_file);
}

impl Reader for Gated<dyn Store> {
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let (gate, inner) = (self.gate.clone(), self.inner.reader()?);
        Ok(Box::new(Gated { gate, inner }))
    }

    refrain::delegate_store!(inner: place, is_simulated, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
    refrain::delegate_store!(inner: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}

impl Reader for Gated<dyn Reader> {
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let (gate, inner) = (self.gate.clone(), self.inner.reader()?);
        Ok(Box::new(Gated { gate, inner }))
    }

    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        self.gate.read.fetch_add(1, Ordering::SeqCst);
        self.gate.pages.pass();
        self.inner.raw_events(id, first, max)
    }

    refrain::delegate_store!(inner: place, is_simulated, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, items, item);
    refrain::delegate_store!(inner: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}

/// An engine on a store behind a gate. So many callers may wait for it.
pub(super) async fn gated(place: &Place, callers_max: usize) -> (Engine, Gate) {
    gated_like(place, |builder| {
        builder.callers_max(NonZeroUsize::new(callers_max).expect("some"))
    })
    .await
}

/// An engine on a store behind a gate, built like this.
pub(super) async fn gated_like(
    place: &Place,
    like: impl FnOnce(Builder) -> Builder,
) -> (Engine, Gate) {
    let gate = Gate::default();
    let store = Gated {
        gate: gate.clone(),
        inner: place.store(),
    };
    let builder = like(Engine::builder().store(store));
    (builder.start().await.expect("the engine starts"), gate)
}
