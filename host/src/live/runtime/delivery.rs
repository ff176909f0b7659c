//! The answers of own workers, on their way into the log.

use std::sync::Arc;

use crate::error::{EngineError, WorkError};
use crate::live::turn::answers::{answered, release};
use crate::live::turn::open_turn::OpenTurn;
use crate::live::turn::output::keep_output;
use crate::live::turn::repeated::is_stopped;
use crate::live::turn::write::{Again, Write};
use crate::live::values::work::{Answer, ClaimId};
use crate::store::OutputPiece;

/// An answer on its way into the log.
pub(super) struct Delivery {
    claim: ClaimId,
    outcome: Result<Answer, WorkError>,
    /// What its program said last.
    said: Arc<[OutputPiece]>,
    /// The worker's answer was refused, and the outcome says so instead.
    refused: bool,
    /// The answer came after the scheduler had stopped the work.
    stopped: bool,
    /// The result in the turn that is being filled.
    told: Result<(), EngineError>,
}

impl Write for Delivery {
    fn apply(&mut self, turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
        if turn.comes_next_turn(self.claim.execution) {
            return Ok(());
        }
        let told = answered(turn, &self.claim, &self.outcome).map(drop);
        let told = told.and_then(|()| keep_output(turn, &self.claim, &self.said));
        let (told, failed) = match told {
            Err(error) if error.is_of_the_store() => (Ok(()), Err(error)),
            told => (told, Ok(())),
        };
        if let Err(EngineError::Stale { .. }) = &told {
            self.stopped = is_stopped(&mut turn.transaction, &self.claim)?;
        }
        // An answer that is refused for good frees the slot all the same.
        if let Err(error) = &told
            && !self.goes_again(error)
            && !turn.waiting.is_blocked()
        {
            release(turn, &self.claim);
        }
        self.told = told;
        failed
    }

    fn answer(mut self: Box<Self>, failed: Option<&EngineError>) -> Option<Again> {
        let told = std::mem::replace(&mut self.told, Ok(()));
        let error = match failed.cloned().map_or(told, Err) {
            Ok(()) | Err(EngineError::ShutDown) => return None,
            Err(error) => error,
        };
        let claim = &self.claim;
        if error.is_of_the_store() || error.is_contended() {
            // The engine reports that, for all that wait for it.
            tracing::debug!(refrain.execution = %claim.execution, "an answer waits for the store: {error}");
            return Some(Again::Later(self));
        }
        if self.stopped {
            tracing::debug!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "an answer came after its work was stopped: {error}");
            return None;
        }
        tracing::warn!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "an answer was not taken: {error}");
        if !self.goes_again(&error) {
            return None;
        }
        // Without an answer the item would never be settled.
        self.refused = true;
        self.outcome = Err(WorkError::permanent(format!(
            "the worker's answer was not taken: {error}"
        )));
        Some(Again::AtOnce(self))
    }
}

impl Delivery {
    pub(super) fn new(
        claim: ClaimId,
        outcome: Result<Answer, WorkError>,
        said: Arc<[OutputPiece]>,
    ) -> Self {
        Self {
            claim,
            outcome,
            said,
            refused: false,
            stopped: false,
            told: Ok(()),
        }
    }

    /// Whether it is delivered again after this error: when the store could not be
    /// read, and once, as a failure that says why, when the answer was refused.
    fn goes_again(&self, error: &EngineError) -> bool {
        match error {
            error if error.is_of_the_store() || error.is_contended() => true,
            EngineError::Json { .. }
            | EngineError::TooLong { .. }
            | EngineError::Refused { .. } => !self.refused,
            _ => false,
        }
    }
}

/// What an own worker's program has said while it runs, or until it was stopped.
pub(super) struct SaidMeanwhile {
    pub(super) claim: ClaimId,
    pub(super) pieces: Arc<[OutputPiece]>,
}

impl Write for SaidMeanwhile {
    fn apply(&mut self, turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
        if turn.comes_next_turn(self.claim.execution) {
            return Ok(());
        }
        match keep_output(turn, &self.claim, &self.pieces) {
            Err(error) if error.is_of_the_store() => Err(error),
            Err(error) => {
                let execution = self.claim.execution;
                tracing::debug!(refrain.execution = %execution, "output was not kept: {error}");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// What was not written is not tried again: it may be much, and come as fast as a
    /// program can write. The gap shows in what is kept later.
    fn answer(self: Box<Self>, failed: Option<&EngineError>) -> Option<Again> {
        if let Some(error) = failed {
            let execution = self.claim.execution;
            tracing::debug!(refrain.execution = %execution, "output was not kept: {error}");
        }
        None
    }
}
