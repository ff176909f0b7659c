//! The native core beside the component: the same log, replayed by both, in
//! turns.
//!
//! A replay gives every fact to the scheduler as the log has it, ticks where
//! it asks for a tick, and compares what is decided with what the log says.
//! Values are in each one's own types before the clock runs: what is compared
//! is the core as native code against the core in its sandbox, with the walls
//! of the sandbox, and no one's store.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, ensure};
use refrain::guest::{CallLimits, Instance, Library, Ports, Sandbox};
use refrain::id::ExecutionId;
use refrain::model::{AppendError, Event, Origin, Snapshot, WorkItem};
use refrain::store::{StoreError, Timestamp};
use refrain_guest::contract as native;
use refrain_guest::shell::{Scheduler, World};
use serde::Serialize;

use crate::across::across;
use crate::run::Run;
use crate::workflows::{chain, layered};

/// What came of it. Times are medians of the rounds.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// How many times as long the component takes.
    pub wasm_native_ratio: f64,
    /// Nanoseconds of an event natively.
    pub native_ns_per_event: f64,
    /// Nanoseconds of an event in the component.
    pub wasm_ns_per_event: f64,
    /// The same ratio for each of the logs.
    pub ratio_by_log: BTreeMap<&'static str, f64>,
}

/// Replay chains of ten steps, and one of three hundred that branch and join,
/// so many rounds.
///
/// # Errors
/// The component does not run, or one of the two decides otherwise than the log.
pub fn compare(rounds: usize) -> Result<Compared> {
    let mut library = Library::new(Sandbox::new(CallLimits::default())?);
    let digest = library.built_in().to_owned();
    let logs = [
        ("chain of 10", chain(10), 30),
        ("layers of 300", layered(300), 1),
    ];
    let mut ratio_by_log = BTreeMap::new();
    let (mut natively_ns, mut in_wasm_ns) = (0.0, 0.0);
    for (name, workflow, times) in logs {
        let log = log_of(&workflow)?;
        let mut natively = Natively::new(&workflow, &log);
        let mut in_wasm = InWasm::new(library.instance(&digest)?, &workflow, &log)?;
        let mut each = Vec::new();
        for round in 0..=rounds {
            let pair = (time(&mut natively, times)?, time(&mut in_wasm, times)?);
            // The first one warms the caches.
            if round > 0 {
                each.push(pair);
            }
        }
        ratio_by_log.insert(
            name,
            median(each.iter().map(|(native, wasm)| wasm / native)),
        );
        natively_ns += median(each.iter().map(|(native, _)| *native)) / 2.0;
        in_wasm_ns += median(each.iter().map(|(_, wasm)| *wasm)) / 2.0;
    }
    Ok(Compared {
        wasm_native_ratio: in_wasm_ns / natively_ns,
        native_ns_per_event: natively_ns,
        wasm_ns_per_event: in_wasm_ns,
        ratio_by_log,
    })
}

/// The log of a run of this workflow.
fn log_of(workflow: &str) -> Result<Vec<Event>> {
    let mut run = Run::new(workflow)?;
    while run.tick()?.more {}
    while let Some(item) = run.ports.items.first().cloned() {
        run.complete(&item.node_id)?;
        while run.tick()?.more {}
    }
    Ok(run.ports.events)
}

/// Nanoseconds of an event, over so many replays.
fn time(replayer: &mut impl Replayer, times: u32) -> Result<f64> {
    let begun = Instant::now();
    let mut events = 0;
    for _ in 0..times {
        events += replay(replayer)?;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "thousands of events, and a few digits"
    )]
    let events = events as f64;
    Ok(begun.elapsed().as_secs_f64() * 1e9 / events)
}

/// Somebody who decides about the one execution of a log.
trait Replayer {
    fn log(&self) -> (usize, usize);
    /// Take the next event, a fact. Whether a tick is due.
    fn admit(&mut self) -> Result<bool>;
    /// Decide. Whether another tick is due.
    fn tick(&mut self) -> Result<bool>;
    /// From the beginning again, with nothing known.
    fn rewind(&mut self) -> Result<()>;
}

/// Replay the whole log; how many events it has.
fn replay(replayer: &mut impl Replayer) -> Result<usize> {
    replayer.rewind()?;
    loop {
        let (shown, all) = replayer.log();
        if shown == all {
            return Ok(all);
        }
        let mut due = replayer.admit()?;
        while due {
            due = replayer.tick()?;
        }
        ensure!(
            replayer.log().0 > shown,
            "the replay stands at event {shown}"
        );
    }
}

/// A log of which only the beginning has been shown.
struct Reel<E> {
    workflow: String,
    events: Vec<E>,
    shown: usize,
    now: Timestamp,
}

impl<E: Clone + PartialEq> Reel<E> {
    fn new(workflow: &str, events: Vec<E>) -> Self {
        Self {
            workflow: workflow.to_owned(),
            events,
            shown: 0,
            now: 0,
        }
    }

    fn page(&self, first: u64, max: u32) -> Vec<E> {
        let first = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let page = self.events[..self.shown].iter().skip(first);
        page.take(max as usize).cloned().collect()
    }

