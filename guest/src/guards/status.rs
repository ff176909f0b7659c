//! What an execution is as a whole: running, held, stalled, or at its end.

use crate::contract::{StallAuthor, Status};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::state::Ending;

/// What the execution is.
#[must_use]
pub fn status(machine: &Machine) -> Status {
    match machine.state.ended {
        Some(Ending::Completed) => Status::Completed,
        Some(Ending::Failed | Ending::TimedOut) => Status::Failed,
        Some(Ending::Cancelled) => Status::Cancelled,
        None if is_stalled(machine) => Status::Stalled,
        None if machine.state.paused => Status::Paused,
        None => Status::Running,
    }
}

/// Whose stall the execution stands on, if it does.
#[must_use]
pub fn stalled_by(machine: &Machine) -> Option<StallAuthor> {
    if machine.state.ended.is_some() {
        return None;
    }
    let of_policy = || {
        machine
            .state
            .policy_stall
            .as_ref()
            .map(|_| StallAuthor::Policy)
    };
    match machine.state.host_stall {
        Some(_) => Some(StallAuthor::Host),
        None => of_policy(),
    }
}

/// Whether anything at all may be decided: not after the end (law 6), not while
/// the host stalls the execution, and not before a fork goes its own way.
pub(crate) fn may_decide(machine: &Machine) -> bool {
    let state = &machine.state;
    state.ended.is_none() && state.host_stall.is_none() && !has_to_fork(machine)
}

/// Whether the log has come to the end of what it has in common with the one that
/// it was forked from, and does not go its own way yet (law 11).
#[must_use]
pub fn has_to_fork(machine: &Machine) -> bool {
    let state = &machine.state;
    let Some(origin) = &state.started.forked_from else {
        return false;
    };
    let common = origin.sequence;
    let has_forked = state.forked.is_some_and(|(sequence, _)| sequence > common);
    state.sequence >= common && !has_forked
}

/// Whether the execution needs someone before it can go on.
pub(crate) fn is_stalled(machine: &Machine) -> bool {
    machine.state.host_stall.is_some() || machine.state.policy_stall.is_some()
}

/// Whether it is this on which a policy stalled the execution.
pub(crate) fn is_stalled_on(machine: &Machine, run: RunIx) -> bool {
    machine
        .state
        .policy_stall
        .as_ref()
        .is_some_and(|(on, _)| *on == Some(run))
}

/// Whether nothing new may be ordered and nothing may end (rule R18).
pub(crate) fn is_held(machine: &Machine) -> bool {
    machine.state.paused || is_stalled(machine)
}
