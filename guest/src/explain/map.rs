//! Maps, and the instances of one (rule R21).

use alloc::vec::Vec;

use super::ends::attempt_failure;
use super::reason::{because, retry_or_skip, with};
use crate::contract::{
    CancelReason, FailedPredecessor, NextStep, NodeState, Predecessor, Reason, ReasonCause, Usage,
};
use crate::guards::{is_ending, is_of_settled_map, may_decide};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::node::{is_active, is_settled};
use crate::workflow::plan::NodeIx;

/// Instances that are told one by one for one map; a reason counts the rest.
const INSTANCES_TOLD: usize = 10;

/// The state of a run. An instance that was never dispatched stays behind with its
/// map, and is shown as stopped.
pub(super) fn state_of(machine: &Machine, run: RunIx) -> NodeState {
    let state = machine.record(run).state;
    match is_of_settled_map(machine, run) && state == NodeState::Ready {
        true => NodeState::Cancelled,
        false => state,
    }
}

/// What keeps a map from its end: instances that have failed, those that are under
/// way, and how many there are besides.
pub(super) fn why_map_waits(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    if machine.verdict(ix).is_some() && may_decide(machine) && !is_ending(machine) {
        return [because(ReasonCause::NextStep(NextStep::Settle))].into();
    }
    let mut reasons = failed(machine, ix);
    let instances = machine.instances(ix);
    let open = (0..instances.count()).map(|index| RunIx::of_instance(ix, index));
    let mut open = open.filter(|run| !is_settled(machine.record(*run).state));
    let told = open.by_ref().take(INSTANCES_TOLD).map(|run| {
        because(ReasonCause::UnmetPredecessor(Predecessor {
            node_id: machine.node_id(run),
            state: machine.record(run).state,
        }))
    });
    reasons.extend(told);
    let untold = u32::try_from(open.count()).unwrap_or(u32::MAX);
    if untold > 0 {
        reasons.push(because(ReasonCause::MorePredecessors(untold)));
    }
    reasons
}

/// Of a map that has failed, its instances that did.
pub(super) fn failed_instances(machine: &Machine, run: RunIx) -> Vec<Reason> {
    match run.is_own() && machine.state.instances.contains_key(&run.node) {
        true => failed(machine, run.node),
        false => Vec::new(),
    }
}

fn failed(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let runs = (0..).zip(&machine.instances(ix).runs);
    let failed = runs.filter_map(|(index, run)| {
        let run = run.as_ref()?;
        (run.record.state == NodeState::Failed).then(|| RunIx::of_instance(ix, index))
    });
    let told = failed.take(INSTANCES_TOLD).map(|run| {
        let cause = ReasonCause::FailedPredecessor(FailedPredecessor {
            node_id: machine.node_id(run),
            cause: attempt_failure(machine, run).cause,
        });
        with(cause, retry_or_skip(machine, run))
    });
    told.collect()
}

/// As many instances are under way as the map lets.
pub(super) fn no_window(machine: &Machine, run: RunIx) -> Reason {
    let (used, allowed) = machine.map_of(run).map_or((0, 0), |(map, agenda)| {
        let used = u32::try_from(agenda.active.len()).unwrap_or(u32::MAX);
        (used, map.max_concurrent.unwrap_or(used))
    });
    because(ReasonCause::NoRoom(Usage { used, allowed }))
}

/// It is under way, and its map, which is settled, has it stopped.
pub(super) fn why_stops(machine: &Machine, run: RunIx) -> Option<Reason> {
    let stops = !run.is_own()
        && machine.agenda.stopping.contains(&run.node)
        && is_active(machine.record(run).state);
    stops.then(|| because(ReasonCause::WasStopped(CancelReason::MapSettled)))
}
