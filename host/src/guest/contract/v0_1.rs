//! Version 0.1 of the contract: the types generated from `wit/`, its doors,
//! and what each of its nouns is in the model.
//!
//! The imports are linked by hand, because those that `bindgen!` would link do
//! not see the store, and with it the fuel.

use wasmtime::component::{Component, Linker, LinkerInstance};
use wasmtime::{Engine, Store};

use super::convert::{
    FromGuest, ToGuest, all_from_guest, all_to_guest, choices, records, variants,
};
use super::{Answer, Exports, Malformed, Newer};
use crate::guest::fuel::{self, Transferred, event_bytes, item_bytes};
use crate::guest::ports::{HostState, ask};
use crate::guest::{GuestFailure, NoPorts, Ports};
use crate::model;

mod generated {
    wasmtime::component::bindgen!({ world: "guest", path: "../wit" });
}

use generated::exports::refrain::scheduler::scheduler;
use generated::refrain::scheduler::types as wit;
use generated::{Guest, GuestPre};

/// What a guest must export.
pub(super) const EXPORT: &str = "refrain:scheduler/scheduler@0.1.0";

const TYPES: &str = "refrain:scheduler/types@0.1.0";
const STORAGE: &str = "refrain:scheduler/storage@0.1.0";
const CLOCK: &str = "refrain:scheduler/clock@0.1.0";
const QUEUE: &str = "refrain:scheduler/queue@0.1.0";

/// All that a guest may import.
pub(super) const IMPORTS: [&str; 4] = [TYPES, STORAGE, CLOCK, QUEUE];

pub(super) fn check(engine: &Engine, component: &Component) -> wasmtime::Result<()> {
    let pre = linker::<NoPorts>(engine)?.instantiate_pre(component)?;
    GuestPre::new(pre).map(drop)
}

pub(super) fn instantiate<P: Ports>(
    store: &mut Store<HostState<P>>,
    component: &Component,
) -> wasmtime::Result<Box<dyn Exports<P>>> {
    let linker = linker(store.engine())?;
    let guest = Guest::instantiate(store, component, &linker)?;
    Ok(Box::new(guest))
}

// ---- what a guest is called through ----------------------------------------------

impl<P: Ports> Exports<P> for Guest {
    fn admit(
        &self,
        store: &mut Store<HostState<P>>,
        id: &str,
        fact: &model::Event,
    ) -> Answer<model::Outcome> {
        let fact = fact.clone().to_guest()?;
        answer(scheduler(self).call_admit(store, id, &fact)?)
    }

    fn tick(&self, store: &mut Store<HostState<P>>, id: &str, last: u64) -> Answer<model::Outcome> {
        answer(scheduler(self).call_tick(store, id, last)?)
    }

    fn explain(
        &self,
        store: &mut Store<HostState<P>>,
        id: &str,
        node: &str,
    ) -> Answer<model::Explanation> {
        answer(scheduler(self).call_explain(store, id, node)?)
    }

    fn inspect(&self, store: &mut Store<HostState<P>>, id: &str) -> Answer<model::Inspection> {
        answer(scheduler(self).call_inspect(store, id)?)
    }

    fn snapshot(&self, store: &mut Store<HostState<P>>, id: &str) -> Answer<model::Snapshot> {
        answer(scheduler(self).call_snapshot(store, id)?)
    }

    fn forget(&self, store: &mut Store<HostState<P>>, id: &str) -> wasmtime::Result<()> {
        scheduler(self).call_forget(store, id)
    }

    fn validate(
        &self,
        store: &mut Store<HostState<P>>,
        workflow: &str,
    ) -> wasmtime::Result<Result<model::WorkflowSummary, Vec<model::Fault>>> {
        match scheduler(self).call_validate(store, &workflow.to_owned())? {
            Ok(summary) => Ok(Ok(given(summary)?)),
            Err(faults) => Ok(Err(all_from_guest(faults).map_err(broken)?)),
        }
    }

