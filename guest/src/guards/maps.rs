//! What a map is over, and which of its instances are under way (rule R21).

use alloc::string::{String, ToString};

use crate::contract::{NodeFailure, NodeState};
use crate::instance::RunIx;
use crate::json::elements;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::machine::Machine;
use crate::node::is_active;
use crate::workflow::plan::{Map, NodeIx};

/// What a map is over.
pub(crate) enum MapItems {
    /// A list, and how many elements it has.
    List(String, u32),
    /// Nothing that it may be over.
    Fault(NodeFailure),
}

/// What a map is over now (rule R21).
pub(crate) fn map_items(machine: &Machine, map: &Map) -> MapItems {
    let list = map
        .over
        .value(&machine.scope().reading(machine.reads.begin()));
    if list.len() > PAYLOAD_BYTES_MAX {
        return MapItems::Fault(NodeFailure::TooLarge(OVER.to_string()));
    }
    if !list.starts_with('[') {
        return MapItems::Fault(NodeFailure::NotAList);
    }
    match u32::try_from(elements(&list).count()) {
        Ok(count) if count <= map.max_items => MapItems::List(list, count),
        counted => MapItems::Fault(NodeFailure::TooManyItems(counted.unwrap_or(u32::MAX))),
    }
}

/// Where `over` stands in a node.
const OVER: &str = "/kind/over";

/// What of a node is under way: the node, then its instances.
pub(crate) fn active_runs(machine: &Machine, ix: NodeIx) -> impl Iterator<Item = RunIx> + '_ {
    let own = is_active(machine.record(ix).state).then(|| RunIx::from(ix));
    let instances = machine.agenda.maps.get(&ix);
    let instances = instances.into_iter().flat_map(|map| &map.active);
    own.into_iter()
        .chain(instances.map(move |index| RunIx::of_instance(ix, *index)))
}

/// What of a node that is failing is to be judged: the node itself, or its instances.
pub(crate) fn failing_runs(machine: &Machine, ix: NodeIx) -> impl Iterator<Item = RunIx> + '_ {
    let own = (machine.record(ix).state == NodeState::Failing).then(|| RunIx::from(ix));
    let instances = machine.agenda.maps.get(&ix);
    let instances = instances.into_iter().flat_map(|map| &map.failing);
    own.into_iter()
        .chain(instances.map(move |index| RunIx::of_instance(ix, *index)))
}

/// The run that comes first of a node that is filed for dispatch.
pub(crate) fn first_dispatch(machine: &Machine, ix: NodeIx) -> RunIx {
    let ready = machine.agenda.maps.get(&ix).and_then(|map| {
        let count = machine.instances(ix).count();
        map.first_ready(count)
    });
    ready.map_or(ix.into(), |index| RunIx::of_instance(ix, index))
}

/// The element of an instance, JSON, while its map keeps it; also that of the instance
/// that a compensation undoes.
pub(crate) fn element(machine: &Machine, run: RunIx) -> Option<&str> {
    let index = run.index()?;
    machine.instances(run.node).item(index)
}

/// Whether an instance goes on no more, because its map is settled.
pub(crate) fn is_of_settled_map(machine: &Machine, run: RunIx) -> bool {
    run.instance().is_some() && machine.record(run.node).state != NodeState::Waiting
}
