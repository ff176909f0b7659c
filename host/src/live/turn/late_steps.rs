//! In which order executions go on. One that is cut off, and one whose calls are
//! costly, comes after the others.

use crate::error::EngineError;
use crate::id::ExecutionId;

use super::budget::Phase;
use super::damaged::or_set_aside;
use super::open_turn::OpenTurn;
use super::step::{StepEnd, cut_off, step};

/// Steps all executions of which more may be decided, until nothing more is.
pub(in crate::live) fn step_all(turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
    while let Some(id) = turn.transaction.to_step.pop_first() {
        let comes_later = turn.transaction.core.costly.contains(id);
        let ended = if comes_later || !turn.transaction.may(Phase::Steps) {
            cut_off(&mut turn.transaction, id)
        } else {
            step(&mut turn.transaction, id)
        };
        queue_if_cut_off(turn, id, ended)?;
    }
    Ok(())
}

/// Steps the first execution of those that come after the others. Says whether
/// there was one.
pub(in crate::live) fn step_late(turn: &mut OpenTurn<'_>) -> Result<bool, EngineError> {
    while !turn.backlog.late.is_empty() {
        if !turn.transaction.may(Phase::LateSteps) {
            break;
        }
        let Some(id) = turn.backlog.late.pop_unless(&turn.served_late) else {
            break;
        };
        let transaction = &mut turn.transaction;
        let now = transaction.now();
        let goes_on = transaction.open(id).map(|staged| {
            let wake = staged.record.next_wake;
            staged.owed || wake.is_some_and(|wake| wake <= now)
        });
        if or_set_aside(transaction.core, id, goes_on)? == Some(true) {
            turn.served_late.insert(id);
            transaction.budget.took_fact();
            step_now(turn, id)?;
            return Ok(true);
        }
    }
    if !turn.backlog.late.is_empty() {
        turn.transaction.budget.cut_off();
    }
    Ok(false)
}

/// Steps this execution. If it is cut off, it comes after the others.
pub(in crate::live) fn step_now(
    turn: &mut OpenTurn<'_>,
    id: ExecutionId,
) -> Result<(), EngineError> {
    let ended = step(&mut turn.transaction, id);
    queue_if_cut_off(turn, id, ended)
}

fn queue_if_cut_off(
    turn: &mut OpenTurn<'_>,
    id: ExecutionId,
    ended: Result<StepEnd, EngineError>,
) -> Result<(), EngineError> {
    if or_set_aside(turn.transaction.core, id, ended)? == Some(StepEnd::CutOff) {
        turn.backlog.late.push(id);
    }
    Ok(())
}
