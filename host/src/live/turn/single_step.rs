//! A paused execution goes on for one step, and is paused again, all in one turn: nobody
//! sees it unpaused (rule R18).
//!
//! ```text
//! execution_unpaused   a fact, of the one who asks for the step
//! …                    what one call of the guest decides then
//! node_started …       free workers claim its items
//! execution_paused     a fact, of the same one
//! ```
//!
//! What one call decides is bounded as ever (rule R4). What a guest decides in spite of the
//! pause, because it settles nodes itself, comes behind it as with any pause.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::{EventKind, OperatorNote, Origin, Outcome, RefusalCode, Status};
use crate::names;
use crate::store::{ItemState, ended};

use super::claim_requests::claim_for_all;
use super::guest_call::engine_error;
use super::offer::offer;
use super::one_call::one_step_if;
use super::open_turn::OpenTurn;
use super::simulation;
use super::stall::must_have_taken;
use super::transaction::Transaction;
use crate::live::values::stepped::Stepped;

/// Lets a paused execution go on for one step. Where nothing would follow, nothing is
/// appended; so it is where its guest fails, which is the caller's answer.
pub(in crate::live) fn step_once(
    turn: &mut OpenTurn<'_>,
    id: ExecutionId,
    note: &OperatorNote,
) -> Result<Stepped, EngineError> {
    turn.catch_up(id)?;
    turn.must_not_wait(id)?;
    must_be_paused(&mut turn.transaction, id)?;
    let before = turn.transaction.open(id)?.record.head.sequence;
    let would_be_claimed = would_be_claimed(turn, id)?;
    if !go_on(&mut turn.transaction, id, note, would_be_claimed)? {
        return Ok(Stepped::default());
    }
    let staged = turn.transaction.open(id)?;
    // What is due behind this step is due behind the pause, too.
    staged.has_caught_up();
    if staged.record.status == Status::Running {
        match turn.transaction.core.settings.simulated {
            true => simulation::claim_of(turn, id)?,
            false => claim_for_all(turn, Some(id))?,
        };
    }
    let transaction = &mut turn.transaction;
    if !ended(transaction.open(id)?.record.status) {
        pause(transaction, id, note)?;
    }
    let appended = transaction.open(id)?.events().iter();
    let events = appended.map(|it| &it.event);
    let events = events.filter(|event| event.sequence > before).cloned();
    Ok(Stepped {
        events: events.collect(),
    })
}

fn must_be_paused(transaction: &mut Transaction<'_>, id: ExecutionId) -> Result<(), EngineError> {
    let status = transaction.open(id)?.record.status;
    let (code, reason) = match status {
        Status::Paused => return Ok(()),
        Status::Running => (
            RefusalCode::NotHeld,
            "it is not paused; pause it, and let it go on step by step then".to_owned(),
        ),
        Status::Stalled => (
            RefusalCode::Held,
            "it is stalled, and a step of it decides nothing; lift the stall, or retry or skip the node that it is on".to_owned(),
        ),
        Status::Completed | Status::Failed | Status::Cancelled => (
            RefusalCode::Ended,
            format!("it is {}, and nothing follows on an end", names::status(status)),
        ),
    };
    Err(EngineError::Refused {
        execution: id,
        code,
        reason,
    })
}

/// Whether an item that waits already would be claimed, if the execution were not paused.
fn would_be_claimed(turn: &mut OpenTurn<'_>, id: ExecutionId) -> Result<bool, EngineError> {
    let now = turn.transaction.now();
    let core = &mut *turn.transaction.core;
    let (simulated, is_in_scope) = (core.settings.simulated, core.scope.includes(id));
    let outside = core.waiting_claims.queues();
    let own = core.pool.queues();
    let slots = &turn.claims.slots;
    let own = own.iter().enumerate();
    let own = own.filter(|(group, _)| slots.free(*group) > 0);
    let free: Vec<String> = own.map(|(_, queue)| queue.clone()).chain(outside).collect();
    let mut waiting = turn
        .transaction
        .open(id)?
        .items()
        .all()
        .filter(|record| record.state == ItemState::Waiting && record.item.not_before <= now);
    Ok(is_in_scope && waiting.any(|record| simulated || free.contains(&record.item.queue)))
}

/// Ends the pause, and has the guest decide once. Says whether that is to be kept: nothing
/// is, unless it decided something or work would be claimed.
fn go_on(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    note: &OperatorNote,
    would_be_claimed: bool,
) -> Result<bool, EngineError> {
    let record = &transaction.open(id)?.record;
    let (unpaused_at, digest) = (record.head.sequence + 1, record.guest_digest.clone());
    let is_wanted = |outcome: &Outcome| {
        let decided = outcome.last_sequence > unpaused_at;
        outcome.refused.is_empty() && (decided || would_be_claimed)
    };
    let mut facts = vec![EventKind::ExecutionUnpaused(note.clone())];
    let stepped = one_step_if(transaction, id, &mut facts, is_wanted);
    let (outcome, _) = stepped.map_err(|failure| engine_error(failure, id, &digest))?;
    if is_wanted(&outcome) {
        transaction.budget.took_fact();
        return Ok(true);
    }
    // It takes the end of the pause for appended.
    transaction.core.guests.forget(&digest, id);
    match outcome.refused.into_iter().next() {
        None => Ok(false),
        Some(refusal) => Err(EngineError::Refused {
            execution: id,
            code: refusal.code,
            reason: refusal.message,
        }),
    }
}

/// Pauses the execution again. A guest that fails at that has its execution stalled, and
/// the pause stands behind the stall: whoever lifts that finds it paused.
fn pause(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    note: &OperatorNote,
) -> Result<(), EngineError> {
    let paused = EventKind::ExecutionPaused(note.clone());
    let Err(error) = offer(transaction, id, paused.clone()) else {
        return Ok(());
    };
    let has_failed = matches!(error, EngineError::Guest { .. });
    must_have_taken(transaction, id, error)?;
    if has_failed && transaction.open(id)?.held {
        let event = transaction.next_event(id, Origin::Fact, paused)?;
        transaction.append(id, event)?;
    }
    Ok(())
}
