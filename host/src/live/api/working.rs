//! Workers: those of the engine, and those outside, which claim.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::milliseconds;
use crate::error::{EngineError, WorkError};
use crate::model::WorkItem;
use crate::queues;
use crate::store::Timestamp;

use super::shared::Shared;
use crate::live::runtime::inbox::Message;
use crate::live::turn::answers::{complete, fail};
use crate::live::turn::claims;
use crate::live::turn::late_steps::step_all;
use crate::live::turn::leases::{renew, renew_for};
use crate::live::turn::open_turn::OpenTurn;
use crate::live::turn::releases::release;
use crate::live::values::facts;
use crate::live::values::work::{Answer, Claim, ClaimId, Receipt};
#[cfg(feature = "http")]
use crate::live::workers::HttpWorker;
#[cfg(feature = "http")]
use crate::live::workers::UntilEnd;
use crate::live::workers::{Attempted, Work, WorkerGroup, command, queue_program};

// ---- the engine's own ----------------------------------------------------------------

/// Where a worker comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// It comes with the engine.
    BuiltIn,
    /// Somebody brought it.
    Brought,
}

/// A function works on a queue.
pub(super) fn work<F, Done, A>(shared: &Shared, queue: String, slots: usize, work: F)
where
    F: Fn(WorkItem) -> Done + Send + Sync + 'static,
    Done: Future<Output = Result<A, WorkError>> + Send + 'static,
    A: Into<Answer>,
{
    let work = move |item, _| {
        let done = work(item);
        let answer: Attempted = Box::pin(async move { done.await.map(Into::into) });
        answer
    };
    join(shared, queue, slots, Arc::new(work), Origin::Brought);
}

/// The programs that nodes name are run.
pub(super) fn work_commands(shared: &Shared, slots: usize) {
    let programs = Arc::clone(&shared.programs);
    let work = move |item, until_end| {
        let answer: Attempted = Box::pin(command::run(item, Arc::clone(&programs), until_end));
        answer
    };
    let queue = queues::COMMAND.to_owned();
    join(shared, queue, slots, Arc::new(work), Origin::BuiltIn);
}

/// A program works on a queue.
pub(super) fn work_with_program(
    shared: &Shared,
    queue: String,
    slots: usize,
    words: Arc<[String]>,
) {
    let programs = Arc::clone(&shared.programs);
    let work = move |item, until_end| {
        let (words, programs) = (Arc::clone(&words), Arc::clone(&programs));
        let answer: Attempted = Box::pin(queue_program::run(item, words, programs, until_end));
        answer
    };
    join(shared, queue, slots, Arc::new(work), Origin::Brought);
}

/// The requests that nodes describe are made.
#[cfg(feature = "http")]
pub(super) fn work_http(shared: &Shared, slots: usize) {
    let worker = HttpWorker::new();
    let work = move |item, until_end: UntilEnd| {
        let (worker, masks) = (worker.clone(), until_end.masks().clone());
        let answer: Attempted = Box::pin(async move { worker.run_hiding(item, &masks).await });
        answer
    };
    let queue = queues::HTTP.to_owned();
    join(shared, queue, slots, Arc::new(work), Origin::BuiltIn);
}

fn join(shared: &Shared, queue: String, slots: usize, work: Work, origin: Origin) {
    let is_built_in = origin == Origin::BuiltIn;
    shared.queue_use.serves(&queue, is_built_in);
    let group = WorkerGroup { queue, slots, work };
    if shared.inbox.send(Message::Join(group)).is_err() {
        tracing::warn!("workers were registered with an engine that has been shut down");
    }
}

// ---- those outside -------------------------------------------------------------------

pub(super) async fn claim_items(
    shared: &Shared,
    queue: &str,
    max: usize,
    worker_id: &str,
) -> Result<Vec<Claim>, EngineError> {
    facts::text("worker id", worker_id)?;
    facts::text("name of a queue", queue)?;
    let (queue, worker_id) = (queue.to_owned(), worker_id.to_owned());
    let claim = move |turn: &mut OpenTurn<'_>| {
        // Orders of this very turn may be claimed too.
        step_all(turn)?;
        claims::claim(turn, &queue, max, &worker_id)
    };
    shared.inbox.write(claim).await
}

pub(super) async fn renew_claim(shared: &Shared, claim: ClaimId) -> Result<Timestamp, EngineError> {
    let renew = move |turn: &mut OpenTurn<'_>| renew(&mut turn.transaction, &claim);
    shared.inbox.write(renew).await
}

pub(super) async fn hold_claim(
    shared: &Shared,
    claim: ClaimId,
    span: Duration,
) -> Result<Timestamp, EngineError> {
    let lease_ms = milliseconds(span);
    let hold = move |turn: &mut OpenTurn<'_>| renew_for(&mut turn.transaction, &claim, lease_ms);
    shared.inbox.write(hold).await
}

pub(super) async fn complete_claim(
    shared: &Shared,
    claim: ClaimId,
    answer: Answer,
) -> Result<Receipt, EngineError> {
    let bytes = answer.bytes();
    let complete = move |turn: &mut OpenTurn<'_>| complete(turn, &claim, &answer);
    shared.inbox.write_large(bytes, complete).await
}

pub(super) async fn fail_claim(
    shared: &Shared,
    claim: ClaimId,
    error: WorkError,
) -> Result<Receipt, EngineError> {
    let bytes = error.message.len();
    let fail = move |turn: &mut OpenTurn<'_>| fail(turn, &claim, &error);
    shared.inbox.write_large(bytes, fail).await
}

pub(super) async fn release_claim(
    shared: &Shared,
    claim: ClaimId,
    by: Option<&str>,
) -> Result<Receipt, EngineError> {
    facts::actor(by)?;
    let by = by.map(str::to_owned);
    let release = move |turn: &mut OpenTurn<'_>| release(turn, &claim, by.as_deref());
    shared.inbox.write(release).await
}
