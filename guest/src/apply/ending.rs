//! The end of an execution, and the finalizers before it (rules R14, R16, R17).

use alloc::format;
use alloc::vec::Vec;

use super::operator::lift_budget_stall;
use super::refusal::{Refusal, refuse};
use super::undo;
use crate::contract::RefusalCode as Code;
use crate::guards::{due_end, ending, is_time_for_finalizers, runs_now, workflow_deadline};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::state::{Ending, Fixed, is_finalizer};
use crate::time::Timestamp;
use crate::workflow::plan::NodeIx;

/// Whether this finalizer's time has come (rule R16), and whether it runs
/// on the ending ahead.
pub(super) fn check_finalizer(machine: &Machine, ix: NodeIx, runs: bool) -> Result<(), Refusal> {
    let id = &machine.node(ix).id;
    if !is_finalizer(&machine.node(ix).kind) {
        return refuse(Code::WrongState, format!("node `{id}` is no finalizer"));
    }
    if !machine.agenda.finalizers.contains(ix) || !is_time_for_finalizers(machine) {
        return refuse(
            Code::TooEarly,
            format!("the time of finalizer `{id}` has not come"),
        );
    }
    if runs_now(machine, ix) != runs {
        return refuse(
            Code::Unfounded,
            format!(
                "the ending ahead decides whether finalizer `{id}` runs or is skipped, and it is the other way round"
            ),
        );
    }
    Ok(())
}

/// Fix the ending that the compensations and the finalizers run for, when the first of
/// them is reached.
pub(super) fn enter_end(machine: &mut Machine, run: impl Into<RunIx>) {
    let run = run.into();
    undo::enter(machine, run);
    if !run.is_undo() && is_finalizer(&machine.node(run).kind) {
        machine.state.finalizing = ending(machine);
    }
}

pub(super) fn workflow_timed_out(machine: &mut Machine, at: Timestamp) -> Result<(), Refusal> {
    match workflow_deadline(machine) {
        Some(deadline) if deadline <= at => {
            machine.state.timed_out = true;
            lift_budget_stall(machine);
            Ok(())
        }
        Some(deadline) => refuse(
            Code::TooEarly,
            format!(
                "the workflow has time until {} ms; it is {} ms",
                deadline.0, at.0
            ),
        ),
        None => refuse(Code::Unfounded, "no timeout of the workflow runs"),
    }
}

/// Fix the ending, unless something fixed it before (rules R24 and R28).
pub(super) fn fix(machine: &mut Machine, fixed: Fixed) {
    machine.state.fixed.get_or_insert(fixed);
    lift_budget_stall(machine);
}

pub(super) fn end(machine: &mut Machine, ending: Ending) -> Result<(), Refusal> {
    if due_end(machine) != Some(ending) {
        let in_flight: Vec<&str> = machine
            .agenda
            .active
            .iter()
            .take(5)
            .map(|ix| machine.node(ix).id.as_str())
            .collect();
        return refuse(
            Code::Unfounded,
            format!(
                "the execution may not end as {} here (under way: {})",
                ending.name(),
                in_flight.join(", ")
            ),
        );
    }
    machine.state.ended = Some(ending);
    Ok(())
}
