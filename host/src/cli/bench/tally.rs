//! A store that counts its commits, and keeps what was written, so that a
//! database without an engine can be made to write the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use refrain::store::{CommitError, Reader, Store, Turn};

/// What was written so far. Clones are the same tally.
#[derive(Clone)]
pub(super) struct Tally(Arc<Counted>);

struct Counted {
    commits: AtomicU64,
    /// Nanoseconds that keeping the turns has taken.
    keeping_ns: AtomicU64,
    /// The turns, where they are kept.
    turns: Option<Mutex<Vec<Turn>>>,
}

impl Tally {
    /// Counts commits.
    pub(super) fn counting() -> Self {
        Self::new(None)
    }

    /// Counts commits, and keeps the turns.
    pub(super) fn keeping() -> Self {
        Self::new(Some(Mutex::default()))
    }

    fn new(turns: Option<Mutex<Vec<Turn>>>) -> Self {
        Self(Arc::new(Counted {
            commits: AtomicU64::new(0),
            keeping_ns: AtomicU64::new(0),
            turns,
        }))
    }

    /// This store, with what is written to it told here.
    pub(super) fn of<S: Store>(&self, inner: S) -> Tallied<S> {
        Tallied {
            inner,
            tally: self.clone(),
        }
    }

    /// How many commits there were.
    pub(super) fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Relaxed)
    }

    /// How long keeping the turns has taken. It is the benchmark's own work on
    /// the engine's thread, and no time of the engine's.
    pub(super) fn spent_on_keeping(&self) -> Duration {
        Duration::from_nanos(self.0.keeping_ns.load(Ordering::Relaxed))
    }

    /// The turns since this was last asked, in their order.
    pub(super) fn take(&self) -> Vec<Turn> {
        let turns = self.0.turns.as_ref();
        turns.map_or_else(Vec::new, |turns| {
            std::mem::take(&mut turns.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }

    fn committed(&self, turn: &Turn) {
        self.0.commits.fetch_add(1, Ordering::Relaxed);
        let Some(turns) = &self.0.turns else {
            return;
        };
        let begun = Instant::now();
        let mut turns = turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.push(turn.clone());
        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.keeping_ns.fetch_add(took, Ordering::Relaxed);
    }
}

/// A store whose commits are tallied.
pub(super) struct Tallied<S> {
    inner: S,
    tally: Tally,
}

impl<S: Store> Store for Tallied<S> {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        self.inner.commit(turn)?;
        self.tally.committed(turn);
        Ok(())
    }

    refrain::delegate_store!(inner: begin, rollback, purge, reopen, version, watched_file);
}

impl<S: Store> Reader for Tallied<S> {
    refrain::delegate_store!(inner: place, is_simulated, reader, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, raw_events, events, items, item);
    refrain::delegate_store!(inner: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}
