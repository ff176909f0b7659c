//! One attempt: the work, and the delivery of what came of it.
//!
//! The attempt is over when its answer is handed over. That the answer gets
//! into the log is the engine's business from there on: it keeps it until a
//! turn that holds it is written.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use crate::error::WorkError;
use crate::model::WorkItem;

use super::deliver::{Deliver, Within};
use crate::live::values::panics::{caught, drop_caught};
use crate::live::values::work::{Answer, ClaimId};

/// What a worker does with an item.
pub(crate) type Work = Arc<dyn Fn(WorkItem) -> Attempted + Send + Sync>;

/// A worker at work, and what it comes to.
pub(crate) type Attempted = Pin<Box<dyn Future<Output = Result<Answer, WorkError>> + Send>>;

/// Does the work, and hands over what came of it.
pub(super) fn attempt(
    deliver: Arc<dyn Deliver>,
    within: Within,
    claim: ClaimId,
    work: Work,
    item: WorkItem,
) -> impl Future<Output = ()> + Send + 'static {
    // Made before the future runs: it may be dropped before it is ever polled.
    let unanswered = Unanswered {
        deliver,
        claim: Some(claim),
    };
    async move {
        let outcome = guarded(within, work, item).await;
        unanswered.answer(outcome);
    }
}

/// An attempt that owes an answer. Dropped with the attempt, it says so.
struct Unanswered {
    deliver: Arc<dyn Deliver>,
    claim: Option<ClaimId>,
}

impl Unanswered {
    fn answer(mut self, outcome: Result<Answer, WorkError>) {
        if let Some(claim) = self.claim.take() {
            self.deliver.deliver(claim, outcome);
        }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            self.deliver.dropped(claim);
        }
    }
}

/// The work's outcome. A panic is a failure like others, wherever in the
/// worker's code it comes from.
async fn guarded(within: Within, work: Work, item: WorkItem) -> Result<Answer, WorkError> {
    let begun = within.run(|| caught(|| work(item)));
    drop_caught(work, "a worker");
    let mut done = match begun {
        Ok(done) => DropCaught(Some(done)),
        Err(said) => return Err(panicked(&said)),
    };
    poll_fn(|context| {
        let Some(done) = &mut done.0 else {
            unreachable!("it is there until it is dropped, and is not polled after that");
        };
        match within.run(|| caught(|| done.as_mut().poll(context))) {
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
