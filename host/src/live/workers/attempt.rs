//! One attempt: the work, and the delivery of what came of it.
//!
//! The attempt is over when its answer is handed over. That the answer gets
//! into the log is the engine's business from there on: it keeps it until a
//! turn that holds it is written.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::contract::WorkItem;
use crate::error::{EngineError, WorkError};

use super::super::link::{Again, Link, Message, Write, is_the_stores};
use super::super::turn::OpenTurn;
use super::super::work::{Answer, ClaimId};
use super::pool::Work;

/// Do the work, and hand over what came of it.
pub(super) async fn attempt(link: Link, claim: ClaimId, work: Work, item: WorkItem) {
    let outcome = guarded(work(item)).await;
    // If the engine is gone, nobody wants to know.
    let _ = link.tell(Message::Write(Box::new(Delivery {
        claim,
        outcome,
        refused: false,
        told: Ok(()),
    })));
}

/// The work's outcome; a panic is a failure like others.
async fn guarded(
    work: impl Future<Output = Result<Answer, WorkError>>,
) -> Result<Answer, WorkError> {
    let mut work = pin!(work);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(poll) => poll,
            Err(panic) => {
                let said = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                let said = said.unwrap_or_else(|| "without a message".to_owned());
                Poll::Ready(Err(WorkError::retryable(format!(
                    "the worker panicked: {said}"
                ))
                .class("panic")))
            }
        },
    )
    .await
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
        let told = turn.answered(&self.claim, &self.outcome).map(drop);
        let (told, failed) = match told {
            Err(error) if is_the_stores(&error) => (Ok(()), Err(error)),
            told => (told, Ok(())),
        };
        // An answer that is not taken at last frees the slot all the same.
        if let Err(error) = &told
            && !self.goes_again(error)
        {
            turn.release(&self.claim);
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
        if matches!(error, EngineError::Store(_)) {
            tracing::warn!(refrain.execution = %claim.execution, "an answer waits for the store: {error}");
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
            EngineError::Store(_) => true,
            EngineError::Json { .. }
            | EngineError::TooLong { .. }
            | EngineError::Refused { .. } => !self.refused,
            _ => false,
        }
    }
}
