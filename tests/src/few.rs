//! A version of the contract that is the tests' own: fewer kinds of events than the
//! scheduler's, and fewer fields. Its adapter shows that a host speaks several
//! versions, and that what a guest cannot know is never handed to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use refrain::guest::{
    BoxedPorts, BroughtGuest, BroughtStore, Contract, GuestAnswer, HostState, MeteredPorts, Newer,
};
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::model::{
    Description, Event, EventKind, Explanation, Fault, Inspection, NodeScheduled, Origin, Outcome,
    SchedulerError, Snapshot, Status, WorkItem, WorkOrder, WorkflowCompleted, WorkflowStarted,
    WorkflowSummary,
};
use serde_json::Value;
use serde_json::value::RawValue;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, StoreContextMut};

mod generated {
    wasmtime::component::bindgen!({ world: "few", path: "guests/few/wit" });
}

use generated::refrain::scheduler::types as wit;

/// The version, as guests of it name it.
pub const VERSION: &str = "0.1.0-few";

const EXPORT: &str = "refrain:scheduler/decisions@0.1.0-few";
const TYPES: &str = "refrain:scheduler/types@0.1.0-few";
const LOG: &str = "refrain:scheduler/log@0.1.0-few";
const WORK: &str = "refrain:scheduler/work@0.1.0-few";

/// The version of the contract.
#[must_use]
pub fn contract() -> Arc<dyn Contract> {
    Arc::new(Few)
}

struct Few;

impl Contract for Few {
    fn export(&self) -> &'static str {
        EXPORT
    }

    fn imports(&self) -> &'static [&'static str] {
        &[TYPES, LOG, WORK]
    }

    fn check(&self, engine: &Engine, component: &Component) -> wasmtime::Result<()> {
        let pre = linker(engine, &SharedCall::default())?.instantiate_pre(component)?;
        generated::FewPre::new(pre).map(drop)
    }

    fn instantiate(
        &self,
        store: &mut BroughtStore,
        component: &Component,
    ) -> wasmtime::Result<Box<dyn BroughtGuest>> {
        let call = SharedCall::default();
        let linker = linker(store.engine(), &call)?;
        let guest = generated::Few::instantiate(store, component, &linker)?;
        Ok(Box::new(FewGuest { guest, call }))
    }
}

/// What the guest and its imports know of the execution in one call.
#[derive(Default)]
struct OneCall {
    /// What the execution began with, in the log or among the facts.
    started: Option<WorkflowStarted>,
    /// Whether its end was read or appended.
    has_ended: bool,
}

impl OneCall {
    /// Takes note of what the log holds, or is about to.
    fn note(&mut self, kind: &EventKind) {
        match kind {
            EventKind::WorkflowStarted(started) => self.started = Some((**started).clone()),
            EventKind::WorkflowCompleted(_) => self.has_ended = true,
            _ => {}
        }
    }
}

/// The same, for whichever of the two asks; they never ask at once.
#[derive(Clone, Default)]
struct SharedCall(Arc<Mutex<OneCall>>);

impl SharedCall {
    fn get(&self) -> MutexGuard<'_, OneCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct FewGuest {
    guest: generated::Few,
    call: SharedCall,
}

/// What this version has no function for.
fn unknown<T>() -> GuestAnswer<T> {
    let refused = SchedulerError::UnknownNode("any: guests of this version explain nothing".into());
    Ok(Err(refused))
}

impl BroughtGuest for FewGuest {
    fn step(
        &mut self,
        store: &mut BroughtStore,
        _: &str,
        last: u64,
        facts: &[EventKind],
    ) -> GuestAnswer<Outcome> {
        *self.call.get() = OneCall::default();
        let given: Vec<_> = facts.iter().map(to_guest).collect::<Result<_, _>>()?;
        for fact in facts {
            self.call.get().note(fact);
        }
        let decisions = self.guest.refrain_scheduler_decisions();
        let last = decisions.call_step(store, last, &given)?;
        let status = match self.call.get().has_ended {
            true => Status::Completed,
            false => Status::Running,
        };
        Ok(Ok(Outcome::new(status, last)))
    }

