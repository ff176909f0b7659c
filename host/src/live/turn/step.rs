//! One execution goes on, as far as its share of the turn reaches.
//!
//! An execution that is cut off is **owed a step**. What it decided so far is
//! written with the turn, and its record says that it is due at once, at its last
//! event's time ([`ExecutionRecord::is_owed_a_step`]): so the next owner of the
//! store knows it too, after a crash and in another process. It goes on with the
//! clock reading of its last event, for law 2 wants all that follows at one time
//! decided before anything of a later time; until it has, no fact may be appended
//! to it.
//!
//! [`ExecutionRecord::is_owed_a_step`]: crate::store::ExecutionRecord::is_owed_a_step

use crate::error::EngineError;
use crate::guest::CallError;
use crate::id::ExecutionId;
use crate::model::Outcome;
use crate::store::{StoreError, ended};

use super::breaks::one_step;
use super::budget::Share;
use super::stall::stall;
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;

/// How the steps of an execution came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) enum StepEnd {
    /// It decides nothing more in this turn.
    Done,
    /// It was cut off, and comes after the others.
    CutOff,
}

/// Steps this execution, as far as its share of the turn reaches.
pub(in crate::live) fn step(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
) -> Result<StepEnd, EngineError> {
    let mut share = Share::of(transaction.core.settings.turn_limits);
    loop {
        let staged = transaction.open(id)?;
        if staged.held || ended(staged.record.status) {
            return Ok(StepEnd::Done);
        }
        let before = transaction.budget.fuel();
        let (outcome, bytes) = match one_step(transaction, id, &mut Vec::new()) {
            Ok(stepped) => stepped,
            Err(failure) => return failed(transaction, id, failure),
        };
        let burnt = transaction.budget.fuel().saturating_sub(before);
        let has_left = share.spend(burnt, bytes) && !transaction.budget.is_over();
        match goes_on(transaction, id, &outcome)? {
            true if has_left => {}
            true => return cut_off(transaction, id),
            false => {
                transaction.open(id)?.has_caught_up();
                return Ok(StepEnd::Done);
            }
        }
    }
}

/// Cuts an execution off: it is owed a step, unless nothing follows for it.
pub(in crate::live) fn cut_off(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
) -> Result<StepEnd, EngineError> {
    let staged = transaction.open(id)?;
    if staged.held || ended(staged.record.status) {
        return Ok(StepEnd::Done);
    }
    // An execution that only came to be due needs no mark: it stays due.
    if staged.has_changed() || staged.owed {
        staged.owed = true;
        staged.record.next_wake = Some(staged.record.last_at);
    }
    Ok(StepEnd::CutOff)
}

/// A step failed: the execution is stalled, if that is its guest's doing.
fn failed(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    failure: Failure,
) -> Result<StepEnd, EngineError> {
    let reason = match failure {
        // It has left the turn already.
        Failure::Store(
            StoreError::Tampered { .. }
            | StoreError::NewerEvent { .. }
            | StoreError::NewerThanGuest { .. }
            | StoreError::NoCompiler { .. },
        ) => {
            return Ok(StepEnd::Done);
        }
        // An execution that is damaged does not stop the others.
        Failure::Store(error @ StoreError::Corrupt { .. }) => error.to_string(),
        Failure::Store(error) => return Err(error.into()),
        Failure::Refused(refusal) => CallError::Scheduler(refusal).to_string(),
        Failure::Broken(reason) => reason,
    };
    stall(transaction, id, &reason)?;
    Ok(StepEnd::Done)
}

/// Whether an execution is to be stepped again after this outcome. One that was
/// owed a step, and has none left at the time of its last event, has come to the
/// time of the turn; something may have come to be due since.
fn goes_on(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    outcome: &Outcome,
) -> Result<bool, EngineError> {
    if outcome.more {
        return Ok(true);
    }
    let now = transaction.now();
    let staged = transaction.open(id)?;
    let was_owed = std::mem::replace(&mut staged.owed, false);
    Ok(was_owed && outcome.next_wake.is_some_and(|wake| wake <= now))
}
