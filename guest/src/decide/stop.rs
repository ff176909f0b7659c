//! Nodes that are stopped or left out: because an operator asked for it, or
//! because the execution is cancelled or out of time (rules R14 and R17).

use super::decision::{Decision, child_to_cancel, decision, take_back};
use super::next::Next;
use crate::contract::{CancelReason, EventKind, NodeCancelled, NodeSkipped, NodeState, SkipReason};
use crate::guards::{active_runs, is_ending, must_stop, stop_reason};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::node::{is_active, is_in_flight};
use crate::time::Timestamp;
use crate::workflow::plan::NodeIx;

pub(super) fn skip_asked_for(machine: &Machine) -> Option<Next> {
    machine.state.skips.front().copied().map(Next::Skip)
}

pub(super) fn skip(machine: &Machine, now: Timestamp, run: RunIx) -> Decision {
    let state = machine.record(run).state;
    if is_in_flight(state) || state == NodeState::Waiting {
        return cancellation(machine, now, run, CancelReason::ByOperator);
    }
    skipping(machine, now, run, SkipReason::ByOperator)
}

pub(super) fn skipping(
    machine: &Machine,
    now: Timestamp,
    run: RunIx,
    reason: SkipReason,
) -> Decision {
    let node_id = machine.node_id(run);
    let skipped = NodeSkipped { node_id, reason };
    decision(machine, now, EventKind::NodeSkipped(skipped), None)
}

/// Rules R14 and R17: stop what is under way, but for the finalizers that
/// run on such an ending.
pub(super) fn stop(machine: &Machine) -> Option<Next> {
    let Some(reason) = stop_reason(machine) else {
        return stop_rest(machine);
    };
    let ix = machine
        .agenda
        .active
        .iter()
        .find(|ix| must_stop(machine, *ix))?;
    let run = active_runs(machine, ix).next()?;
    Some(Next::Stop(run, reason))
}

/// Rule R21: what is under way of a settled map that needs it no more.
fn stop_rest(machine: &Machine) -> Option<Next> {
    let ix = *machine.agenda.stopping.first()?;
    let run = active_runs(machine, ix).next()?;
    Some(Next::Stop(run, CancelReason::MapSettled))
}

/// Rule R24: the first node that a settled join does without.
pub(super) fn unneeded(machine: &Machine) -> Option<Next> {
    let ix = machine.state.unneeded.first().copied()?;
    (!is_ending(machine)).then_some(Next::Dismiss(ix))
}

/// What is under way is cancelled, what has not begun is skipped.
pub(super) fn dismissal(machine: &Machine, now: Timestamp, ix: NodeIx) -> Decision {
    match is_active(machine.record(ix).state) {
        true => cancellation(machine, now, ix.into(), CancelReason::JoinSatisfied),
        false => skipping(machine, now, ix.into(), SkipReason::NotNeeded),
    }
}

pub(super) fn cancellation(
    machine: &Machine,
    now: Timestamp,
    run: RunIx,
    reason: CancelReason,
) -> Decision {
    let node_id = machine.node_id(run);
    let order = match is_in_flight(machine.record(run).state) {
        true => Some(take_back(machine, run)),
        false => child_to_cancel(machine, run),
    };
    decision(
        machine,
        now,
        EventKind::NodeCancelled(NodeCancelled { node_id, reason }),
        order,
    )
}