    /// Decisions: they are what the log says.
    fn show(&mut self, decided: &[E]) -> bool {
        let same = self.events[self.shown..].starts_with(decided);
        self.shown += decided.len();
        same
    }
}

struct Natively {
    scheduler: Scheduler,
    execution: String,
    reel: Reel<native::Event>,
}

impl Natively {
    fn new(workflow: &str, log: &[Event]) -> Self {
        Self {
            scheduler: Scheduler::new(),
            execution: execution(log),
            reel: Reel::new(workflow, across(&log)),
        }
    }
}

impl Replayer for Natively {
    fn log(&self) -> (usize, usize) {
        (self.reel.shown, self.reel.events.len())
    }

    fn admit(&mut self) -> Result<bool> {
        let fact = self.reel.events[self.reel.shown].clone();
        self.reel.now = fact.at;
        let outcome = self.scheduler.admit(&mut self.reel, &self.execution, &fact);
        self.reel.shown += 1;
        Ok(outcome
            .map_err(|error| anyhow::anyhow!("natively: {error:?}"))?
            .more)
    }

    fn tick(&mut self) -> Result<bool> {
        let last = self.reel.shown as u64;
        let outcome = self.scheduler.tick(&mut self.reel, &self.execution, last);
        Ok(outcome
            .map_err(|error| anyhow::anyhow!("natively: {error:?}"))?
            .more)
    }

    fn rewind(&mut self) -> Result<()> {
        self.scheduler.forget(&self.execution);
        self.reel.shown = 0;
        Ok(())
    }
}

impl World for Reel<native::Event> {
    fn load_workflow(&mut self) -> String {
        self.workflow.clone()
    }
    fn load_snapshot(&mut self) -> Option<native::Snapshot> {
        None
    }
    fn read_events(&mut self, first: u64, max: u32) -> Vec<native::Event> {
        self.page(first, max)
    }
    fn append_events(
        &mut self,
        _: u64,
        events: &[native::Event],
    ) -> Result<(), native::AppendError> {
        if self.show(events) {
            Ok(())
        } else {
            Err(native::AppendError::Conflict(0))
        }
    }
    fn now(&mut self) -> refrain_guest::time::Timestamp {
        refrain_guest::time::Timestamp(self.now)
    }
    fn enqueue(&mut self, _: &native::WorkItem) -> Result<(), String> {
        Ok(())
    }
    fn cancel(&mut self, _: &str, _: u32) -> Result<(), String> {
        Ok(())
    }
}

struct InWasm {
    instance: Instance<Reel<Event>>,
    execution: ExecutionId,
    /// Away while the instance has it.
    reel: Option<Reel<Event>>,
}

impl InWasm {
    fn new(instance: Instance<Reel<Event>>, workflow: &str, log: &[Event]) -> Result<Self> {
        Ok(Self {
            instance,
            execution: execution(log).parse()?,
            reel: Some(Reel::new(workflow, log.to_vec())),
        })
    }

    fn reel(&mut self) -> Reel<Event> {
        self.reel.take().expect("each call gives it back")
    }
}

impl Replayer for InWasm {
    fn log(&self) -> (usize, usize) {
        let reel = self.reel.as_ref().expect("each call gives it back");
        (reel.shown, reel.events.len())
    }

    fn admit(&mut self) -> Result<bool> {
        let mut reel = self.reel();
        let fact = reel.events[reel.shown].clone();
        reel.now = fact.at;
        let (mut reel, outcome) = self.instance.admit(reel, self.execution, &fact);
        reel.shown += 1;
        self.reel = Some(reel);
        Ok(outcome?.more)
    }

    fn tick(&mut self) -> Result<bool> {
        let reel = self.reel();
        let last = reel.shown as u64;
        let (reel, outcome) = self.instance.tick(reel, self.execution, last);
        self.reel = Some(reel);
        Ok(outcome?.more)
    }

    fn rewind(&mut self) -> Result<()> {
        self.instance.forget(self.execution)?;
        if let Some(reel) = &mut self.reel {
            reel.shown = 0;
        }
        Ok(())
    }
}

impl Ports for Reel<Event> {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.workflow.clone())
    }
    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        Ok(self.page(first, max))
    }
    fn append_events(
        &mut self,
        _: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), AppendError>, StoreError> {
        let same = self.show(&events);
        Ok(if same {
            Ok(())
        } else {
            Err(AppendError::Conflict(0))
        })
    }
    fn now(&mut self) -> Timestamp {
        self.now
    }
    fn enqueue(&mut self, _: WorkItem) -> Result<Result<(), String>, StoreError> {
        Ok(Ok(()))
    }
    fn cancel(&mut self, _: &str, _: u32) -> Result<Result<(), String>, StoreError> {
        Ok(Ok(()))
    }
}

/// The execution that a log is of.
fn execution(log: &[Event]) -> String {
    use refrain::model::EventKind::WorkflowStarted;
    match log.first() {
        Some(Event {
            origin: Origin::Fact,
            kind: WorkflowStarted(started),
            ..
        }) => started.execution_id.clone(),
        _ => String::new(),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
