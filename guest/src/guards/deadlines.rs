//! What time alone changes.

use super::status::{is_held, may_decide};
use crate::contract::NodeState;
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::time::Timestamp;

/// When time alone could change what is decided: the earliest deadline.
/// Not-before times are not among them; the queue holds those.
#[must_use]
pub fn next_wake(machine: &Machine) -> Option<Timestamp> {
    if !may_decide(machine) {
        return None;
    }
    let of_nodes = deadlines(machine, is_held(machine)).next();
    let of_nodes = of_nodes.map(|(deadline, _)| deadline);
    of_nodes.into_iter().chain(workflow_deadline(machine)).min()
}

/// The deadlines, the earliest first. Where nothing new may be ordered, not those at which
/// another child is asked for.
pub(crate) fn deadlines(
    machine: &Machine,
    is_held: bool,
) -> impl Iterator<Item = (Timestamp, RunIx)> + '_ {
    let all = machine.agenda.deadlines.iter().copied();
    all.filter(move |(_, run)| !is_held || machine.record(*run).state != NodeState::Failing)
}

/// When the workflow's own timeout passes, while that still matters.
pub(crate) fn workflow_deadline(machine: &Machine) -> Option<Timestamp> {
    let matters = !machine.state.timed_out && machine.state.cancel.is_none();
    let timeout = machine.plan.workflow_timeout.filter(|_| matters)?;
    let since = match machine.state.forked {
        Some((_, at)) => at,
        None => machine.state.started_at,
    };
    Some(since.after(timeout))
}
