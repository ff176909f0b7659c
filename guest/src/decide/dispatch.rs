//! A ready node becomes a work item (rule R5), if there is room (rule R4).

use alloc::string::String;

use super::decision::{Decision, decision};
use crate::contract::{
    EventKind, ItemDigest, NodeExhausted, NodeScheduled, RetryScheduled, WorkItem, WorkOrder,
};
use crate::guards::{has_room, is_held, unresolved_cause};
use crate::json::{Object, push_quoted};
use crate::machine::Machine;
use crate::template::Unresolved;
use crate::time::{Millis, Timestamp};
use crate::workflow::plan::{Kind, Node, NodeIx, Work};

/// Rules R4 and R18.
pub(super) fn may_dispatch(machine: &Machine, budget: u32) -> bool {
    budget > 0 && !is_held(machine) && has_room(machine)
}

/// The first attempt of a ready node, or the next one of a node that an
/// operator retries (rule R20).
pub(super) fn dispatch(machine: &Machine, now: Timestamp, ix: NodeIx) -> Decision {
    if machine.record(ix).attempt > 0 {
        return order_retry(machine, now, ix, Millis(0));
    }
    let item = match work_item(machine, ix, now) {
        Ok(item) => item,
        Err(unresolved) => return give_up(machine, now, ix, unresolved),
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
    ix: NodeIx,
    delay: Millis,
) -> Decision {
    let item = match work_item(machine, ix, now.after(delay)) {
        Ok(item) => item,
        Err(unresolved) => return give_up(machine, now, ix, unresolved),
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
fn give_up(machine: &Machine, now: Timestamp, ix: NodeIx, unresolved: Unresolved) -> Decision {
    let exhausted = NodeExhausted {
        node_id: machine.node_id(ix),
        attempts: machine.record(ix).attempt,
        cause: unresolved_cause(unresolved),
    };
    decision(machine, now, EventKind::NodeExhausted(exhausted), None)
}

fn work_item(machine: &Machine, ix: NodeIx, not_before: Timestamp) -> Result<WorkItem, Unresolved> {
    let (node, record) = (machine.node(ix), machine.record(ix));
    let Kind::Work(work) = &node.kind else {
        unreachable!("only nodes for workers are filed for dispatch");
    };
    Ok(WorkItem {
        node_id: node.id.clone(),
        attempt: record.attempt + 1,
        max_attempts: record.max_attempts,
        queue: String::from(&*work.queue),
        tenant: machine.state.started.tenant.clone(),
        priority: work.priority.unwrap_or(machine.state.started.priority),
        not_before: not_before.0,
        payload: payload(machine, ix, node, work)?,
    })
}

/// `{node_id, kind, input}`, in this order; and behind it, where the worker puts
/// something into texts of the kind, `templates`, the list of their pointers.
/// Each value is either quoted here or JSON that was checked.
fn payload(machine: &Machine, ix: NodeIx, node: &Node, work: &Work) -> Result<String, Unresolved> {
    let kind = node.kind_json.get();
    let mut json = String::with_capacity(payload_bytes(machine, node, work));
    json.push_str("{\"node_id\":");
    push_quoted(&mut json, &node.id);
    json.push_str(",\"kind\":");
    match &work.template {
        None => json.push_str(kind),
        Some(template) => template.push(&machine.scope_in(ix), &mut json)?,
    }
    json.push_str(",\"input\":");
    push_input(machine, ix, &mut json, work);
    let for_worker = work.template.as_ref().and_then(|it| it.for_worker());
    if let Some(pointers) = for_worker {
        json.push_str(",\"templates\":");
        json.push_str(pointers);
    }
    json.push('}');
    Ok(json)
}

/// What the payload needs, about: the values of expressions are not known yet.
fn payload_bytes(machine: &Machine, node: &Node, work: &Work) -> usize {
    const NAMES_BYTES: usize = 128;
    let input = match work.input_mapping {
        Some(_) => 0,
        None => {
            machine.state.data.bytes_with(&Object::new())
                + machine.state.started.initial_input.len()
        }
    };
    NAMES_BYTES + node.id.len() + node.kind_json.get().len() + input
}

/// The kind's mapping, resolved; without one all there is.
fn push_input(machine: &Machine, ix: NodeIx, json: &mut String, work: &Work) {
    let Some(mapping) = &work.input_mapping else {
        json.push_str("{\"state\":");
        machine.state.data.push_text(json);
        json.push_str(",\"input\":");
        json.push_str(&machine.state.started.initial_input);
        json.push('}');
        return;
    };
    let scope = machine.scope_in(ix);
    let mut resolved = Object::new();
    for (name, expression) in mapping {
        resolved.insert(name.clone(), &expression.value(&scope));
    }
    resolved.push_text(json);
}