    fn describe(&self, store: &mut Store<HostState<P>>) -> wasmtime::Result<model::Description> {
        given(scheduler(self).call_describe(store)?)
    }
}

fn scheduler(guest: &Guest) -> &scheduler::Guest {
    guest.refrain_scheduler_scheduler()
}

fn answer<G: FromGuest<M>, M>(answer: Result<G, wit::SchedulerError>) -> Answer<M> {
    match answer {
        Ok(it) => given(it).map(Ok),
        Err(error) => given(error).map(Err),
    }
}

/// What a guest gave, in the model.
fn given<G: FromGuest<M>, M>(it: G) -> wasmtime::Result<M> {
    it.from_guest().map_err(broken)
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
        let text = ask(
            store,
            "storage.load-workflow",
            P::load_workflow,
            |meter, text| meter.workflow(text),
        )?;
        Ok((text,))
    })?;
    storage.func_wrap("load-snapshot", |store, ()| {
        let snapshot = ask(
            store,
            "storage.load-snapshot",
            P::load_snapshot,
            |meter, snapshot| meter.snapshot(snapshot.as_ref()),
        )?;
        let snapshot: Option<wit::Snapshot> = snapshot.to_guest()?;
        Ok((snapshot,))
    })?;
    storage.func_wrap("read-events", |store, (first, max)| {
        let events = ask(
            store,
            "storage.read-events",
            |ports| ports.read_events(first, max),
            |meter, events| meter.events(events),
        )?;
        let events: Vec<wit::Event> = all_to_guest(events)?;
        Ok((events,))
    })?;
    storage.func_wrap(
        "append-events",
        |mut store, (expected, events): (u64, Vec<wit::Event>)| {
            let events: Vec<model::Event> = all_from_guest(events).map_err(broken)?;
            fuel::take(&mut store, events.iter().map(event_bytes).sum());
            let appended = ask(
                store,
                "storage.append-events",
                |ports| ports.append_events(expected, events),
                |_, _| Transferred::default(),
            )?;
            let appended: Result<(), wit::AppendError> = match appended {
                Ok(()) => Ok(()),
                Err(error) => Err(error.to_guest()?),
            };
            Ok((appended,))
        },
    )
}

fn clock<P: Ports>(mut clock: LinkerInstance<'_, HostState<P>>) -> wasmtime::Result<()> {
    clock.func_wrap("now", |store, ()| {
        let now = ask(
            store,
            "clock.now",
            |ports| Ok(ports.now()),
            |_, _| Transferred::default(),
        )?;
        Ok((now,))
    })
}

fn queue<P: Ports>(mut queue: LinkerInstance<'_, HostState<P>>) -> wasmtime::Result<()> {
    queue.func_wrap("enqueue", |mut store, (item,): (wit::WorkItem,)| {
        let item = given(item)?;
        fuel::take(&mut store, item_bytes(&item));
        let enqueued = ask(
            store,
            "queue.enqueue",
            |ports| ports.enqueue(item),
            |_, _| Transferred::default(),
        )?;
        Ok((enqueued,))
    })?;
    queue.func_wrap("cancel", |mut store, (node_id, attempt): (String, u32)| {
        fuel::take(&mut store, node_id.len());
        let cancelled = ask(
            store,
            "queue.cancel",
            |ports| ports.cancel(&node_id, attempt),
            |_, _| Transferred::default(),
        )?;
        Ok((cancelled,))
    })
}

// ---- what each noun is in the model ----------------------------------------------

