//! Workers that shut down give their work back (rule R25).

use crate::error::EngineError;

use super::answers::release as free_slot;
use super::claimed_items::held_item;
use super::open_turn::OpenTurn;
use super::repeated::repeated;
use super::write::{Again, Write};
use crate::live::values::facts;
use crate::live::values::work::{ClaimId, Receipt};

/// A worker gives its item back: it waits again, and the attempt is not spent.
pub(in crate::live) fn release(
    turn: &mut OpenTurn<'_>,
    claim: &ClaimId,
    by: Option<&str>,
) -> Result<Receipt, EngineError> {
    let fact = facts::released(claim, by)?;
    turn.catch_up(claim.execution)?;
    if held_item(&mut turn.transaction, claim)?.is_none() {
        return repeated(&mut turn.transaction, claim, &fact);
    }
    turn.offer(claim.execution, fact)?;
    Ok(Receipt::Recorded)
}

/// An own worker was stopped, because the engine comes to its end, and has ended: it
/// gives its item back, and frees its slot. Until that is written the engine does not end,
/// as far as its patience reaches.
pub(in crate::live) struct OwnRelease {
    claim: ClaimId,
    worker_id: String,
}

impl OwnRelease {
    /// This claim of a worker of the engine with this id is given back.
    pub(in crate::live) fn new(claim: ClaimId, worker_id: String) -> Self {
        Self { claim, worker_id }
    }
}

impl Write for OwnRelease {
    fn apply(&mut self, turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
        let claim = &self.claim;
        if turn.comes_next_turn(claim.execution) {
            return Ok(());
        }
        match release(turn, claim, Some(&self.worker_id)) {
            Err(error) if error.is_of_the_store() => return Err(error),
            Err(_) if turn.waiting.is_blocked() => return Ok(()),
            // What it held was settled or lost meanwhile.
            Ok(_) | Err(EngineError::Stale { .. }) => {}
            Err(error) => not_given_back(claim, &error),
        }
        free_slot(turn, claim);
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<&EngineError>) -> Option<Again> {
        failed.map(|_| Again::Later(self))
    }
}

/// Says that the work of a claim could not be given back, and why.
pub(in crate::live) fn not_given_back(claim: &ClaimId, why: &dyn std::fmt::Display) {
    tracing::warn!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "a worker that is stopped could not give its work back, which waits for the end of its lease: {why}");
}
