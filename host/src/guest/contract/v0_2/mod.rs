//! Version 0.2 of the contract: its doors, over its types and what they are in the model.
//!
//! The imports are linked by hand, because those that `bindgen!` would link do
//! not see the store, and with it the fuel.

use bumpalo::Bump;
use wasmtime::component::{Component, Linker, LinkerInstance, TypedFunc};
use wasmtime::{Engine, Store};

mod nouns;

use nouns::{Scheduler, SchedulerPre, decisions, lent, wit};

use super::convert::{FromGuest, ToGuest, all_from_guest, all_lent, all_to_guest};
use super::exports::{Exports, GuestAnswer};
use super::malformed::Malformed;
use crate::guest::host_state::HostState;
use crate::guest::{GuestFailure, MeteredPorts, NoPorts, Ports};
use crate::id::ExecutionId;
use crate::model;

/// What a guest must export.
pub(super) const EXPORT: &str = "refrain:scheduler/decisions@0.2.0";

const TYPES: &str = "refrain:scheduler/types@0.2.0";
const STORAGE: &str = "refrain:scheduler/storage@0.2.0";
const CLOCK: &str = "refrain:scheduler/clock@0.2.0";
const QUEUE: &str = "refrain:scheduler/queue@0.2.0";

/// All that a guest may import.
pub(super) const IMPORTS: [&str; 4] = [TYPES, STORAGE, CLOCK, QUEUE];

pub(super) fn check(engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    let pre = linker::<NoPorts>(engine)?.instantiate_pre(component)?;
    SchedulerPre::new(pre).map(drop)
}

pub(super) fn instantiate<P: Ports>(
    store: &mut Store<HostState<P>>,
    component: &Component,
) -> wasmtime::Result<Box<dyn Exports<P>>> {
    let linker = linker(store.engine())?;
    let scheduler = Scheduler::instantiate(&mut *store, component, &linker)?;
    let step = decisions(&scheduler).func_step().func().typed(&*store)?;
    Ok(Box::new(Guest { scheduler, step }))
}

// ---- what a guest is called through ----------------------------------------------

struct Guest {
    scheduler: Scheduler,
    step: Step<'static>,
}

/// The export `step`, with facts that are lent to it.
type Step<'a> = TypedFunc<
    (wit::ExecutionId, u64, &'a [lent::EventKind<'a>]),
    (Result<wit::Outcome, wit::SchedulerError>,),
>;

impl<P: Ports> Exports<P> for Guest {
    fn step(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
        last: u64,
        facts: &[model::EventKind],
    ) -> GuestAnswer<model::Outcome> {
        let arena = Bump::new();
        let facts: Vec<lent::EventKind<'_>> = all_lent(facts, &arena)?;
        let step: Step<'_> = self.step;
        let (outcome,) = step.call(store, (named(id), last, &facts))?;
        answer(outcome)
    }

    fn explain(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
        node: &str,
    ) -> GuestAnswer<model::Explanation> {
        answer(decisions(&self.scheduler).call_explain(store, named(id), node)?)
    }

    fn inspect(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
    ) -> GuestAnswer<model::Inspection> {
        answer(decisions(&self.scheduler).call_inspect(store, named(id))?)
    }

    fn snapshot(
        &self,
        store: &mut Store<HostState<P>>,
        id: ExecutionId,
    ) -> GuestAnswer<model::Snapshot> {
        answer(decisions(&self.scheduler).call_snapshot(store, named(id))?)
    }

    fn forget(&self, store: &mut Store<HostState<P>>, id: ExecutionId) -> wasmtime::Result<()> {
        decisions(&self.scheduler).call_forget(store, named(id))
    }

    fn validate(
        &self,
        store: &mut Store<HostState<P>>,
        workflow: &str,
    ) -> wasmtime::Result<Result<model::WorkflowSummary, Vec<model::Fault>>> {
        match decisions(&self.scheduler).call_validate(store, &workflow.to_owned())? {
            Ok(summary) => Ok(Ok(given(summary)?)),
            Err(faults) => Ok(Err(all_from_guest(faults).map_err(broken)?)),
        }
    }

    fn describe(&self, store: &mut Store<HostState<P>>) -> wasmtime::Result<model::Description> {
        given(decisions(&self.scheduler).call_describe(store)?)
    }
}

