//! A ready node becomes a work item (rule R5), if there is room (rule R4).

use alloc::string::{String, ToString};

use super::decision::{Decision, decision};
use crate::condition::{Expression, Scope};
use crate::contract::{
    EventKind, ItemDigest, NodeExhausted, NodeScheduled, RetryScheduled, WorkItem, WorkOrder,
};
use crate::guards::{has_room, is_held, unresolved_cause};
use crate::instance::RunIx;
use crate::json::{Object, push_quoted};
use crate::machine::Machine;
use crate::template::Unresolved;
use crate::time::{Millis, Timestamp};
use crate::workflow::plan::{Kind, Work};

/// Rules R4 and R18.
pub(super) fn may_dispatch(machine: &Machine, budget: u32) -> bool {
    budget > 0 && !is_held(machine) && has_room(machine)
}

/// The first attempt of a ready node, or the next one of a node that an
/// operator retries (rule R20).
pub(super) fn dispatch(machine: &Machine, now: Timestamp, run: RunIx) -> Decision {
    if machine.record(run).attempt > 0 {
        return order_retry(machine, now, run, Millis(0));
    }
    let item = match work_item(machine, run, now) {
        Ok(item) => item,
        Err(unresolved) => return give_up(machine, now, run, unresolved),
    };
    let scheduled = NodeScheduled {
        node_id: item.node_id.clone(),
        queue: item.queue.clone(),
        attempt: item.attempt,
        item_digest: ItemDigest::default(),
    };
    decision(
        machine,
        now,
        EventKind::NodeScheduled(scheduled),
        Some(WorkOrder::Enqueue(item)),
    )
}

/// A further attempt, after a delay.
pub(super) fn order_retry(
    machine: &Machine,
    now: Timestamp,
    run: RunIx,
    delay: Millis,
) -> Decision {
    let item = match work_item(machine, run, now.after(delay)) {
        Ok(item) => item,
        Err(unresolved) => return give_up(machine, now, run, unresolved),
    };
    let scheduled = RetryScheduled {
        node_id: item.node_id.clone(),
        attempt: item.attempt,
        delay_ms: delay.0,
        item_digest: ItemDigest::default(),
    };
    decision(
        machine,
        now,
        EventKind::RetryScheduled(scheduled),
        Some(WorkOrder::Enqueue(item)),
    )
}

/// What a worker cannot be told, no further attempt helps (rule R29).
fn give_up(machine: &Machine, now: Timestamp, run: RunIx, unresolved: Unresolved) -> Decision {
    let exhausted = NodeExhausted {
        node_id: machine.node_id(run),
        attempts: machine.record(run).attempt,
        cause: unresolved_cause(unresolved),
    };
    decision(machine, now, EventKind::NodeExhausted(exhausted), None)
}

fn work_item(machine: &Machine, run: RunIx, not_before: Timestamp) -> Result<WorkItem, Unresolved> {
    let record = machine.record(run);
    let work = machine.work(run);
    let work = work.expect("only nodes for workers are filed for dispatch");
    let node_id = machine.node_id(run);
    Ok(WorkItem {
        attempt: record.attempt + 1,
        max_attempts: record.max_attempts,
        queue: String::from(&*work.queue),
        tenant: machine.state.started.tenant.clone(),
        priority: work.priority.unwrap_or(machine.state.started.priority),
        not_before: not_before.0,
        payload: payload(machine, run, &node_id, work)?,
        node_id,
    })
}

/// `{node_id, kind, input}`, in this order; of an instance, the kind is the map's body
/// (rule R21), of a compensation the node's `compensate` (rule R27). Behind them, where the worker puts something into texts of the kind,
/// `templates`: the list of their pointers. Each value is either quoted here or JSON that
/// was checked.
fn payload(
    machine: &Machine,
    run: RunIx,
    node_id: &str,
    work: &Work,
) -> Result<String, Unresolved> {
    let index = run.index().map(|index| index.to_string());
    let element = run.index().map(|index| {
        let item = machine.instances(run.node).item(index);
        item.expect("a map keeps its elements as long as it dispatches them")
    });
    let element = element.zip(index.as_deref());
    let kind = kind(machine, run);
    let scope = machine.scope().reading(machine.reads.begin());
    let mut scope = scope.in_node(node_id);
    if let Some((item, index)) = element {
        scope = scope.of_instance(item, index);
    }
    let output = run.undoes().map(|undone| &*machine.undo(undone).output);
    if let Some(output) = output {
        scope = scope.of_undone(output);
    }
    let told = Told { element, output };
    let bytes = NAMES_BYTES + node_id.len() + kind.len() + input_bytes(machine, work, told);
    let mut json = String::with_capacity(bytes);
    json.push_str("{\"node_id\":");
    push_quoted(&mut json, node_id);
    json.push_str(",\"kind\":");
    match &work.template {
        None => json.push_str(kind),
        Some(template) => template.push(&scope, &mut json)?,
    }
    json.push_str(",\"input\":");
    let mapping = work.input_mapping.as_deref();
    push_input(machine, &mut json, mapping, &scope, told);
    let for_worker = work.template.as_ref().and_then(|it| it.for_worker());
    if let Some(pointers) = for_worker {
        json.push_str(",\"templates\":");
        json.push_str(pointers);
    }
    json.push('}');
    Ok(json)
}

/// The JSON of what a worker does, as it is written.
fn kind(machine: &Machine, run: RunIx) -> &str {
    let node = machine.node(run);
    match (&node.kind, &node.compensation) {
        (_, Some(compensation)) if run.is_undo() => compensation.json.get(),
        (Kind::Map(map), _) if !run.is_own() => map.body_json.get(),
        _ => node.kind_json.get(),
    }
}

/// What a run is told besides the state and the input, each as JSON.
#[derive(Clone, Copy, Default)]
pub(super) struct Told<'a> {
    /// Of an instance, or what undoes one: its element and its index.
    pub(super) element: Option<(&'a str, &'a str)>,
    /// Of a compensation: what the run produced that it undoes.
    pub(super) output: Option<&'a str>,
}

/// What the names in a payload need, about.
const NAMES_BYTES: usize = 128;

/// What the input needs, about: the values of expressions are not known yet.
fn input_bytes(machine: &Machine, work: &Work, told: Told<'_>) -> usize {
    match (&work.input_mapping, told.element, told.output) {
        (Some(_), _, _) => 0,
        (None, Some((item, _)), None) => item.len(),
        (None, _, output) => {
            machine.state.data.bytes_with(&Object::new())
                + machine.state.started.initial_input.len()
                + output.map_or(0, str::len)
        }
    }
}

/// The kind's mapping, resolved; without one the element of an instance and its index,
/// else all there is, and of a compensation what it undoes has produced.
pub(super) fn push_input(
    machine: &Machine,
    json: &mut String,
    mapping: Option<&[(String, Expression)]>,
    scope: &Scope<'_>,
    told: Told<'_>,
) {
    let Some(mapping) = mapping else {
        if let (Some((item, index)), None) = (told.element, told.output) {
            json.push_str("{\"item\":");
            json.push_str(item);
            json.push_str(",\"index\":");
            json.push_str(index);
        } else {
            json.push_str("{\"state\":");
            machine.state.data.push_text(json);
            json.push_str(",\"input\":");
            json.push_str(&machine.state.started.initial_input);
            if let Some(output) = told.output {
                json.push_str(",\"output\":");
                json.push_str(output);
            }
        }
        json.push('}');
        return;
    };
    let mut resolved = Object::new();
    for (name, expression) in mapping {
        resolved.insert(name.clone(), &expression.value(scope));
    }
    resolved.push_text(json);
}
