//! One attempt: the work, and the delivery of what came of it.
//!
//! The attempt is over when its answer is handed over. That the answer gets
//! into the log is the engine's business from there on: it keeps it until a
//! turn that holds it is written.

use std::future::{Future, poll_fn};
use std::task::Poll;

use crate::contract::WorkItem;
use crate::error::{EngineError, WorkError};

use super::pool::{Attempted, Work};
use crate::live::runtime::inbox::{Again, Inbox, Message, Write, is_the_stores};
use crate::live::turn::open_turn::OpenTurn;
use crate::live::values::panics::{caught, drop_caught};
use crate::live::values::work::{Answer, ClaimId};

/// Do the work, and hand over what came of it.
pub(super) fn attempt(
    inbox: Inbox,
    claim: ClaimId,
    work: Work,
    item: WorkItem,
) -> impl Future<Output = ()> + Send + 'static {
    // Made before the future runs: it may be dropped before it is ever polled.
    let unanswered = Unanswered {
        inbox,
        claim: Some(claim),
    };
    async move {
        let outcome = guarded(&unanswered.inbox, work, item).await;
        unanswered.answer(outcome);
    }
}

/// An attempt that owes an answer. Dropped with the attempt, it says so.
struct Unanswered {
    inbox: Inbox,
    claim: Option<ClaimId>,
}

impl Unanswered {
    fn answer(mut self, outcome: Result<Answer, WorkError>) {
        if let Some(claim) = self.claim.take() {
            // If the engine is gone, nobody wants to know.
            let _ = self.inbox.send(Message::Write(Box::new(Delivery {
                claim,
                outcome,
                refused: false,
                told: Ok(()),
            })));
        }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            // The engine knows whether it has stopped the attempt itself.
            let _ = self.inbox.send(Message::Dropped(claim));
        }
    }
}

/// The work's outcome. A panic is a failure like others, wherever in the
/// worker's code it comes from.
async fn guarded(inbox: &Inbox, work: Work, item: WorkItem) -> Result<Answer, WorkError> {
    let begun = inbox.within_worker(|| caught(|| work(item)));
    drop_caught(work, "a worker");
    let mut done = match begun {
        Ok(done) => DropCaught(Some(done)),
        Err(said) => return Err(panicked(&said)),
    };
    poll_fn(|context| {
        let Some(done) = &mut done.0 else {
            unreachable!("it is there until it is dropped, and is not polled after that");
        };
        match inbox.within_worker(|| caught(|| done.as_mut().poll(context))) {
            Ok(poll) => poll,
            Err(said) => Poll::Ready(Err(panicked(&said))),
        }
    })
    .await
}

fn panicked(said: &str) -> WorkError {
    WorkError::retryable(format!("the worker panicked: {said}")).class("panic")
}

/// A worker's future. Where it is dropped, be it in the engine's thread,
/// nothing else comes to harm.
struct DropCaught(Option<Attempted>);

impl Drop for DropCaught {
    fn drop(&mut self) {
        drop_caught(self.0.take(), "a worker's future");
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
        let told = turn.answered(&self.claim, &self.outcome).map(drop);
        let (told, failed) = match told {
            Err(error) if is_the_stores(&error) => (Ok(()), Err(error)),
            told => (told, Ok(())),
        };
        // An answer that is not taken at last frees the slot all the same.
        if let Err(error) = &told
            && !self.goes_again(error)
            && !turn.waits()
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
        if is_the_stores(&error) {
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
            EngineError::Store(error) => !error.is_of_one(),
            EngineError::Json { .. }
            | EngineError::TooLong { .. }
            | EngineError::Refused { .. } => !self.refused,
            _ => false,
        }
    }
}
