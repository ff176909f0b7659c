//! The whole engine on a stage: stepped by hand, on a clock that is moved by
//! hand, with chance from a seed. The same scenario gives the same bytes.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result};
use refrain::guest::Library;
use refrain::replay::from_store;
use refrain::store::MemoryStore;
use refrain::{
    Answer, ClaimId, Engine, Execution, ExecutionId, Fork, Json, ManualClock, Next, Start, Steps,
    WorkError, Workflow,
};

use crate::engines::BEGIN;

/// An engine, and the one execution that it is about.
pub(crate) struct Stage {
    store: MemoryStore,
    clock: ManualClock,
    library: Library,
    seed: u64,
    tenant: String,
    simulated: bool,
    engine: Engine,
    steps: Steps,
    execution: ExecutionId,
    claims: BTreeMap<String, ClaimId>,
}

/// What is there before the curtain rises.
pub(crate) struct Props<'a> {
    /// The tenant that it happens for.
    pub(crate) tenant: &'a str,
    /// The guests, compiled once for all scenarios.
    pub(crate) library: &'a Library,
    /// Where chance comes from; each scenario has its own.
    pub(crate) seed: u64,
    /// The workflow's text.
    pub(crate) workflow: &'a str,
    /// How the execution is started.
    pub(crate) start: Start,
    /// Whether time is simulated.
    pub(crate) simulated: bool,
}

impl Stage {
    pub(crate) fn set(props: Props<'_>) -> Result<Self> {
        let Props {
            tenant,
            library,
            seed,
            workflow,
            start,
            simulated,
        } = props;
        let clock = ManualClock::new(BEGIN);
        let store = match simulated {
            true => MemoryStore::simulated(),
            false => MemoryStore::new(),
        };
        let (engine, mut steps) = engine(&store, &clock, library, seed, (tenant, simulated))?;
        let registered = steps.until(engine.register(Workflow::from_json(workflow)?));
        registered.context("the engine does not answer")??;
        let started = steps.until(engine.start_with(start));
        let execution = started.context("the engine does not answer")??.id();
        let mut stage = Self {
            store,
            clock,
            library: library.clone(),
            seed,
            tenant: tenant.to_owned(),
            simulated,
            engine,
            steps,
            execution,
            claims: BTreeMap::new(),
        };
        stage.settle();
        Ok(stage)
    }

    /// The engine's process is killed; a second later another one goes on.
    pub(crate) fn crash(&mut self) -> Result<()> {
        self.seed += 1;
        self.clock.advance(Duration::from_secs(1));
        (self.engine, self.steps) = engine(
            &self.store,
            &self.clock,
            &self.library,
            self.seed,
            (&self.tenant, self.simulated),
        )?;
        self.settle();
        Ok(())
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.settle();
    }

    /// The worker `worker` claims all that can be claimed of a queue.
    pub(crate) fn claim_as(&mut self, queue: &str, worker: &str) -> Result<()> {
        let engine = self.engine.clone();
        for claim in self.ask(engine.claim(queue, 100, worker))? {
            self.claims.insert(claim.item.node_id, claim.id);
        }
        Ok(())
    }

    pub(crate) fn claim(&mut self, queue: &str) -> Result<()> {
        self.claim_as(queue, "worker-1")
    }

    /// The worker of a node answers, 250 ms later.
    pub(crate) fn complete(&mut self, node: &str, answer: impl Into<Answer>) -> Result<()> {
        let (engine, claim) = self.answering(node)?;
        self.ask(engine.complete(claim, answer)).map(drop)
    }

    pub(crate) fn fail(&mut self, node: &str, error: WorkError) -> Result<()> {
        let (engine, claim) = self.answering(node)?;
        self.ask(engine.fail(claim, error)).map(drop)
    }

    /// The worker of a node gives its item back, 250 ms later.
    pub(crate) fn release(&mut self, node: &str, by: Option<&str>) -> Result<()> {
        let (engine, claim) = self.answering(node)?;
        self.ask(engine.release(claim, by)).map(drop)
    }

    fn answering(&mut self, node: &str) -> Result<(Engine, ClaimId)> {
        self.clock.advance(Duration::from_millis(250));
        let claim = self.claims.remove(node);
        let claim = claim.with_context(|| format!("nobody has claimed {node}"))?;
        Ok((self.engine.clone(), claim))
    }

    /// Someone asks something of the execution, 100 ms later.
    pub(crate) fn person<T, F>(&mut self, act: impl FnOnce(Execution) -> F) -> Result<T>
    where
        F: Future<Output = Result<T, refrain::EngineError>>,
    {
        self.clock.advance(Duration::from_millis(100));
        let asked = act(self.engine.execution(self.execution));
        self.ask(asked)
    }

    /// A fork of the execution, as late as it makes sense.
    pub(crate) fn fork(&mut self) -> Result<ExecutionId> {
        let (engine, origin) = (self.engine.clone(), self.execution);
        let forked = self.ask(async move { engine.fork(Fork::of(origin)).await })?;
        Ok(forked.execution.id())
    }

    /// The execution that it is about.
    pub(crate) fn execution(&self) -> ExecutionId {
        self.execution
    }

    /// The log, as an export.
    pub(crate) fn export(&mut self) -> Result<String> {
        self.export_of(self.execution)
    }

    /// The log of another execution, such as a child.
    pub(crate) fn export_of(&mut self, id: ExecutionId) -> Result<String> {
        self.settle();
        let reading = from_store(&mut self.store, id)?;
        let recording = reading.context("there is no such execution")?;
        let recording = recording.map_err(|it| anyhow::anyhow!(it.message))?;
        Ok(String::from_utf8(recording.export(Vec::new())?)?)
    }

    fn ask<T>(&mut self, call: impl Future<Output = Result<T, refrain::EngineError>>) -> Result<T> {
        let answer = self.steps.until(call);
        self.settle();
        Ok(answer.context("the engine does not answer")??)
    }

    /// Do all that is to be done now; under simulated time, all there is.
    fn settle(&mut self) {
        while self.steps.step() == Next::Now {}
    }
}

fn engine(
    store: &MemoryStore,
    clock: &ManualClock,
    library: &Library,
    seed: u64,
    (tenant, simulated): (&str, bool),
) -> Result<(Engine, Steps)> {
    let builder = Engine::builder()
        .store(store.clone())
        .clock(clock.clone())
        .library(library.clone())
        .lease(Duration::from_secs(10))
        .tenant(tenant)
        .simulated(simulated)
        .seed(seed);
    Ok(builder.stepped()?)
}

/// JSON text, verbatim.
pub(crate) fn json(text: &str) -> Result<Json> {
    Ok(Json::from_text(text)?)
}
