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

use super::guest_call::engine_error;
use super::stall::{refused, stall, stalled};
use super::step::one_step;
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::live::execution::staged::Staged;

/// Offers a fact. Answers its sequence.
pub(in crate::live) fn offer(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    fact: EventKind,
) -> Result<u64, EngineError> {
    let staged = transaction.open(id)?;
    let before = staged.record.head.sequence;
    let may_stall = !staged.held && !ended(staged.record.status);
    let mut facts = vec![fact];
    match one_step(transaction, id, &mut facts) {
        Ok((outcome, _)) => answer(transaction, id, &outcome, (0, before + 1)),
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

/// Offers a fact at which the guest failed once more, with the host's stall before
/// it; an execution begins with its event 1 all the same. A guest that fails again
/// is not asked about the stall, and the fact is not taken.
fn offer_stalled(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    mut facts: Vec<EventKind>,
    reason: String,
) -> Result<u64, EngineError> {
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
        Ok((outcome, _)) => {
            let sequence = before + 1 + u64::from(place);
            answer(transaction, id, &outcome, (place, sequence))
        }
        Err(_) => Err(engine_error(Failure::Broken(reason), id, &digest)),
    }
}

/// What became of the fact in this place, whose sequence is this if it was taken.
fn answer(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    outcome: &Outcome,
    (place, sequence): (u32, u64),
) -> Result<u64, EngineError> {
    transaction.budget.took_fact();
    if outcome.more {
        transaction.to_step.insert(id);
    }
    let mut refused = outcome.refused.iter();
    match refused.find(|refusal| refusal.index == place) {
        Some(refusal) => Err(EngineError::Refused {
            execution: id,
            code: refusal.code,
            reason: refusal.message.clone(),
        }),
        None => Ok(sequence),
    }
}
