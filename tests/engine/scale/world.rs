//! An engine that is stepped by hand, over a store that counts.

use anyhow::{Context, Result, ensure};
use refrain::model::{Limits, Status};
use refrain::store::{ListFilter, MemoryStore};
use refrain::{Builder, Engine, Execution, ManualClock, Next, Start, Steps, Workflow};
use refrain_tests::counting_store::{Count, CountingStore};
use serde_json::{Value, json};

/// The engine, and what was started there.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) steps: Steps,
    count: Count,
    started: Vec<Execution>,
}

/// What it took to bring all that was started to its end.
#[derive(Debug)]
pub(super) struct Work {
    /// Events and work items that the store answered.
    pub(super) rows: u32,
    /// Questions to the store, of all kinds, and commits.
    pub(super) questions: u32,
    /// Calls of the scheduler.
    pub(super) calls: u32,
}

impl World {
    /// With room for so much work at once in each execution.
    pub(super) fn new(width: u32, like: impl FnOnce(Builder) -> Builder) -> Result<Self> {
        let count = Count::default();
        let limits = Limits {
            max_concurrent_nodes: width,
            max_dispatch_per_tick: width,
        };
        let builder = Engine::builder()
            .store(CountingStore::new(MemoryStore::new(), &count))
            .clock(ManualClock::new(1_767_225_600_000))
            .limits(limits)
            .seed(1);
        let (engine, steps) = like(builder).stepped()?;
        Ok(Self {
            engine,
            steps,
            count,
            started: Vec::new(),
        })
    }

    pub(super) fn register(&mut self, workflow: &Value) -> Result<()> {
        let workflow = Workflow::from_json(workflow.to_string())?;
        let registered = self.steps.until(self.engine.register(workflow));
        registered.context("it takes no answer")??;
        Ok(())
    }

    pub(super) fn start(&mut self, workflow: &str, input: Value) -> Result<()> {
        let start = Start::new(workflow, "1.0.0", input);
        let started = self.steps.until(self.engine.start_with(start));
        self.started.push(started.context("it takes no answer")??);
        Ok(())
    }

    /// Workers come, as many as an engine claims for in one turn, and all goes on to its end.
    pub(super) fn until_all_have_ended(&mut self) -> Result<Work> {
        self.engine
            .work_with_slots("tool", 1_024, |_| async { Ok(json!({})) });
        while self.steps.step() == Next::Now {}
        let questions: u64 = self.count.take().into_values().sum();
        let work = Work {
            rows: u32::try_from(self.count.take_rows())?,
            questions: u32::try_from(questions)?,
            calls: u32::try_from(self.steps.guest_calls())?,
        };
        for execution in &self.started {
            let record = self.steps.until(execution.record());
            let status = record.context("it takes no answer")??.status;
            ensure!(status == Status::Completed, "{status:?}");
        }
        Ok(work)
    }

    /// The number of events in the logs of all executions, the shortest first.
    pub(super) fn log_lengths(&mut self) -> Result<Vec<u64>> {
        let listed = self.steps.until(self.engine.list(ListFilter::default()));
        let mut lengths: Vec<_> = listed
            .context("it takes no answer")??
            .found
            .iter()
            .map(|record| record.head.sequence)
            .collect();
        lengths.sort_unstable();
        Ok(lengths)
    }
}
