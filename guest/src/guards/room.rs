//! How much may be under way.

use crate::instance::RunIx;
use crate::machine::Machine;

/// Whether one more node may be in flight (rule R4).
pub(crate) fn has_room(machine: &Machine) -> bool {
    machine.agenda.in_flight < max_concurrent(machine)
}

/// Whether the map of an instance lets one more be under way (rule R21).
pub(crate) fn has_window(machine: &Machine, run: RunIx) -> bool {
    machine.map_of(run).is_none_or(|(map, agenda)| {
        let max = map.max_concurrent;
        max.is_none_or(|max| agenda.active.len() < max as usize)
    })
}

/// How many nodes may be in flight.
pub(crate) fn max_concurrent(machine: &Machine) -> u32 {
    narrowed(
        machine.state.started.limits.max_concurrent_nodes,
        machine.plan.max_concurrent_nodes,
    )
}

/// How many work items one step may order.
pub(crate) fn dispatch_per_tick(machine: &Machine) -> u32 {
    narrowed(
        machine.state.started.limits.max_dispatch_per_tick,
        machine.plan.max_dispatch_per_tick,
    )
}

/// The host's limit: the workflow's own only narrows.
fn narrowed(limit: u32, own: Option<u32>) -> u32 {
    own.map_or(limit, |own| own.min(limit))
}