records! { model, wit:
    Event { sequence, at, origin, kind }
    WorkflowStarted {
        execution_id, workflow_id, workflow_version, workflow_digest, guest_digest, initial_input,
        limits, seed, tenant, simulated, key, forked_from,
    }
    Limits { max_concurrent_nodes, max_dispatch_per_tick }
    ForkOrigin { execution_id, sequence, head }
    WorkflowCompleted { final_state }
    WorkflowFailed { error }
    WorkflowCancelled { reason }
    NodeScheduled { node_id, queue_type, attempt, item_digest }
    NodeStarted { node_id, worker_id, attempt, fence }
    NodeCompleted {
        node_id, attempt, fence, output, state_patch, duration_ms, chosen_target, telemetry,
    }
    Telemetry {
        gen_ai_system, gen_ai_model, input_tokens, output_tokens, finish_reason, cost_usd,
        provenance,
    }
    NodeFailed { node_id, attempt, fence, error, class, retryable }
    NodeTimedOut { node_id, attempt }
    NodeExhausted { node_id, attempts, error }
    NodeSkipped { node_id, reason }
    NodeCancelled { node_id, reason }
    RetryScheduled { node_id, attempt, delay_ms, item_digest }
    InterruptRaised { node_id, reason, state_for_review, expires_at }
    ApprovalReceived { node_id, user_id, decision, comment, state_patch }
    TimerCreated { node_id, fire_at, correlation_key }
    TimerFired { node_id, correlation_key }
    ExternalEventReceived { correlation_key, payload }
    CancelRequested { reason }
    OperatorNote { reason }
    NodeRequest { node_id, reason }
    Stalled { reason, node_id }
    GuestChanged { guest_digest }
    WorkItem {
        execution_id, node_id, attempt, max_attempts, queue_type, tenant, not_before, payload,
    }
    Snapshot { guest_digest, sequence, head, state }
    Outcome { status, last_sequence, next_wake, more }
    Fault { pointer, message, remedy }
    WorkflowSummary { workflow_id, version, nodes, edges, queues, ignored, unreachable }
    IllegalEvent { sequence, reason }
    Reason { topic, message }
    Inspection { state, hash }
    Description { name, version }
}

choices! { model, wit:
    Origin { Fact, Decision }
    SkipReason { Unreached, ByOperator, RunOn }
    CancelReason { CancelRequested, WorkflowTimedOut, ByOperator }
    ApprovalDecision { Approved, Rejected }
    Status { Running, Paused, Stalled, Completed, Failed, Cancelled }
    NodeState {
        Pending, Ready, Scheduled, Running, Failing, BackingOff, Waiting, Completed, Failed,
        Skipped, Cancelled,
    }
    ReasonTopic {
        UnmetPredecessor, FailedPredecessor, DeadEdge, FalseCondition, Attempts, Limit, Worker,
        Time, Signal, Execution, Operator, Progress,
    }
}

variants! { model, wit:
    EventKind {
        WorkflowStarted, WorkflowCompleted, WorkflowFailed, WorkflowCancelled, NodeScheduled,
        NodeStarted, NodeCompleted, NodeFailed, NodeTimedOut, NodeExhausted, NodeSkipped,
        NodeCancelled, RetryScheduled, InterruptRaised, ApprovalReceived, TimerCreated, TimerFired,
        ExternalEventReceived, CancelRequested, ExecutionPaused, ExecutionUnpaused, RetryRequested,
        SkipRequested, Stalled, StallLifted, GuestChanged; WorkflowTimedOut
    }
    AppendError { Conflict, Refused; }
}

impl FromGuest<model::SchedulerError> for wit::SchedulerError {
    fn from_guest(self) -> Result<model::SchedulerError, Malformed> {
        use model::SchedulerError as Ours;
        Ok(match self {
            Self::Illegal(event) => Ours::Illegal(event.from_guest()?),
            Self::InvalidWorkflow(faults) => Ours::InvalidWorkflow(all_from_guest(faults)?),
            Self::Append(error) => Ours::Append(error.from_guest()?),
            Self::Queue(reason) => Ours::Queue(reason),
            Self::BadSnapshot(reason) => Ours::BadSnapshot(reason),
            Self::UnknownNode(node) => Ours::UnknownNode(node),
        })
    }
}

impl FromGuest<model::Explanation> for wit::Explanation {
    fn from_guest(self) -> Result<model::Explanation, Malformed> {
        Ok(model::Explanation {
            node_id: self.node_id,
            state: self.state.from_guest()?,
            reasons: all_from_guest(self.reasons)?,
        })
    }
}
