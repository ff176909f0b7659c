//! The native core and the component: the same log, replayed by both, in
//! turns.
//!
//! A replay gives the scheduler the facts as the log has them, up to where it
//! decided something, lets it decide, and compares that with what the log says.
//! Values are in each one's own types before the clock runs: what is compared
//! is the core as native code against the core in its sandbox, with the walls
//! of the sandbox, and no one's store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use refrain::guest::{CallLimits, Instance, Library, Ports, Sandbox};
use refrain::id::ExecutionId;
use refrain::model::{Digest, Event, EventKind, Origin, Snapshot, StorageError, WorkOrder};
use refrain::store::{StoreError, Timestamp};
use refrain_guest::contract as native;
use refrain_guest::shell::{Scheduler, World};
use serde::Serialize;

use crate::across::across;
use crate::run::start;
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
    library.wait_until_compiled(&digest)?;
    let logs = [
        ("chain of 10", chain(10), 30),
        ("layers of 300", layered(300), 1),
    ];
    let mut ratio_by_log = BTreeMap::new();
    let (mut natively_ns, mut in_wasm_ns) = (0.0, 0.0);
    for (name, workflow, times) in logs {
        let log = log_of(&workflow)?;
        let mut natively = Natively::new(&workflow, &log)?;
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
    let mut run = start(workflow)?;
    while let Some(item) = run.ports.items.first().cloned() {
        run.complete(&item.node_id, "{}")?;
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
    /// Take the facts that come next, and decide. Whether another step is due.
    fn step(&mut self) -> Result<bool>;
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
        while replayer.step()? {}
        ensure!(
            replayer.log().0 > shown,
            "the replay stands at event {shown}"
        );
    }
}

/// A log of which only the beginning has been shown. Events, facts and digests are
/// in the types of the side that replays it.
struct Reel<E, F, D> {
    workflow: String,
    events: Vec<E>,
    /// The runs of facts, by the place of their first event, and their time.
    facts: BTreeMap<usize, (Timestamp, Arc<[F]>)>,
    /// The digests of the items that are ordered, in their order.
    digests: Vec<D>,
    shown: usize,
    ordered: usize,
    now: Timestamp,
    /// Events behind those shown that the current call was given or has decided.
    ahead: usize,
}

type NativeReel = Reel<native::Event, native::Fact, native::ItemDigest>;
type WasmReel = Reel<Event, EventKind, Digest>;

impl<E: Clone + PartialEq, F, D: Clone> Reel<E, F, D> {
    fn new(
        workflow: &str,
        log: &[Event],
        event: impl Fn(&Event) -> E,
        fact: impl Fn(&EventKind) -> F,
        digest: impl Fn(&Digest) -> D,
    ) -> Self {
        let mut facts = BTreeMap::new();
        let mut place = 0;
        for run in log.chunk_by(|one, next| (one.origin, one.at) == (next.origin, next.at)) {
            if run[0].origin == Origin::Fact {
                let kinds: Arc<[F]> = run.iter().map(|it| fact(&it.kind)).collect();
                facts.insert(place, (run[0].at, kinds));
            }
            place += run.len();
        }
        let ordered = log.iter().filter_map(|event| match &event.kind {
            EventKind::NodeScheduled(it) => Some(digest(&it.item_digest)),
            EventKind::RetryScheduled(it) => Some(digest(&it.item_digest)),
            _ => None,
        });
        Self {
            workflow: workflow.to_owned(),
            events: log.iter().map(event).collect(),
            facts,
            digests: ordered.collect(),
            shown: 0,
            ordered: 0,
            now: 0,
            ahead: 0,
        }
    }

    fn rewind(&mut self) {
        (self.shown, self.ordered) = (0, 0);
    }

    fn page(&self, first: u64, max: u32) -> Vec<E> {
        let first = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let page = self.events[..self.shown].iter().skip(first);
        page.take(max as usize).cloned().collect()
    }

    /// A call begins, with the facts that come next, if there are any.
    fn begin(&mut self) -> Option<Arc<[F]>> {
        let next = self.facts.get(&self.shown);
        self.ahead = next.map_or(0, |(_, facts)| facts.len());
        self.now = next.map_or(self.now, |(at, _)| *at);
        next.map(|(_, facts)| facts.clone())
    }

    /// It is over: what it was given and has decided is shown.
    fn end(&mut self) {
        self.shown += std::mem::take(&mut self.ahead);
    }

    /// Decisions: they are what the log says.
    fn show(&mut self, decided: &[E]) -> bool {
        let same = self.events[self.shown + self.ahead..].starts_with(decided);
        self.ahead += decided.len();
        same
    }

    /// The digests of the next items that are ordered.
    fn next_digests(&mut self, items: usize) -> Vec<D> {
        let next = self.digests.iter().skip(self.ordered).take(items);
        self.ordered += items;
        next.cloned().collect()
    }
}

