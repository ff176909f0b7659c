//! A ready node becomes a work item (rule R5), if there is room (rule R4).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use super::decision::{Decision, decision};
use crate::condition::{Expression, Scope};
use crate::contract::{EventKind, ItemDigest, NodeScheduled, RetryScheduled, WorkItem, WorkOrder};
use crate::guards::{has_room, is_held};
use crate::instance::RunIx;
use crate::json::{Object, push_quoted};
use crate::machine::Machine;
use crate::time::{Millis, Timestamp};
use crate::workflow::plan::{Kind, Map, Node, Work};

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
    let item = work_item(machine, run, now);
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
    let item = work_item(machine, run, now.after(delay));
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

fn work_item(machine: &Machine, run: RunIx, not_before: Timestamp) -> WorkItem {
    let (node, record) = (machine.node(run), machine.record(run));
    let work = machine.work(run);
    let work = work.expect("only nodes for workers are filed for dispatch");
    let node_id = machine.node_id(run);
    WorkItem {
        attempt: record.attempt + 1,
        max_attempts: record.max_attempts,
        queue: work.queue.to_owned(),
        tenant: machine.state.started.tenant.clone(),
        priority: machine.state.started.priority,
        not_before: not_before.0,
        payload: match (&node.kind, run.instance()) {
            (Kind::Map(map), Some(index)) => {
                payload_of_instance(machine, map, run, &node_id, index)
            }
            _ => payload(machine, node, work),
        },
        node_id,
    }
}

/// `{node_id, kind, input}`, in this order.
/// Each value is either quoted here or JSON that was checked.
fn payload(machine: &Machine, node: &Node, work: &Work) -> String {
    let kind = node.kind_json.get();
    let mut json = String::with_capacity(payload_bytes(machine, node, work));
    push_head(&mut json, &node.id, kind);
    push_input(machine, &mut json, work);
    json.push('}');
    json
}

fn push_head(json: &mut String, node_id: &str, kind: &str) {
    json.push_str("{\"node_id\":");
    push_quoted(json, node_id);
    json.push_str(",\"kind\":");
    json.push_str(kind);
    json.push_str(",\"input\":");
}

/// As [`payload`], where the kind is the map's body, and the input `{item, index}`
/// (rule R21).
fn payload_of_instance(
    machine: &Machine,
    map: &Map,
    run: RunIx,
    node_id: &str,
    index: u32,
) -> String {
    let item = machine.instances(run.node).item(index);
    let item = item.expect("a map keeps its elements as long as it dispatches them");
    let (kind, index) = (map.body_json.get(), index.to_string());
    let bytes = NAMES_BYTES + node_id.len() + kind.len() + item.len();
    let mut json = String::with_capacity(bytes);
    push_head(&mut json, node_id, kind);
    match &map.body.input_mapping {
        Some(mapping) => {
            push_mapped(
                &mut json,
                mapping,
                &machine.scope().of_instance(item, &index),
            );
        }
        None => {
            json.push_str("{\"item\":");
            json.push_str(item);
            json.push_str(",\"index\":");
            json.push_str(&index);
            json.push('}');
        }
    }
    json.push('}');
    json
}

/// What the names in a payload need, about.
const NAMES_BYTES: usize = 128;

/// What the payload needs, about: a mapping's values are not known yet.
fn payload_bytes(machine: &Machine, node: &Node, work: &Work) -> usize {
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
fn push_input(machine: &Machine, json: &mut String, work: &Work) {
    if let Some(mapping) = &work.input_mapping {
        return push_mapped(json, mapping, &machine.scope());
    }
    json.push_str("{\"state\":");
    machine.state.data.push_text(json);
    json.push_str(",\"input\":");
    json.push_str(&machine.state.started.initial_input);
    json.push('}');
}

fn push_mapped(json: &mut String, mapping: &[(String, Expression)], scope: &Scope<'_>) {
    let mut resolved = Object::new();
    for (name, expression) in mapping {
        resolved.insert(name.clone(), &expression.value(scope));
    }
    resolved.push_text(json);
}
