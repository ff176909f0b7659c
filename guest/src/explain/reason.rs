//! One reason, with what somebody can do about it.

use alloc::vec;
use alloc::vec::Vec;

use crate::contract::{Reason, ReasonCause, Remedy, Usage};
use crate::guards::{is_ending, is_of_settled_map, is_why_undone, max_concurrent};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::state::is_finalizer;

/// A reason about which nobody can do anything, or need not.
pub(super) fn because(cause: ReasonCause) -> Reason {
    with(cause, Vec::new())
}

pub(super) fn with(cause: ReasonCause, remedies: Vec<Remedy>) -> Reason {
    Reason { cause, remedies }
}

pub(super) fn no_room(machine: &Machine) -> Reason {
    because(ReasonCause::NoRoom(Usage {
        used: machine.agenda.in_flight,
        allowed: max_concurrent(machine),
    }))
}

/// A node that has failed, or that the execution is stalled on, can be tried
/// again or left out, while the execution is not ending (rule R20) and no edge has
/// handled the failure (rule R26).
pub(super) fn retry_or_skip(machine: &Machine, run: impl Into<RunIx>) -> Vec<Remedy> {
    let (state, run) = (&machine.state, run.into());
    let is_too_late = match is_finalizer(&machine.node(run).kind) {
        _ if run.is_undo() => false,
        true => is_why_undone(machine, run),
        false => is_ending(machine),
    };
    let is_settled = is_of_settled_map(machine, run) || machine.record(run).is_handled();
    if state.ended.is_some() || is_too_late || is_settled || state.skips.contains(&run) {
        return Vec::new();
    }
    let node_id = || machine.node_id(run);
    vec![Remedy::Retry(node_id()), Remedy::Skip(node_id())]
}