    fn explain(&mut self, _: &mut BroughtStore, _: &str, _: &str) -> GuestAnswer<Explanation> {
        unknown()
    }

    fn inspect(&mut self, _: &mut BroughtStore, _: &str) -> GuestAnswer<Inspection> {
        unknown()
    }

    fn snapshot(&mut self, _: &mut BroughtStore, _: &str) -> GuestAnswer<Snapshot> {
        unknown()
    }

    fn forget(&mut self, _: &mut BroughtStore, _: &str) -> wasmtime::Result<()> {
        Ok(())
    }

    fn validate(
        &mut self,
        _: &mut BroughtStore,
        _: &str,
    ) -> wasmtime::Result<Result<WorkflowSummary, Vec<Fault>>> {
        Err(wasmtime::Error::msg(
            "guests of this version validate nothing",
        ))
    }

    fn describe(&mut self, _: &mut BroughtStore) -> wasmtime::Result<Description> {
        Err(wasmtime::Error::msg(
            "guests of this version say nothing of themselves",
        ))
    }
}

// ---- what a guest may ask for ----------------------------------------------------

/// The store, as an import sees it.
type Asked<'a> = StoreContextMut<'a, HostState<BoxedPorts>>;

fn linker(engine: &Engine, call: &SharedCall) -> wasmtime::Result<Linker<HostState<BoxedPorts>>> {
    let mut linker = Linker::new(engine);
    linker.instance(TYPES)?;
    let mut log = linker.instance(LOG)?;
    let noted = call.clone();
    log.func_wrap("read", move |store: Asked<'_>, (first,): (u64,)| {
        Ok((read(MeteredPorts::of(store), &noted, first)?,))
    })?;
    let noted = call.clone();
    log.func_wrap(
        "append",
        move |store: Asked<'_>, (after, decision): (u64, wit::EventKind)| {
            let ports = MeteredPorts::of(store);
            Ok((append(ports, &noted, after, decision)?,))
        },
    )?;
    let mut work = linker.instance(WORK)?;
    let noted = call.clone();
    work.func_wrap("order", move |store: Asked<'_>, ()| {
        Ok((order(MeteredPorts::of(store), &noted)?,))
    })?;
    Ok(linker)
}

/// This version has no word for a store that fails: the call ends there.
fn failed(reason: String) -> wasmtime::Error {
    wasmtime::Error::msg(reason)
}

fn read(
    mut ports: MeteredPorts<'_, BoxedPorts>,
    call: &SharedCall,
    first: u64,
) -> wasmtime::Result<Vec<wit::EventKind>> {
    let page = ports.read_events(first, EVENTS_PAGE_MAX)?.map_err(failed)?;
    let mut given = Vec::with_capacity(page.len());
    for event in page {
        call.get().note(&event.kind);
        given.push(to_guest(&event.kind).map_err(|newer| newer.at(event.sequence))?);
    }
    Ok(given)
}

fn append(
    mut ports: MeteredPorts<'_, BoxedPorts>,
    call: &SharedCall,
    after: u64,
    decision: wit::EventKind,
) -> wasmtime::Result<Result<(), String>> {
    let kind = match decision {
        wit::EventKind::WorkflowCompleted(state) => {
            let mut completed = WorkflowCompleted::default();
            completed.final_state = state;
            EventKind::WorkflowCompleted(completed)
        }
        wit::EventKind::NodeScheduled(it) => {
            let mut scheduled = NodeScheduled::default();
            scheduled.node_id = it.node_id;
            scheduled.queue = it.queue;
            scheduled.attempt = 1;
            scheduled.item_digest = it.item_digest.parse().map_err(wasmtime::Error::new)?;
            EventKind::NodeScheduled(scheduled)
        }
        other => return Ok(Err(format!("{other:?} is no decision"))),
    };
    call.get().note(&kind);
    let event = Event {
        sequence: after + 1,
        at: ports.now()?,
        origin: Origin::Decision,
        kind,
    };
    let appended = ports.append_events(after, vec![event])?.map_err(failed)?;
    Ok(appended.map_err(|error| format!("{error:?}")))
}

