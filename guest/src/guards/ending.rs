//! What an execution heads for, what stops on the way, and what has to be undone before it
//! ends (rules R16, R17, R24 and R27).

use super::status::is_held;
use crate::contract::CancelReason;
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::state::{Ending, Fixed, is_finalizer};
use crate::workflow::plan::{Kind, NodeIx, RunOn, Terminate};

/// What the execution heads for, once something asks for its end or nothing
/// else is left. The gravest wins (rules R17 and R24).
pub(crate) fn ending(machine: &Machine) -> Option<Ending> {
    if machine.state.cancel.is_some() {
        return Some(Ending::Cancelled);
    }
    if machine.state.timed_out {
        return Some(Ending::TimedOut);
    }
    if machine.state.compensating {
        return Some(Ending::Failed);
    }
    fixed_ending(machine)
        .or(machine.state.finalizing)
        .or_else(|| is_quiet(machine).then(|| verdict(machine)))
}

/// The ending that was fixed before everything was done (rules R24 and R28).
fn fixed_ending(machine: &Machine) -> Option<Ending> {
    Some(match machine.state.fixed.as_ref()? {
        Fixed::Terminated(ix) => match &machine.node(*ix).kind {
            Kind::Terminate(Terminate { fails: false, .. }) => Ending::Completed,
            _ => Ending::Failed,
        },
        Fixed::OverBudget(_) => Ending::Failed,
    })
}

/// The nodes that failed for good and fail the execution (rules R16, R24 and R26): of
/// those that failed before a `terminate`, none.
pub(crate) fn failing_nodes(machine: &Machine) -> impl Iterator<Item = NodeIx> + '_ {
    let is_fixed = machine.state.fixed.is_some();
    let failed = machine.agenda.failed.iter();
    failed.filter(move |ix| !is_fixed || is_finalizer(&machine.node(*ix).kind))
}

/// Whether ordinary nodes go on no more.
pub(crate) fn is_ending(machine: &Machine) -> bool {
    let state = &machine.state;
    state.cancel.is_some()
        || state.timed_out
        || state.compensating
        || state.fixed.is_some()
        || state.finalizing.is_some()
}

/// Nothing is under way, and nothing can become ready.
fn is_quiet(machine: &Machine) -> bool {
    let agenda = &machine.agenda;
    agenda.active.is_empty()
        && agenda.settle.is_empty()
        && agenda.dispatch.is_empty()
        && agenda.requests.is_empty()
        && machine.state.unneeded.is_empty()
}

fn verdict(machine: &Machine) -> Ending {
    if machine.state.compensating
        || is_failure_fixed(machine)
        || failing_nodes(machine).next().is_some()
    {
        Ending::Failed
    } else {
        Ending::Completed
    }
}

/// Whether the execution is to end as failed, whatever its nodes come to.
fn is_failure_fixed(machine: &Machine) -> bool {
    fixed_ending(machine) == Some(Ending::Failed)
}

/// How the execution would end if it ended now: what it heads for, and what has become
/// of its finalizers since.
fn end_ahead(machine: &Machine) -> Option<Ending> {
    Some(match ending(machine)? {
        // A finalizer may have failed since.
        Ending::Completed | Ending::Failed => verdict(machine),
        graver => graver,
    })
}

/// Why what is under way is being stopped, if it is.
pub(crate) fn stop_reason(machine: &Machine) -> Option<CancelReason> {
    if machine.state.cancel.is_some() {
        return Some(CancelReason::CancelRequested);
    }
    if machine.state.timed_out {
        return Some(CancelReason::WorkflowTimedOut);
    }
    machine.state.fixed.as_ref().map(|fixed| match fixed {
        Fixed::Terminated(_) => CancelReason::Terminated,
        Fixed::OverBudget(_) => CancelReason::BudgetExceeded,
    })
}

/// Whether an active node is among what stops with the execution. Not a
/// finalizer that runs on that very ending.
pub(crate) fn must_stop(machine: &Machine, ix: NodeIx) -> bool {
    !runs_now(machine, ix)
}

/// Whether this is a finalizer that runs on the ending ahead (rule R16).
pub(crate) fn runs_now(machine: &Machine, ix: NodeIx) -> bool {
    let Kind::Work(work) = &machine.node(ix).kind else {
        return false;
    };
    match (work.finalizer, ending(machine)) {
        (Some(RunOn::Always), Some(_)) => true,
        (Some(RunOn::Success), Some(ending)) => ending == Ending::Completed,
        (Some(RunOn::Failure), Some(ending)) => {
            matches!(ending, Ending::Failed | Ending::TimedOut)
        }
        (None, _) | (_, None) => false,
    }
}

/// Whether nothing but finalizers is left to do: compensations go before them.
pub(crate) fn is_time_for_finalizers(machine: &Machine) -> bool {
    let mut active = machine.agenda.active.iter();
    ending(machine).is_some()
        && !active.any(|ix| must_stop(machine, ix))
        && !is_compensating(machine)
}

/// Whether a compensation is under way, or one has to run before the execution ends (rule
/// R27).
pub(crate) fn is_compensating(machine: &Machine) -> bool {
    let undos = &machine.agenda.undos;
    undos.active.is_some() || (!undos.waiting.is_empty() && ends_badly(machine))
}

/// Whether what was completed is undone.
fn ends_badly(machine: &Machine) -> bool {
    end_ahead(machine).is_some_and(|ending| ending != Ending::Completed)
}

/// Whether what was completed is undone because of this failed node alone: a finalizer that
/// failed before.
pub(crate) fn is_why_undone(machine: &Machine, run: RunIx) -> bool {
    let state = &machine.state;
    let is_graver = state.cancel.is_some() || state.timed_out || is_failure_fixed(machine);
    state.compensating && !is_graver && failing_nodes(machine).all(|ix| run == ix.into())
}

/// The compensation whose time has come: nothing is under way, and of the runs that are
/// still to be undone, it undoes the one that was completed last.
pub(crate) fn next_compensation(machine: &Machine) -> Option<RunIx> {
    let undos = &machine.agenda.undos;
    let (_, undone) = undos.waiting.last()?;
    let may_run = undos.active.is_none() && machine.agenda.active.is_empty() && ends_badly(machine);
    may_run.then(|| undone.undo())
}

/// The end that is due now: nothing is under way, and no compensation and no finalizer is
/// left.
pub(crate) fn due_end(machine: &Machine) -> Option<Ending> {
    let agenda = &machine.agenda;
    if is_held(machine)
        || !agenda.active.is_empty()
        || !agenda.finalizers.is_empty()
        || is_compensating(machine)
    {
        return None;
    }
    end_ahead(machine)
}
