//! Workers answer. An answer counts if its claim holds the item (law 7).

use crate::error::{EngineError, WorkError};
use crate::model::EventKind;

use super::claimed_items::{held_item, since_claimed};
use super::open_turn::OpenTurn;
use super::repeated::repeated;
use crate::live::values::facts;
use crate::live::values::work::{Answer, ClaimId, Receipt};

/// One of this engine's own workers has answered: its slot is free.
pub(in crate::live) fn answered(
    turn: &mut OpenTurn<'_>,
    claim: &ClaimId,
    outcome: &Result<Answer, WorkError>,
) -> Result<Receipt, EngineError> {
    let receipt = match outcome {
        Ok(answer) => complete(turn, claim, answer),
        Err(error) => fail(turn, claim, error),
    };
    // An answer that is not taken is followed by a failure that says why.
    if receipt.is_ok() {
        release(turn, claim);
    }
    receipt
}

/// The own worker of this claim is done: its slot is free.
pub(in crate::live) fn release(turn: &mut OpenTurn<'_>, claim: &ClaimId) {
    let pool = &turn.transaction.core.pool;
    turn.claims.slots.release(claim, pool);
}

/// A worker has completed its item.
pub(in crate::live) fn complete(
    turn: &mut OpenTurn<'_>,
    claim: &ClaimId,
    answer: &Answer,
) -> Result<Receipt, EngineError> {
    turn.catch_up(claim.execution)?;
    if held_item(&mut turn.transaction, claim)?.is_none() {
        let offered = facts::completed(claim, answer, 0)?;
        return repeated(&mut turn.transaction, claim, &offered);
    }
    let duration_ms = since_claimed(&mut turn.transaction, claim)?;
    let completed = facts::completed(claim, answer, duration_ms)?;
    turn.offer(claim.execution, completed)?;
    Ok(Receipt::Recorded)
}

/// A worker has failed at its item.
pub(in crate::live) fn fail(
    turn: &mut OpenTurn<'_>,
    claim: &ClaimId,
    error: &WorkError,
) -> Result<Receipt, EngineError> {
    let fact = EventKind::NodeFailed(facts::failed(claim, error));
    turn.catch_up(claim.execution)?;
    if held_item(&mut turn.transaction, claim)?.is_none() {
        return repeated(&mut turn.transaction, claim, &fact);
    }
    turn.offer(claim.execution, fact)?;
    Ok(Receipt::Recorded)
}
