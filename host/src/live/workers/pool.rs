//! The engine's own workers: crews of a queue, their slots, what they are at.
//!
//! The pool is the engine's and plain data; each attempt runs as a task of its
//! own and comes back as an answer. It never decides what is claimed: a turn does.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use crate::contract::WorkItem;
use crate::error::{EngineError, WorkError};
use crate::store::Timestamp;

use super::super::link::Link;
use super::super::work::{Answer, Claim, ClaimId};
use super::tasks::{Task, Tasks};

/// What a worker does with an item.
pub(crate) type Work = Arc<
    dyn Fn(WorkItem) -> Pin<Box<dyn Future<Output = Result<Answer, WorkError>> + Send>>
        + Send
        + Sync,
>;

/// Workers of one queue that do the same.
pub(crate) struct Crew {
    pub(crate) queue: String,
    /// How many items at once.
    pub(crate) slots: usize,
    pub(crate) work: Work,
}

/// All crews of an engine.
pub(crate) struct Pool {
    tasks: Tasks,
    link: Link,
    crews: Vec<Crew>,
    at_work: BTreeMap<ClaimId, AtWork>,
    /// No more claims: the engine is being shut down.
    closed: bool,
}

/// One attempt under way.
struct AtWork {
    crew: usize,
    expires_at: Timestamp,
    task: Task,
}

impl Pool {
    pub(crate) fn new(tasks: Tasks, link: Link) -> Self {
        Self {
            tasks,
            link,
            crews: Vec::new(),
            at_work: BTreeMap::new(),
            closed: false,
        }
    }

    /// A crew begins to work.
    pub(crate) fn join(&mut self, crew: Crew) {
        self.crews.push(crew);
    }

    /// No more claims.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Place, queue and slots of each crew that takes work.
    pub(crate) fn crews(&self) -> Vec<(usize, String, usize)> {
        let open = if self.closed {
            &[]
        } else {
            self.crews.as_slice()
        };
        open.iter()
            .enumerate()
            .map(|(place, crew)| (place, crew.queue.clone(), crew.slots))
            .collect()
    }

    /// How many slots of a crew are taken, those of `released` left out.
    pub(crate) fn busy(&self, crew: usize, released: &BTreeSet<ClaimId>) -> usize {
        self.at_work
            .iter()
            .filter(|(claim, at_work)| at_work.crew == crew && !released.contains(claim))
            .count()
    }

    /// The queues on which there is a free slot.
    pub(crate) fn free_queues(&self) -> Vec<String> {
        let free = |(place, _, slots): &(usize, String, usize)| {
            self.busy(*place, &BTreeSet::new()) < *slots
        };
        self.crews()
            .into_iter()
            .filter(free)
            .map(|(_, queue, _)| queue)
            .collect()
    }

    /// What is under way.
    pub(crate) fn running(&self) -> Vec<ClaimId> {
        self.at_work.keys().cloned().collect()
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.at_work.is_empty()
    }

    /// Claims whose lease ends at or before `time`.
    pub(crate) fn expiring(&self, time: Timestamp) -> Vec<ClaimId> {
        let ends = |at_work: &AtWork| at_work.expires_at <= time;
        self.at_work
            .iter()
            .filter(|(_, at_work)| ends(at_work))
            .map(|(claim, _)| claim.clone())
            .collect()
    }

    /// When the first lease ends.
    pub(crate) fn first_expiry(&self) -> Option<Timestamp> {
        self.at_work
            .values()
            .map(|at_work| at_work.expires_at)
            .min()
    }

    /// The claim is committed: the work begins.
    pub(crate) fn begin(&mut self, crew: usize, claim: Claim) {
        let Some(Crew { work, .. }) = self.crews.get(crew) else {
            return;
        };
        let task = self.tasks.begin(attempt(
            self.link.clone(),
            self.tasks.clone(),
            claim.id.clone(),
            Arc::clone(work),
            claim.item,
        ));
        let at_work = AtWork {
            crew,
            expires_at: claim.expires_at,
            task,
        };
        self.at_work.insert(claim.id, at_work);
    }

    /// Attempts that run within the engine's steps go on.
    pub(crate) fn go_on(&mut self) {
        let attempts = self.at_work.values_mut();
        self.tasks.go_on(attempts.map(|at_work| &mut at_work.task));
    }

    /// Whether an attempt could go on within a step.
    pub(crate) fn stirred(&self) -> bool {
        self.tasks.stirred()
    }

    /// The claim's lease was renewed.
    pub(crate) fn renewed(&mut self, claim: &ClaimId, expires_at: Timestamp) {
        if let Some(at_work) = self.at_work.get_mut(claim) {
            at_work.expires_at = expires_at;
        }
    }

    /// The attempt has been answered for.
    pub(crate) fn end(&mut self, claim: &ClaimId) {
        self.at_work.remove(claim);
    }

    /// The claim holds no longer: the work is stopped.
    pub(crate) fn stop(&mut self, claim: &ClaimId) {
        if let Some(at_work) = self.at_work.remove(claim) {
            tracing::info!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "stopped");
            at_work.task.stop();
        }
    }

    /// All work is stopped.
    pub(crate) fn stop_all(&mut self) {
        for claim in self.running() {
            self.stop(&claim);
        }
    }
}

/// One attempt: the work, and the delivery of what came of it.
async fn attempt(link: Link, tasks: Tasks, claim: ClaimId, work: Work, item: WorkItem) {
    let outcome = guarded(async move { work(item).await }).await;
    match deliver(&link, &tasks, &claim, outcome).await {
        Ok(()) | Err(EngineError::ShutDown) => {}
        Err(error) => {
            tracing::warn!(refrain.execution = %claim.execution, refrain.node = %claim.node_id, "an answer was not taken: {error}");
            // The slot is free all the same. If the engine is gone, so is the slot.
            let _ = link
                .write(move |turn| Ok(turn.released.insert(claim.clone())))
                .await;
        }
    }
}

/// Tell the engine, until it has heard. What the door refuses becomes a
/// failure that says why, because the item is not done otherwise.
async fn deliver(
    link: &Link,
    tasks: &Tasks,
    claim: &ClaimId,
    mut outcome: Result<Answer, WorkError>,
) -> Result<(), EngineError> {
    let mut refused = false;
    loop {
        let (told, of) = (outcome.clone(), claim.clone());
        match link.write(move |turn| turn.answered(&of, &told)).await {
            Ok(_) => return Ok(()),
            Err(EngineError::Store(error)) => {
                tracing::warn!(refrain.execution = %claim.execution, "an answer waits for the store: {error}");
                tasks.rest().await;
            }
            Err(
                error @ (EngineError::Json { .. }
                | EngineError::TooLong { .. }
                | EngineError::Refused { .. }),
            ) if !refused => {
                refused = true;
                outcome = Err(WorkError::permanent(format!(
                    "the worker's answer was not taken: {error}"
                )));
            }
            Err(error) => return Err(error),
        }
    }
}

/// The work's outcome; a panic is a failure like others.
async fn guarded(
    work: impl Future<Output = Result<Answer, WorkError>>,
) -> Result<Answer, WorkError> {
    let mut work = Box::pin(work);
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
