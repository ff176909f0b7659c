//! Nodes that are stopped or left out: because an operator asked for it, or
//! because the execution is cancelled or out of time (rules R14 and R17).

use super::decision::{Decision, decision, take_back};
use super::next::Next;
use crate::contract::{CancelReason, EventKind, NodeCancelled, NodeSkipped, NodeState, SkipReason};
use crate::guards::{is_ending, must_stop, stop_reason};
use crate::machine::Machine;
use crate::node::{is_active, is_in_flight};
use crate::time::Timestamp;
use crate::workflow::plan::NodeIx;

pub(super) fn skip_asked_for(machine: &Machine) -> Option<Next> {
    machine.state.skips.front().copied().map(Next::Skip)
}

pub(super) fn skip(machine: &Machine, now: Timestamp, ix: NodeIx) -> Decision {
    let state = machine.record(ix).state;
    if is_in_flight(state) || state == NodeState::Waiting {
        return cancellation(machine, now, ix, CancelReason::ByOperator);
    }
    skipping(machine, now, ix, SkipReason::ByOperator)
}

pub(super) fn skipping(
    machine: &Machine,
    now: Timestamp,
    ix: NodeIx,
    reason: SkipReason,
) -> Decision {
    let node_id = machine.node_id(ix);
    let skipped = NodeSkipped { node_id, reason };
    decision(machine, now, EventKind::NodeSkipped(skipped), None)
}

/// Rules R14 and R17: stop what is under way, but for the finalizers that
/// run on such an ending.
pub(super) fn stop(machine: &Machine) -> Option<Next> {
    let reason = stop_reason(machine)?;
    let ix = machine
        .agenda
        .active
        .iter()
        .find(|ix| must_stop(machine, *ix))?;
    Some(Next::Stop(ix, reason))
}

/// Rule R24: the first node that a settled join does without.
pub(super) fn unneeded(machine: &Machine) -> Option<Next> {
    let ix = machine.state.unneeded.first().copied()?;
    (!is_ending(machine)).then_some(Next::Dismiss(ix))
}

/// What is under way is cancelled, what has not begun is skipped.
pub(super) fn dismissal(machine: &Machine, now: Timestamp, ix: NodeIx) -> Decision {
    match is_active(machine.record(ix).state) {
        true => cancellation(machine, now, ix, CancelReason::JoinSatisfied),
        false => skipping(machine, now, ix, SkipReason::NotNeeded),
    }
}

pub(super) fn cancellation(
    machine: &Machine,
    now: Timestamp,
    ix: NodeIx,
    reason: CancelReason,
) -> Decision {
    let node_id = machine.node_id(ix);
    let order = is_in_flight(machine.record(ix).state).then(|| take_back(machine, ix));
    decision(
        machine,
        now,
        EventKind::NodeCancelled(NodeCancelled { node_id, reason }),
        order,
    )
}
