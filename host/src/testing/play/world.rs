//! An engine on a memory store and a clock that is moved by hand.
//!
//! It has no thread and no runtime: nothing happens but in its steps, so that the same
//! calls give the same logs, to the byte.

use std::future::Future;
use std::time::Duration;

use crate::clock::{Clock, ManualClock};
use crate::error::EngineError;
use crate::guest::Library;
use crate::live::{Engine, Next, Steps, Workflow};
use crate::model::{Timestamp, WorkflowSummary};
use crate::store::MemoryStore;

/// What all that is drawn at random comes from.
const SEED: u64 = 1;

/// The name of simulated workers in the log.
pub(super) const WORKER: &str = "tester";

/// How long a claim holds whose worker dies.
pub(super) const LEASE: Duration = Duration::from_secs(10);

/// An engine, and its time.
pub(in crate::testing) struct World {
    pub(super) engine: Engine,
    steps: Steps,
    clock: ManualClock,
}

impl World {
    /// An engine in which nothing has happened, with a clock that shows this.
    pub(in crate::testing) fn new(library: &Library, now: Timestamp) -> Result<Self, EngineError> {
        let clock = ManualClock::new(now);
        let (engine, steps) = Engine::builder()
            .store(MemoryStore::new())
            .library(library.clone())
            .clock(clock.clone())
            .lease(LEASE)
            .worker_id(WORKER)
            .seed(SEED)
            .stepped()?;
        Ok(Self {
            engine,
            steps,
            clock,
        })
    }

    /// Registers a workflow.
    pub(in crate::testing) fn register(
        &mut self,
        workflow: &Workflow,
    ) -> Result<WorkflowSummary, EngineError> {
        let engine = self.engine.clone();
        self.until(engine.register(workflow.clone()))
    }

    /// Steps until this is answered.
    pub(super) fn until<T>(
        &mut self,
        call: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let unanswered = || EngineError::Died("a stepped engine did not answer".to_owned());
        self.steps.until(call).unwrap_or_else(|| Err(unanswered()))
    }

    /// Steps until there is nothing more to do now, and says what comes next.
    pub(super) fn drain(&mut self) -> Next {
        loop {
            match self.steps.step() {
                Next::Now => {}
                next => return next,
            }
        }
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass until then.
    pub(super) fn advance_to(&self, at: Timestamp) {
        let span_ms = at.saturating_sub(self.clock.now());
        self.clock.advance(Duration::from_millis(span_ms));
    }
}
