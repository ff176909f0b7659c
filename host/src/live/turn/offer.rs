//! A fact is offered to the guest of its execution, which takes it, or says why it
//! may not stand there, and decides what follows.
//!
//! A guest that fails at that is not asked again and again: the host stalls the
//! execution, and offers the same fact once more. A guest decides nothing while
//! the host stalls its execution, so that what the world reported is not lost
//! because something that follows from it cannot be decided.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::{EventKind, Outcome};
use crate::store::ended;

use super::breaks::one_step;
use super::guest_call::engine_error;
use super::stall::{refused, stall, stalled};
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::live::execution::staged::Staged;

/// What became of a fact: its sequence, or why it may not stand there.
pub(in crate::live) type Taken = Result<u64, EngineError>;

/// Offers a fact. Answers its sequence.
pub(in crate::live) fn offer(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    fact: EventKind,
) -> Result<u64, EngineError> {
    let mut taken = offer_all(transaction, id, vec![fact])?;
    taken.pop().expect("one fact is answered once")
}

/// Offers facts, in one call of the guest. Answers what became of each.
pub(in crate::live) fn offer_all(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    mut facts: Vec<EventKind>,
) -> Result<Vec<Taken>, EngineError> {
    let staged = transaction.open(id)?;
    let before = staged.record.head.sequence;
    let may_stall = !staged.held && !ended(staged.record.status);
    let offered = facts.len();
    match one_step(transaction, id, &mut facts) {
        Ok((outcome, _)) => Ok(answers(transaction, id, &outcome, before, (0, offered))),
        Err(Failure::Broken(reason)) if may_stall => offer_stalled(transaction, id, facts, reason),
        Err(failure) => Err(refused(transaction, id, failure)),
    }
}

/// Begins an execution: with its event 1, if the guest takes it.
pub(in crate::live) fn begin(
    transaction: &mut Transaction<'_>,
    staged: Staged,
    started: EventKind,
) -> Result<(), EngineError> {
    let id = staged.record.id;
    transaction.staged.insert(id, Box::new(staged));
    let begun = offer(transaction, id, started);
    if begun.is_err() {
        transaction.staged.remove(&id);
        transaction.to_step.remove(&id);
    }
    begun.map(drop)
}

/// Offers facts at which the guest failed once more, with the host's stall before
/// them; an execution begins with its event 1 all the same. A guest that fails again
/// is not asked about the stall, and the facts are not taken.
fn offer_stalled(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    mut facts: Vec<EventKind>,
    reason: String,
) -> Result<Vec<Taken>, EngineError> {
    let offered = facts.len();
    let record = &transaction.open(id)?.record;
    let (before, digest) = (record.head.sequence, record.guest_digest.clone());
    let stall_fact = stalled(transaction, id, &reason);
    let place = match before {
        0 => {
            facts.push(stall_fact);
            0
        }
        _ => {
            facts.insert(0, stall_fact);
            1
        }
    };
    let stepped = one_step(transaction, id, &mut facts);
    if before == 0 && stepped.is_err() {
        return Err(engine_error(Failure::Broken(reason), id, &digest));
    }
    // A guest has no say in the host's stall.
    if !transaction.open(id)?.held {
        stall(transaction, id, &reason)?;
    }
    match stepped {
        Ok((outcome, _)) => Ok(answers(transaction, id, &outcome, before, (place, offered))),
        Err(_) => Err(engine_error(Failure::Broken(reason), id, &digest)),
    }
}

/// What became of so many facts from this place on, of all that were offered after this
/// event.
fn answers(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    outcome: &Outcome,
    before: u64,
    (place, offered): (usize, usize),
) -> Vec<Taken> {
    for _ in 0..offered {
        transaction.budget.took_fact();
    }
    if outcome.more {
        transaction.to_step.insert(id);
    }
    let mut sequence = before;
    let answer = |index: usize| {
        let mut refused = outcome.refused.iter();
        if let Some(refusal) = refused.find(|refusal| refusal.index as usize == index) {
            return Err(EngineError::Refused {
                execution: id,
                code: refusal.code,
                reason: refusal.message.clone(),
            });
        }
        sequence += 1;
        Ok(sequence)
    };
    let answers = (0..place + offered).map(answer);
    answers.skip(place).collect()
}
