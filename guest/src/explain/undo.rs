//! Compensations: why one waits, and who waits for them (rule R27).

use alloc::vec::Vec;

use super::reason::{because, no_room};
use crate::contract::{Activity, NextStep, Predecessor, Reason, ReasonCause};
use crate::guards::{has_room, is_held, next_compensation};
use crate::instance::RunIx;
use crate::machine::Machine;

/// Compensations that are told one by one; a reason counts the rest.
const UNDOS_TOLD: usize = 10;

/// Why a compensation that has not begun, or is to be tried again, does not run yet: what
/// is under way, and the compensations that come before it.
pub(super) fn why_undo(machine: &Machine, run: RunIx) -> Vec<Reason> {
    if machine.state.ended.is_some() {
        return Vec::new();
    }
    let before = before(machine, run);
    if !before.is_empty() && machine.state.compensating {
        return before;
    }
    if next_compensation(machine).is_some() && !before.is_empty() {
        return before;
    }
    if next_compensation(machine) != Some(run) {
        return [because(ReasonCause::NotAtTheEnd(activity(machine)))].into();
    }
    if is_held(machine) {
        return Vec::new();
    }
    match has_room(machine) {
        true => [because(ReasonCause::NextStep(NextStep::Dispatch))].into(),
        false => [no_room(machine)].into(),
    }
}

/// What of an execution is under way, and what is ready.
pub(super) fn activity(machine: &Machine) -> Activity {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let agenda = &machine.agenda;
    Activity {
        under_way: number(agenda.active.len() + usize::from(agenda.undos.active.is_some())),
        ready: number(agenda.settle.len() + agenda.dispatch.len()),
    }
}

/// The compensations that are to be over before this one begins.
fn before(machine: &Machine, run: RunIx) -> Vec<Reason> {
    let Some(undone) = run.undoes() else {
        return Vec::new();
    };
    let completed = machine.undo(undone).completed;
    open(machine, |other| other > completed)
}

/// The compensations that are to be over before a finalizer begins.
pub(super) fn before_finalizers(machine: &Machine) -> Vec<Reason> {
    open(machine, |_| true)
}

/// The compensation that is under way, and those that wait of runs that were completed by
/// such events, the latest first.
fn open(machine: &Machine, is_meant: impl Fn(u64) -> bool) -> Vec<Reason> {
    let undos = &machine.agenda.undos;
    let waiting = undos.waiting.iter().rev();
    let waiting = waiting.take_while(|(completed, _)| is_meant(*completed));
    let waiting = waiting.map(|(_, undone)| *undone);
    let mut open = undos.active.into_iter().chain(waiting).map(RunIx::undo);
    let told = open.by_ref().take(UNDOS_TOLD).map(|run| {
        because(ReasonCause::UnmetPredecessor(Predecessor {
            node_id: machine.node_id(run),
            state: machine.record(run).state,
        }))
    });
    let mut reasons: Vec<Reason> = told.collect();
    let untold = u32::try_from(open.count()).unwrap_or(u32::MAX);
    if untold > 0 {
        reasons.push(because(ReasonCause::MorePredecessors(untold)));
    }
    reasons
}
