//! The engine, and its time.

use std::future::Future;
use std::time::Duration;

use crate::clock::{Clock, ManualClock};
use crate::error::EngineError;
use crate::guest::Library;
use crate::live::{Builder, Engine, Next, Steps, Workflow};
use crate::model::{Timestamp, WorkflowSummary};
use crate::store::MemoryStore;

/// What all that is drawn at random comes from.
const SEED: u64 = 1;

/// The name of simulated workers in the log.
pub(crate) const WORKER: &str = "tester";

/// How long a claim holds, unless another span is said.
const LEASE: Duration = Duration::from_secs(10);

/// An engine, and its time.
pub(crate) struct World {
    pub(crate) engine: Engine,
    /// How long a claim holds.
    pub(super) lease: Duration,
    steps: Steps,
    clock: ManualClock,
}

impl World {
    /// An engine in which nothing has happened, with a clock that shows this.
    pub(crate) fn new(library: &Library, now: Timestamp) -> Result<Self, EngineError> {
        Self::of(Engine::builder().library(library.clone()), LEASE, now)
    }

    /// The same, with what was said of the engine already, and claims that hold for so long.
    pub(crate) fn of(
        builder: Builder,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Self, EngineError> {
        let clock = ManualClock::new(now);
        let (engine, steps) = builder
            .store(MemoryStore::new())
            .clock(clock.clone())
            .lease(lease)
            .worker_id(WORKER)
            .seed(SEED)
            .stepped()?;
        Ok(Self {
            engine,
            lease,
            steps,
            clock,
        })
    }

    /// Registers a workflow.
    pub(crate) fn register(&mut self, workflow: &Workflow) -> Result<WorkflowSummary, EngineError> {
        let engine = self.engine.clone();
        self.until(engine.register(workflow.clone()))
    }

    /// Steps until this is answered.
    pub(crate) fn until<T>(
        &mut self,
        call: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let unanswered = || EngineError::Died("a stepped engine did not answer".to_owned());
        self.steps.until(call).unwrap_or_else(|| Err(unanswered()))
    }

    /// Steps until there is nothing more to do now, and says what comes next.
    pub(crate) fn drain(&mut self) -> Next {
        loop {
            match self.steps.step() {
                Next::Now => {}
                next => return next,
            }
        }
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass until then.
    pub(crate) fn advance_to(&self, at: Timestamp) {
        let span_ms = at.saturating_sub(self.clock.now());
        self.clock.advance(Duration::from_millis(span_ms));
    }
}
