//! A map is expanded, and comes to its end (rule R21).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::words::{completion, exhaustion, null};
use crate::contract::{EventKind, FailedInstances, MapExpanded, NodeFailure, NodeState};
use crate::guards::{MapItems, map_items};
use crate::instance;
use crate::json::Object;
use crate::limits::{FAILED_INSTANCES_TOLD, STATE_BYTES_MAX};
use crate::machine::Machine;
use crate::verdict::Verdict;
use crate::workflow::plan::{Map, NodeIx};

/// What becomes of a map that is filed for settling.
pub(super) fn settle_map(machine: &Machine, ix: NodeIx, map: &Map) -> EventKind {
    if machine.record(ix).state == NodeState::Ready {
        return match map_items(machine, map) {
            MapItems::List(_, count) => EventKind::MapExpanded(MapExpanded {
                node_id: machine.node_id(ix),
                count,
            }),
            MapItems::Fault(cause) => exhaustion(machine, ix, cause),
        };
    }
    match machine.verdict(ix) {
        Some(Verdict::Complete) => complete(machine, ix, map),
        Some(Verdict::TooManyFailed) => exhaustion(machine, ix, failed_instances(machine, ix)),
        Some(Verdict::TooLarge) | None => exhaustion(machine, ix, too_large()),
    }
}

/// The list of outputs, if the state has room for it.
fn complete(machine: &Machine, ix: NodeIx, map: &Map) -> EventKind {
    let key = map.output_key.as_ref().unwrap_or(&machine.node(ix).id);
    let mut patch = Object::new();
    patch.insert(key.clone(), &outputs(machine, ix));
    let bytes = machine.state.data.bytes_with(&patch) as u64;
    if bytes.saturating_add(machine.state.kept_bytes) > STATE_BYTES_MAX as u64 {
        return exhaustion(machine, ix, too_large());
    }
    completion(machine, ix, null(), patch.to_text(), None)
}

/// The outputs in the order of the instances; null for one that has none.
fn outputs(machine: &Machine, ix: NodeIx) -> String {
    let mut list = String::from("[");
    for (place, output) in machine.instances(ix).outputs().enumerate() {
        if place > 0 {
            list.push(',');
        }
        list.push_str(output.unwrap_or("null"));
    }
    list.push(']');
    list
}

/// The first of the failed instances, and how many there are.
fn failed_instances(machine: &Machine, ix: NodeIx) -> NodeFailure {
    let id = &machine.node(ix).id;
    let runs = (0..).zip(&machine.instances(ix).runs);
    let failed = runs.filter_map(|(index, run)| {
        let run = run.as_ref()?;
        (run.record.state == NodeState::Failed).then_some(index)
    });
    let told = failed.take(FAILED_INSTANCES_TOLD);
    let nodes: Vec<String> = told.map(|index| instance::id(id, index)).collect();
    NodeFailure::InstancesFailed(FailedInstances {
        count: machine.agenda.maps.get(&ix).map_or(0, |map| map.failed),
        nodes,
    })
}

/// The list of outputs has no room in the state.
fn too_large() -> NodeFailure {
    NodeFailure::TooLarge("/kind/output_key".to_string())
}
