//! One attempt: the work, and the delivery of what came of it.
//!
//! The attempt is over when its answer is handed over. That the answer gets
//! into the log is the engine's business from there on: it keeps it until a
//! turn that holds it is written. An attempt that is stopped is over when nothing
//! that belongs to it is left: neither its future nor a program that it started.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::Poll;

use crate::error::WorkError;
use crate::model::WorkItem;
use crate::secrets::{Masks, Secrets, put_in};

use super::deliver::{Deliver, Within};
use super::hidden::without_secrets;
use crate::live::values::panics::{caught, drop_caught};
use crate::live::values::work::{Answer, ClaimId};
use crate::store::OutputPiece;

/// What a worker does with an item. What goes on after its future is dropped keeps the
/// other argument for as long.
pub(crate) type Work = Arc<dyn Fn(WorkItem, UntilEnd) -> Attempted + Send + Sync>;

/// Where the values of secrets come from: the first that has one says it.
pub(crate) type AllSecrets = Arc<[Box<dyn Secrets>]>;

/// A worker at work, and what it comes to.
pub(crate) type Attempted = Pin<Box<dyn Future<Output = Result<Answer, WorkError>> + Send>>;

/// A part of an attempt. The attempt has ended when the last of them is dropped; if it
/// has not answered by then, the engine is told so.
#[derive(Clone)]
pub(crate) struct UntilEnd(Arc<Unended>);

/// Tells whether an attempt has ended.
pub(super) struct AttemptEnd(Weak<Unended>);

struct Unended {
    deliver: Arc<dyn Deliver>,
    claim: ClaimId,
    last_words: LastWords,
    /// What is to be hidden of what the worker says; set before it begins.
    masks: OnceLock<Masks>,
    has_answered: AtomicBool,
}

/// Where the last of an attempt's output waits for the answer that it goes with.
pub(super) type LastWords = Arc<Mutex<Arc<[OutputPiece]>>>;

/// Does the work, and hands over what came of it. The worker is given the item with its
/// secrets, and what it answers is without them.
pub(super) fn attempt(
    deliver: Arc<dyn Deliver>,
    within: Within,
    claim: ClaimId,
    work: Work,
    item: WorkItem,
    secrets: AllSecrets,
) -> (AttemptEnd, impl Future<Output = ()> + Send + 'static) {
    // Made before the future runs: it may be dropped before it is ever polled.
    let until_end = UntilEnd(Arc::new(Unended {
        deliver,
        claim,
        last_words: LastWords::default(),
        masks: OnceLock::new(),
        has_answered: AtomicBool::new(false),
    }));
    let end = AttemptEnd(Arc::downgrade(&until_end.0));
    let attempt = async move {
        let outcome = guarded(within, work, item, secrets, until_end.clone()).await;
        until_end.answer(outcome);
    };
    (end, attempt)
}

impl UntilEnd {
    fn answer(self, outcome: Result<Answer, WorkError>) {
        let outcome = without_secrets(self.masks(), outcome);
        self.0.has_answered.store(true, Ordering::Release);
        let (deliver, claim) = (Arc::clone(&self.0.deliver), self.0.claim.clone());
        let last_words = self.0.last_words.lock();
        let said = std::mem::take(&mut *last_words.unwrap_or_else(PoisonError::into_inner));
        // The one who gets the answer finds that the attempt has ended.
        drop(self);
        deliver.deliver(claim, outcome, said);
    }

    /// What is to be hidden of what the worker says.
    pub(crate) fn masks(&self) -> &Masks {
        self.0.masks.get_or_init(Masks::default)
    }

    /// What an attempt's output goes by.
    pub(super) fn parts(&self) -> (Arc<dyn Deliver>, ClaimId, LastWords) {
        let Unended {
            deliver,
            claim,
            last_words,
            ..
        } = &*self.0;
        (Arc::clone(deliver), claim.clone(), Arc::clone(last_words))
    }
}

impl Drop for Unended {
    fn drop(&mut self) {
        if !*self.has_answered.get_mut() {
            self.deliver.dropped(self.claim.clone());
        }
    }
}

impl AttemptEnd {
    pub(super) fn has_come(&self) -> bool {
        self.0.strong_count() == 0
    }
}

/// Puts the secrets into the item, and begins to work on it.
fn work_with_secrets(
    work: &Work,
    mut item: WorkItem,
    secrets: &AllSecrets,
    until_end: UntilEnd,
) -> Result<Attempted, WorkError> {
    let masks = put_in(&mut item, secrets)?;
    // Nobody has asked for them yet.
    until_end.0.masks.get_or_init(|| masks);
    Ok(work(item, until_end))
}

/// The work's outcome. A panic is a failure like others, wherever in the
/// worker's code it comes from.
async fn guarded(
    within: Within,
    work: Work,
    item: WorkItem,
    secrets: AllSecrets,
    until_end: UntilEnd,
) -> Result<Answer, WorkError> {
    let begun = within.run(|| caught(|| work_with_secrets(&work, item, &secrets, until_end)));
    drop_caught(work, "a worker");
    let mut done = match begun {
        Ok(begun) => DropCaught(Some(begun?)),
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