struct Natively {
    scheduler: Scheduler,
    execution: native::ExecutionId,
    reel: NativeReel,
}

impl Natively {
    fn new(workflow: &str, log: &[Event]) -> Result<Self> {
        Ok(Self {
            scheduler: Scheduler::new(),
            execution: execution(log).parse().map_err(anyhow::Error::msg)?,
            reel: Reel::new(workflow, log, across, across, |digest| {
                native::ItemDigest::from_bytes(digest.0)
            }),
        })
    }
}

impl Replayer for Natively {
    fn log(&self) -> (usize, usize) {
        (self.reel.shown, self.reel.events.len())
    }

    fn step(&mut self) -> Result<bool> {
        let last = self.reel.shown as u64;
        // The core takes facts to keep them: a copy, as the component makes of those
        // that it is lent.
        let facts = self
            .reel
            .begin()
            .map_or_else(Vec::new, |facts| facts.to_vec());
        let outcome = self
            .scheduler
            .step(&mut self.reel, self.execution, last, facts);
        self.reel.end();
        let outcome = outcome.map_err(|error| anyhow::anyhow!("natively: {error:?}"))?;
        ensure!(outcome.refused.is_empty(), "natively: {outcome:?}");
        Ok(outcome.more)
    }

    fn rewind(&mut self) -> Result<()> {
        self.scheduler.forget(self.execution);
        self.reel.rewind();
        Ok(())
    }
}

impl World for NativeReel {
    fn load_workflow(&mut self) -> Result<String, native::StorageError> {
        Ok(self.workflow.clone())
    }
    fn load_snapshot(&mut self) -> Result<Option<native::Snapshot>, native::StorageError> {
        Ok(None)
    }
    fn read_events(
        &mut self,
        first: u64,
        max: u32,
    ) -> Result<Vec<native::Event>, native::StorageError> {
        Ok(self.page(first, max))
    }
    fn append_events(
        &mut self,
        _: u64,
        events: &[native::Event],
    ) -> Result<(), native::StorageError> {
        if self.show(events) {
            Ok(())
        } else {
            Err(native::StorageError::Conflict(0))
        }
    }
    fn now(&mut self) -> refrain_guest::time::Timestamp {
        refrain_guest::time::Timestamp(self.now)
    }
    fn order(&mut self, orders: &[native::WorkOrder]) -> Result<Vec<native::ItemDigest>, String> {
        let is_item = |order: &&native::WorkOrder| matches!(order, native::WorkOrder::Enqueue(_));
        Ok(self.next_digests(orders.iter().filter(is_item).count()))
    }
}

struct InWasm {
    instance: Instance<WasmReel>,
    execution: ExecutionId,
    /// Away while the instance has it.
    reel: Option<WasmReel>,
}

impl InWasm {
    fn new(instance: Instance<WasmReel>, workflow: &str, log: &[Event]) -> Result<Self> {
        let reel = Reel::new(workflow, log, Event::clone, EventKind::clone, |it| *it);
        Ok(Self {
            instance,
            execution: execution(log).parse()?,
            reel: Some(reel),
        })
    }
}

impl Replayer for InWasm {
    fn log(&self) -> (usize, usize) {
        let reel = self.reel.as_ref().expect("each call gives it back");
        (reel.shown, reel.events.len())
    }

    fn step(&mut self) -> Result<bool> {
        let mut reel = self.reel.take().expect("each call gives it back");
        let last = reel.shown as u64;
        // The facts are lent, as a host lends its own.
        let facts = reel.begin();
        let facts = facts.as_deref().unwrap_or_default();
        let (mut reel, outcome) = self.instance.step(reel, self.execution, last, facts);
        reel.end();
        self.reel = Some(reel);
        let outcome = outcome?;
        ensure!(outcome.refused.is_empty(), "{:?}", outcome.refused);
        Ok(outcome.more)
    }

    fn rewind(&mut self) -> Result<()> {
        self.instance.forget(self.execution)?;
        if let Some(reel) = &mut self.reel {
            reel.rewind();
        }
        Ok(())
    }
}

impl Ports for WasmReel {
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
    ) -> Result<Result<(), StorageError>, StoreError> {
        let same = self.show(&events);
        Ok(if same {
            Ok(())
        } else {
            Err(StorageError::Conflict(0))
        })
    }
    fn now(&mut self) -> Timestamp {
        self.now
    }
    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        let is_item = |order: &&WorkOrder| matches!(order, WorkOrder::Enqueue(_));
        let items = orders.iter().filter(is_item).count();
        Ok(Ok(self.next_digests(items)))
    }
}

/// The execution that a log is of.
fn execution(log: &[Event]) -> String {
    use EventKind::WorkflowStarted;
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
