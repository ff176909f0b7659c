//! The engine's doors for workers: its own, and those outside, which claim.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::milliseconds;
use crate::error::{EngineError, WorkError};
use crate::limits::WORKER_SLOTS_DEFAULT;
use crate::model::WorkItem;
use crate::queues;
use crate::store::Timestamp;

use super::engine::Engine;
use crate::live::runtime::inbox::Message;
use crate::live::turn::answers::{complete, fail};
use crate::live::turn::claims;
use crate::live::turn::late_steps::step_all;
use crate::live::turn::leases::{renew, renew_for};
use crate::live::turn::open_turn::OpenTurn;
use crate::live::turn::releases::release;
use crate::live::values::claim_request::ClaimRequest;
use crate::live::values::facts;
use crate::live::values::work::{Answer, Claim, ClaimId, Receipt};
#[cfg(feature = "http")]
use crate::live::workers::HttpWorker;
use crate::live::workers::{Attempted, Work, WorkerGroup, command, queue_program};

/// Where a worker comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// It comes with the engine.
    BuiltIn,
    /// Somebody brought it.
    Brought,
}

impl Engine {
    /// Do the work of a queue with this function: up to 16 items at once.
    ///
    /// Its answer is the node's output and patch, see [`Answer`]; its error
    /// is a failed attempt, see [`WorkError`], and so is a panic. While it runs,
    /// its claim is renewed. It is dropped at its next await when the item is
    /// cancelled or timed out.
    pub fn work<F, Done, A>(&self, queue: impl Into<String>, work: F)
    where
        F: Fn(WorkItem) -> Done + Send + Sync + 'static,
        Done: Future<Output = Result<A, WorkError>> + Send + 'static,
        A: Into<Answer>,
    {
        self.work_with_slots(queue, WORKER_SLOTS_DEFAULT, work);
    }

