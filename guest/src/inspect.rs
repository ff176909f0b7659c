//! The state of an execution as JSON, for people and for comparison.
//!
//! Keys are sorted and nothing depends on a map's order, so that equal states
//! have equal texts, and equal hashes.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::ToString as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::codes;
use crate::contract::{CancelReason, Inspection, NodeState, SkipReason, Status};
use crate::digest::digest_of_text;
use crate::guards::status;
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::node::name;
use crate::state::{Dismissal, Instances, NodeRecord, Spent};
use crate::time::Timestamp;
use crate::workflow::plan::{Body, Kind, Node, NodeIx};

/// An execution. The fields are in the order of their names.
#[derive(Serialize)]
struct ExecutionView<'a> {
    at: u64,
    cancel_requested: bool,
    /// How nodes failed whose failure an edge has handled, where an expression reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a RawValue>,
    execution_id: &'a str,
    guest_digest: &'a str,
    input: &'a RawValue,
    nodes: BTreeMap<&'a str, NodeView<'a>>,
    sequence: u64,
    simulated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent: Option<Value>,
    stalled: Option<Value>,
    started_at: u64,
    state: &'a RawValue,
    status: &'static str,
    workflow_id: &'a str,
    workflow_version: &'a str,
}

/// A node. The fields are in the order of their names.
#[derive(Serialize)]
struct NodeView<'a> {
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    child: Option<ChildView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chosen_target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<InstancesView<'a>>,
    kind: Cow<'a, str>,
    max_attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<u64>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<Box<UndoView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wakes_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_id: Option<&'a str>,
}

/// What undoes a run. The fields are in the order of their names.
#[derive(Serialize)]
struct UndoView<'a> {
    /// The sequence of the run's completion.
    completed: u64,
    /// What the run produced.
    output: &'a RawValue,
    run: NodeView<'a>,
}

/// The child of a node. The fields are in the order of their names.
#[derive(Serialize)]
struct ChildView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<&'a str>,
    iteration: u32,
    /// What the iteration before came to, until the node is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<&'a RawValue>,
}

/// The instances of a map. The fields are in the order of their names.
#[derive(Serialize)]
struct InstancesView<'a> {
    count: u32,
    /// The elements, until the map has completed.
    #[serde(skip_serializing_if = "str::is_empty")]
    items: &'a str,
    /// Those to which something has happened, by their index.
    runs: BTreeMap<u32, InstanceView<'a>>,
}

/// An instance: the fields of a node, and what it produced.
#[derive(Serialize)]
struct InstanceView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a RawValue>,
    run: NodeView<'a>,
}

/// The state as a JSON object with sorted keys, and its hash.
#[must_use]
pub fn inspect(machine: &Machine) -> Inspection {
    let (started, data) = (&machine.state.started, machine.state.data.to_text());
    let errors = machine.state.errors.to_text();
    let nodes = (0..).zip(&machine.state.nodes).map(|(index, record)| {
        let node = machine.node(NodeIx(index));
        let waits_for = waits_for(machine, NodeIx(index));
        let mut view = view(node, record, waits_for);
        let instances = machine.state.instances.get(&NodeIx(index));
        view.instances = instances.map(|instances| instances_view(machine, node, instances));
        view.child = child_view(machine, NodeIx(index).into());
        view.undo = undo_view(machine, NodeIx(index).into());
        (node.id.as_str(), view)
    });
    let view = ExecutionView {
        at: machine.state.at.0,
        cancel_requested: machine.state.cancel.is_some(),
        errors: (!machine.state.errors.is_empty()).then(|| verbatim(&errors)),
        execution_id: &started.execution_id,
        guest_digest: &machine.state.guest_digest,
        input: verbatim(&started.initial_input),
        nodes: nodes.collect(),
        sequence: machine.state.sequence,
        simulated: started.simulated,
        spent: machine.state.spent.as_deref().map(spent),
        stalled: stalled(machine),
        started_at: machine.state.started_at.0,
        state: verbatim(&data),
        status: status_name(status(machine)),
        workflow_id: &started.workflow_id,
        workflow_version: &started.workflow_version,
    };
    let state = serde_json::to_string(&view).expect("texts and verbatim values can be written");
    Inspection {
        hash: digest_of_text(&state),
        state,
    }
}

/// Whose stall the execution stands on, and why, if it does. A stall by the host
/// comes first.
fn stalled(machine: &Machine) -> Option<Value> {
    if let Some(reason) = &machine.state.host_stall {
        return Some(json!({ "by": "host", "reason": reason }));
    }
    let (_, reason) = machine.state.policy_stall.as_ref()?;
    let mut stalled = codes::stall(reason);
    stalled["by"] = "policy".into();
    Some(stalled)
}

/// What was used up of the workflow's budgets (rule R28).
fn spent(spent: &Spent) -> Value {
    json!({
        "cost_usd": spent.cost_usd.to_string(),
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
    })
}

