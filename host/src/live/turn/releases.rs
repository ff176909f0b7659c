//! Workers that shut down give their work back (rule R25).

use crate::error::EngineError;

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
    if held_item(&mut turn.transaction, claim)?.is_none() {
        return repeated(&mut turn.transaction, claim, &fact);
    }
    turn.offer(claim.execution, fact)?;
    Ok(Receipt::Recorded)
}

/// An own worker is about to be stopped, because the engine comes to its end: it gives
/// its item back. Where that cannot be written, the claim ends with its lease.
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
        match release(turn, &self.claim, Some(&self.worker_id)) {
            Err(error) if error.is_of_the_store() => Err(error),
            Err(error) if !turn.waiting.is_blocked() => {
                let claim = &self.claim;
                tracing::warn!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "a worker that is stopped could not give its work back, which waits for the end of its lease: {error}");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn answer(self: Box<Self>, _: Option<&EngineError>) -> Option<Again> {
        None
    }
}
