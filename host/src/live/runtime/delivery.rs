//! The answers of own workers, on their way into the log.

use crate::error::{EngineError, WorkError};
use crate::live::turn::answers::{answered, release};
use crate::live::turn::open_turn::OpenTurn;
use crate::live::turn::write::{Again, Write};
use crate::live::values::work::{Answer, ClaimId};
use crate::live::workers::Deliver;

use super::inbox::{Inbox, Message};

impl Deliver for Inbox {
    fn deliver(&self, claim: ClaimId, outcome: Result<Answer, WorkError>) {
        // If the engine is gone, nobody wants to know.
        let _ = self.send(Message::Write(Box::new(Delivery {
            claim,
            outcome,
            refused: false,
            told: Ok(()),
        })));
    }

    fn dropped(&self, claim: ClaimId) {
        // If the engine is gone, it has nothing left to give up.
        let _ = self.send(Message::Dropped(claim));
    }
}

/// An answer on its way into the log.
struct Delivery {
    claim: ClaimId,
    outcome: Result<Answer, WorkError>,
    /// The door refused what the worker said, and the outcome says so instead.
    refused: bool,
    /// What came of it in the turn that is being filled.
    told: Result<(), EngineError>,
}

impl Write for Delivery {
    fn apply(&mut self, turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
        let told = answered(turn, &self.claim, &self.outcome).map(drop);
        let (told, failed) = match told {
            Err(error) if error.is_of_the_store() => (Ok(()), Err(error)),
            told => (told, Ok(())),
        };
        // An answer that is not taken at last frees the slot all the same.
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
        if error.is_of_the_store() {
            // That the store fails is told by the engine, for all that wait for it.
            tracing::debug!(refrain.execution = %claim.execution, "an answer waits for the store: {error}");
            return Some(Again::Later(self));
        }
        tracing::warn!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "an answer was not taken: {error}");
        if !self.goes_again(&error) {
            return None;
        }
        // The item is not done otherwise.
        self.refused = true;
        self.outcome = Err(WorkError::permanent(format!(
            "the worker's answer was not taken: {error}"
        )));
        Some(Again::AtOnce(self))
    }
}

impl Delivery {
    /// Whether it goes again after this: when the store could not be read, and
    /// as a failure that says why, once, when the door refused it.
    fn goes_again(&self, error: &EngineError) -> bool {
        match error {
            error if error.is_of_the_store() => true,
            EngineError::Json { .. }
            | EngineError::TooLong { .. }
            | EngineError::Refused { .. } => !self.refused,
            _ => false,
        }
    }
}