    /// As [`Engine::work`], for up to `slots` items at once.
    pub fn work_with_slots<F, Done, A>(&self, queue: impl Into<String>, slots: usize, work: F)
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
        self.join(queue.into(), slots, Arc::new(work), Origin::Brought);
    }

    /// Run programs: the built-in worker of the queue `command`.
    pub fn work_commands(&self, slots: usize) {
        let programs = Arc::clone(&self.shared.programs);
        let work = move |item, until_end| {
            let answer: Attempted = Box::pin(command::run(item, Arc::clone(&programs), until_end));
            answer
        };
        let queue = queues::COMMAND.to_owned();
        self.join(queue, slots, Arc::new(work), Origin::BuiltIn);
    }

    /// Run a program for each item of a queue: `words` are the program and its arguments,
    /// up to `slots` run at once. It is looked up in `PATH` unless its name has a slash,
    /// and runs in the folder of this process. It reads the item's payload, `{"node_id",
    /// "kind", "input"}`, on stdin; what it writes to stdout is the answer, as for nodes of
    /// the kind `command`. An end with another status than 0 is a failed attempt, which
    /// may be tried again.
    pub fn work_with_program(
        &self,
        queue: impl Into<String>,
        slots: usize,
        words: impl IntoIterator<Item = impl Into<String>>,
    ) {
        let words: Arc<[String]> = words.into_iter().map(Into::into).collect();
        let programs = Arc::clone(&self.shared.programs);
        let work = move |item, until_end| {
            let (words, programs) = (Arc::clone(&words), Arc::clone(&programs));
            let answer: Attempted = Box::pin(queue_program::run(item, words, programs, until_end));
            answer
        };
        self.join(queue.into(), slots, Arc::new(work), Origin::Brought);
    }

    fn join(&self, queue: String, slots: usize, work: Work, origin: Origin) {
        let queue_use = &self.shared.queue_use;
        queue_use.serves(&queue, origin == Origin::BuiltIn);
        let group = WorkerGroup { queue, slots, work };
        if self.inbox().send(Message::Join(group)).is_err() {
            tracing::warn!("workers were registered with an engine that has been shut down");
        }
    }

    /// Make requests: the built-in worker of the queue `http`. Proxies and certificates
    /// are those that the environment names.
    ///
    /// Only with the Cargo feature `http`. Without, `http` is a queue like any other, and
    /// nodes of this kind wait until somebody claims them.
    #[cfg(feature = "http")]
    pub fn work_http(&self, slots: usize) {
        let worker = HttpWorker::new();
        let work = move |item, _| {
            let worker = worker.clone();
            let answer: Attempted = Box::pin(async move { worker.run(item).await });
            answer
        };
        let queue = queues::HTTP.to_owned();
        self.join(queue, slots, Arc::new(work), Origin::BuiltIn);
    }

    /// Claim up to `max` items of a queue for a worker outside of the engine.
    /// Each claim ends with its lease, unless it is renewed in time.
    ///
    /// # Errors
    /// [`EngineError::Store`], [`EngineError::TooLong`].
    pub async fn claim(
        &self,
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
        self.inbox().write(claim).await
    }

    /// Claim work for a worker outside of the engine, and wait for it where there is
    /// none. The answer is empty if none came.
    ///
    /// A request that is repeated, because its answer may have been lost, is given the
    /// items that it holds: those of its first answer that are neither settled nor lost
    /// since, also after the engine was started anew. Their leases begin anew. Once it
    /// holds none of them, it is a new request. What it waits for is written nowhere.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`], [`EngineError::Store`]; [`EngineError::TooLong`]
    /// when one of its ids or queues is, and [`EngineError::TooMany`] when it names too
    /// many queues.
    pub async fn claim_waiting(&self, request: ClaimRequest) -> Result<Vec<Claim>, EngineError> {
        request.check()?;
        self.inbox().claim(request).await
    }

    /// A claim's worker lives: renew its lease. Answers when it ends now.
    ///
    /// # Errors
    /// [`EngineError::Stale`] when the claim holds no longer; the work should stop.
    pub async fn renew(&self, claim: ClaimId) -> Result<Timestamp, EngineError> {
        self.inbox()
            .write(move |turn| renew(&mut turn.transaction, &claim))
            .await
    }

    /// A claim's worker needs no heartbeats for so long: for simulated ones, whose clock
    /// jumps.
    pub(crate) async fn hold(
        &self,
        claim: ClaimId,
        span: Duration,
    ) -> Result<Timestamp, EngineError> {
        let lease_ms = milliseconds(span);
        self.inbox()
            .write(move |turn| renew_for(&mut turn.transaction, &claim, lease_ms))
            .await
    }

    /// A claim's work is done.
    ///
    /// # Errors
    /// [`EngineError::Stale`] when the claim does not hold the item (law 7),
    /// [`EngineError::Json`] or [`EngineError::Refused`] when the answer will not do,
    /// [`EngineError::Overloaded`] when too much waits for the engine.
    pub async fn complete(
        &self,
        claim: ClaimId,
        answer: impl Into<Answer>,
    ) -> Result<Receipt, EngineError> {
        let answer = answer.into();
        self.inbox()
            .write_large(answer.bytes(), move |turn| complete(turn, &claim, &answer))
            .await
    }

    /// A claim's work failed.
    ///
    /// # Errors
    /// As [`Engine::complete`].
    pub async fn fail(
        &self,
        claim: ClaimId,
        error: impl Into<WorkError>,
    ) -> Result<Receipt, EngineError> {
        let error = error.into();
        self.inbox()
            .write_large(error.message.len(), move |turn| fail(turn, &claim, &error))
            .await
    }

    /// A claim's worker shuts down, and gives the work back (rule R25): it waits again
    /// at once, and its attempt is not spent. `by` is who does that.
    ///
    /// # Errors
    /// [`EngineError::Stale`] when the claim does not hold the item.
    pub async fn release(&self, claim: ClaimId, by: Option<&str>) -> Result<Receipt, EngineError> {
        facts::actor(by)?;
        let by = by.map(str::to_owned);
        self.inbox()
            .write(move |turn| release(turn, &claim, by.as_deref()))
            .await
    }
}
