//! Where what comes of an attempt goes, and whose worker a thread runs.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::WorkError;
use crate::live::values::work::{Answer, ClaimId};
use crate::store::OutputPiece;

/// Takes what comes of attempts. Workers know no more than this of the engine
/// that they work for.
pub(crate) trait Deliver: Send + Sync {
    /// An attempt has come to this. What its program said last is kept with the answer.
    fn deliver(&self, claim: ClaimId, outcome: Result<Answer, WorkError>, said: Arc<[OutputPiece]>);

    /// An attempt's program has said this. It runs on, or was stopped.
    fn said(&self, claim: ClaimId, pieces: Arc<[OutputPiece]>);

    /// An attempt was dropped before it came to anything. The engine knows
    /// whether it has stopped the attempt itself.
    fn dropped(&self, claim: ClaimId);
}

/// Marks the parts of an engine's own workers, so that what they call can tell
/// that it would wait for itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Within {
    /// A number that no other engine of this process has.
    engine: u64,
}

thread_local! {
    /// The engine of which this thread runs a worker right now; 0: of none.
    static WITHIN: Cell<u64> = const { Cell::new(0) };
}

impl Within {
    /// Of an engine that is yet to be.
    pub(crate) fn new() -> Self {
        static ENGINES: AtomicU64 = AtomicU64::new(1);
        Self {
            engine: ENGINES.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Run a part of one of the engine's own workers.
    pub(crate) fn run<T>(self, part: impl FnOnce() -> T) -> T {
        let before = WITHIN.replace(self.engine);
        let result = part();
        WITHIN.set(before);
        result
    }

    /// Whether one of the engine's own workers asks this.
    pub(crate) fn is_asked_by_worker(self) -> bool {
        WITHIN.get() == self.engine
    }
}