fn order(
    mut ports: MeteredPorts<'_, BoxedPorts>,
    call: &SharedCall,
) -> wasmtime::Result<Result<wit::Scheduled, String>> {
    let Some(started) = call.get().started.clone() else {
        return Ok(Err("the execution has not begun".to_owned()));
    };
    let workflow = ports.load_workflow()?.map_err(failed)?;
    let item = first_item(&started, &workflow)?;
    let (node_id, queue) = (item.node_id.clone(), item.queue.clone());
    let ordered = ports
        .order(vec![WorkOrder::Enqueue(item)])?
        .map_err(failed)?;
    Ok(ordered.map(|digests| wit::Scheduled {
        node_id,
        queue,
        item_digest: digests[0].to_string(),
    }))
}

/// The work item of a workflow's first node.
fn first_item(started: &WorkflowStarted, workflow: &str) -> wasmtime::Result<WorkItem> {
    let parsed: Value = serde_json::from_str(workflow)?;
    let node = parsed["start_node"].as_str().unwrap_or_default();
    let kind: &RawValue = kind_of(workflow, node)?;
    let mut item = WorkItem::default();
    item.execution_id.clone_from(&started.execution_id);
    item.node_id = node.to_owned();
    item.attempt = 1;
    item.max_attempts = 3;
    item.queue = "tool".to_owned();
    item.tenant.clone_from(&started.tenant);
    item.priority = started.priority;
    item.payload = format!(
        "{{\"node_id\":{},\"kind\":{kind},\"input\":{{}}}}",
        Value::from(node)
    );
    Ok(item)
}

/// A node's kind, to the letter.
fn kind_of<'a>(workflow: &'a str, node: &str) -> wasmtime::Result<&'a RawValue> {
    #[derive(serde::Deserialize)]
    struct Workflow<'a> {
        #[serde(borrow)]
        nodes: std::collections::HashMap<String, Node<'a>>,
    }
    #[derive(serde::Deserialize)]
    struct Node<'a> {
        #[serde(borrow)]
        kind: &'a RawValue,
    }
    let workflow: Workflow<'a> = serde_json::from_str(workflow)?;
    let node = workflow.nodes.get(node).map(|node| node.kind);
    node.ok_or_else(|| wasmtime::Error::msg("the workflow has no such node"))
}

/// An event as guests of this version know it.
fn to_guest(kind: &EventKind) -> Result<wit::EventKind, Newer> {
    Ok(match kind {
        EventKind::WorkflowStarted(_) => wit::EventKind::WorkflowStarted,
        EventKind::WorkflowCompleted(it) => {
            wit::EventKind::WorkflowCompleted(it.final_state.clone())
        }
        EventKind::NodeScheduled(it) => wit::EventKind::NodeScheduled(wit::Scheduled {
            node_id: it.node_id.clone(),
            queue: it.queue.clone(),
            item_digest: it.item_digest.to_string(),
        }),
        EventKind::NodeStarted(_) => wit::EventKind::NodeStarted,
        EventKind::NodeCompleted(it) if it.telemetry.is_some() => {
            return Err(Newer::new(
                "the field `telemetry` of node_completed",
                VERSION,
            ));
        }
        EventKind::NodeCompleted(it) => wit::EventKind::NodeCompleted(it.state_patch.clone()),
        EventKind::HostStalled(_) => wit::EventKind::HostStalled,
        EventKind::StallLifted(_) => wit::EventKind::StallLifted,
        EventKind::GuestChanged(_) => wit::EventKind::GuestChanged,
        other => {
            let name = format!("{other:?}");
            let name = name.split(['(', ' ']).next().unwrap_or_default();
            return Err(Newer::new(format!("the kind {name}"), VERSION));
        }
    })
}