fn view<'a>(node: &'a Node, record: &'a NodeRecord, waits_for: Option<&'a str>) -> NodeView<'a> {
    let ms = |time: Option<Timestamp>| time.map(|time| time.0);
    NodeView {
        attempts: record.attempt,
        child: None,
        chosen_target: record.chosen_target.as_deref(),
        ended_at: ms(record.ended_at),
        failure: record.failure.as_ref().map(|it| codes::failure(&it.cause)),
        handled: record.is_handled().then_some(true),
        instances: None,
        kind: kind_name(node),
        max_attempts: record.max_attempts,
        not_before: ms(record.not_before),
        queue: queue(&node.kind),
        reason: record.dismissal.map(reason_name),
        releases: Some(record.releases).filter(|releases| *releases > 0),
        scheduled_at: ms(record.scheduled_at),
        started_at: ms(record.started_at),
        state: name(record.state),
        undo: None,
        waits_for,
        wakes_at: ms(record.deadline),
        worker_id: record.worker_id.as_deref(),
    }
}

fn undo_view(machine: &Machine, undone: RunIx) -> Option<Box<UndoView<'_>>> {
    let undo = machine.state.undos.get(&undone)?;
    let node = machine.node(undone);
    let mut run = view(node, &undo.record, None);
    if let Some(compensation) = &node.compensation {
        run.kind = kind_in(&compensation.json);
        run.queue = Some(&*compensation.work.queue);
    }
    Some(Box::new(UndoView {
        completed: undo.completed,
        output: verbatim(&undo.output),
        run,
    }))
}

fn child_view(machine: &Machine, run: RunIx) -> Option<ChildView<'_>> {
    let child = machine.state.children.get(&run)?;
    Some(ChildView {
        execution_id: child.child_id.as_deref(),
        iteration: child.iteration,
        last: child.last.as_deref().map(verbatim),
    })
}

fn instances_view<'a>(
    machine: &'a Machine,
    node: &'a Node,
    instances: &'a Instances,
) -> InstancesView<'a> {
    let ix = machine.plan().find(&node.id);
    let runs = (0..).zip(&instances.runs);
    let runs = runs.filter_map(|(index, run)| {
        let run = run.as_ref()?;
        let mut view = view(node, &run.record, None);
        if let Kind::Map(map) = &node.kind {
            view.kind = kind_in(&map.body_json);
            view.queue = match &map.body {
                Body::Work(work) => Some(&*work.queue),
                Body::Child(_) => None,
            };
        }
        view.child = ix.and_then(|ix| child_view(machine, RunIx::of_instance(ix, index)));
        view.undo = ix.and_then(|ix| undo_view(machine, RunIx::of_instance(ix, index)));
        let output = run.output.as_deref().map(verbatim);
        Some((index, InstanceView { output, run: view }))
    });
    InstancesView {
        count: instances.count(),
        items: &instances.items,
        runs: runs.collect(),
    }
}

/// The name of a node's kind, as in its JSON.
pub(crate) fn kind_name(node: &Node) -> Cow<'_, str> {
    kind_in(&node.kind_json)
}

fn kind_in(kind: &RawValue) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
    }
    serde_json::from_str::<Tag<'_>>(kind.get()).map_or(Cow::Borrowed("unknown"), |tag| tag.r#type)
}

pub(crate) fn queue(kind: &Kind) -> Option<&str> {
    match kind {
        Kind::Work(work) => Some(&work.queue),
        Kind::Condition(_)
        | Kind::Parallel
        | Kind::Join(_)
        | Kind::Wait(_)
        | Kind::HumanApproval(_)
        | Kind::Map(_)
        | Kind::Subgraph(_)
        | Kind::LimitExceeded { .. }
        | Kind::Terminate(_) => None,
    }
}

fn waits_for(machine: &Machine, ix: NodeIx) -> Option<&str> {
    if machine.record(ix).state != NodeState::Waiting {
        return None;
    }
    match &machine.node(ix).kind {
        Kind::HumanApproval(_) => Some("approval"),
        Kind::Wait(wait) => {
            let resolved = machine.state.wait_texts.get(&ix);
            let key = wait.correlation_key.as_ref()?;
            key.literal().or_else(|| resolved.map(|key| &**key))
        }
        _ => None,
    }
}

fn verbatim(text: &str) -> &RawValue {
    serde_json::from_str(text).expect("payloads are checked at the door")
}

/// The status's name.
#[must_use]
pub const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Stalled => "stalled",
        Status::Completed => "completed",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    }
}

const fn reason_name(dismissal: Dismissal) -> &'static str {
    match dismissal {
        Dismissal::Skipped(SkipReason::Unreached) => "unreached",
        Dismissal::Skipped(SkipReason::ByOperator)
        | Dismissal::Cancelled(CancelReason::ByOperator) => "by_operator",
        Dismissal::Skipped(SkipReason::RunOn) => "run_on",
        Dismissal::Skipped(SkipReason::NotNeeded) => "not_needed",
        Dismissal::Cancelled(CancelReason::CancelRequested) => "cancel_requested",
        Dismissal::Cancelled(CancelReason::WorkflowTimedOut) => "workflow_timed_out",
        Dismissal::Cancelled(CancelReason::JoinSatisfied) => "join_satisfied",
        Dismissal::Cancelled(CancelReason::MapSettled) => "map_settled",
        Dismissal::Cancelled(CancelReason::Terminated) => "terminated",
        Dismissal::Cancelled(CancelReason::BudgetExceeded) => "budget_exceeded",
    }
}