/// The execution's id, as a call names it.
fn named(id: ExecutionId) -> wit::ExecutionId {
    let (high, low) = id.numbers();
    wit::ExecutionId { high, low }
}

fn decisions(guest: &Scheduler) -> &decisions::Guest {
    guest.refrain_scheduler_decisions()
}

fn answer<G: FromGuest<M>, M>(answer: Result<G, wit::SchedulerError>) -> GuestAnswer<M> {
    match answer {
        Ok(it) => given(it).map(Ok),
        Err(error) => given(error).map(Err),
    }
}

/// What a guest gave, in the model.
fn given<G: FromGuest<M>, M>(it: G) -> wasmtime::Result<M> {
    it.into_model().map_err(broken)
}

fn broken(malformed: Malformed) -> wasmtime::Error {
    GuestFailure::Malformed(malformed.sentence()).into()
}

// ---- what a guest may ask for ----------------------------------------------------

/// The contract's imports, and nothing else.
fn linker<P: Ports>(engine: &Engine) -> wasmtime::Result<Linker<HostState<P>>> {
    let mut linker = Linker::new(engine);
    linker.instance(TYPES)?;
    storage(linker.instance(STORAGE)?)?;
    clock(linker.instance(CLOCK)?)?;
    queue(linker.instance(QUEUE)?)?;
    Ok(linker)
}

fn storage<P: Ports>(mut storage: LinkerInstance<'_, HostState<P>>) -> wasmtime::Result<()> {
    storage.func_wrap("load-workflow", |store, ()| {
        let text = MeteredPorts::of(store).load_workflow()?;
        Ok((text.map_err(wit::StorageError::Failed),))
    })?;
    storage.func_wrap("load-snapshot", |store, ()| {
        let snapshot: Result<Option<wit::Snapshot>, _> =
            match MeteredPorts::of(store).load_snapshot()? {
                Ok(snapshot) => Ok(snapshot.to_guest()?),
                Err(failed) => Err(wit::StorageError::Failed(failed)),
            };
        Ok((snapshot,))
    })?;
    storage.func_wrap("read-events", |store, (first, max)| {
        let events: Result<Vec<wit::Event>, _> =
            match MeteredPorts::of(store).read_events(first, max)? {
                Ok(events) => Ok(all_to_guest(events)?),
                Err(failed) => Err(wit::StorageError::Failed(failed)),
            };
        Ok((events,))
    })?;
    storage.func_wrap(
        "append-events",
        |store, (expected, events): (u64, Vec<wit::Event>)| {
            let events: Vec<model::Event> = all_from_guest(events).map_err(broken)?;
            let appended: Result<(), wit::StorageError> =
                match MeteredPorts::of(store).append_events(expected, events)? {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(error.to_guest()?),
                    Err(failed) => Err(wit::StorageError::Failed(failed)),
                };
            Ok((appended,))
        },
    )
}

fn clock<P: Ports>(mut clock: LinkerInstance<'_, HostState<P>>) -> wasmtime::Result<()> {
    clock.func_wrap("now", |store, ()| Ok((MeteredPorts::of(store).now()?,)))
}

fn queue<P: Ports>(mut queue: LinkerInstance<'_, HostState<P>>) -> wasmtime::Result<()> {
    queue.func_wrap("order", |store, (orders,): (Vec<wit::WorkOrder>,)| {
        let mut orders: Vec<model::WorkOrder> = all_from_guest(orders).map_err(broken)?;
        own_items(&mut orders, store.data().execution);
        let ordered = MeteredPorts::of(store).order(orders)?;
        let digests: Result<Vec<wit::ItemDigest>, String> =
            match ordered.and_then(|ordered| ordered) {
                Ok(digests) => Ok(all_to_guest(digests)?),
                Err(refused) => Err(refused),
            };
        Ok((digests,))
    })
}

/// A guest does not say whose the items are: they are of the execution that it was
/// called for.
fn own_items(orders: &mut [model::WorkOrder], execution: Option<ExecutionId>) {
    for order in orders {
        if let (model::WorkOrder::Enqueue(item), Some(id)) = (order, execution) {
            item.execution_id = id.to_string();
        }
    }
}
