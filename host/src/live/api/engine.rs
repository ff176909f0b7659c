//! The engine as its users hold it: a handle on the thread that owns it all.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::error::{EngineError, WorkError};
use crate::id::ExecutionId;
use crate::json::Json;
use crate::limits::WORKER_SLOTS_DEFAULT;
use crate::model::{WorkItem, WorkflowSummary};
use crate::store::{ExecutionRecord, ListFilter, Many, StoreError, Timestamp, WorkflowRecord};

use super::builder::Builder;
use super::commits::Commits;
use super::execution::Execution;
use super::forked::Forked;
use super::forking::make_fork;
use super::shared::Shared;
use super::{closing, starting, working};
use crate::live::values::claim_request::ClaimRequest;
use crate::live::values::fork::Fork;
use crate::live::values::start::Start;
use crate::live::values::work::{Answer, Claim, ClaimId, Receipt};
use crate::live::values::workflow::Workflow;

/// A running engine. Clones are the same engine; when the last of them is
/// dropped, it stops as with [`Engine::stop`].
///
/// A worker that holds one keeps the engine alive, and the engine keeps its
/// workers: give workers a [`WeakEngine`], or end the engine by
/// [`Engine::shutdown`] or [`Engine::stop`].
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// An engine, as its own workers hold it: it keeps nothing alive.
#[derive(Clone, Debug)]
pub struct WeakEngine {
    shared: Weak<Shared>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("guest_digest", &self.shared.guest_digest)
            .field("tenant", &self.shared.tenant)
            .finish_non_exhaustive()
    }
}

impl WeakEngine {
    /// The engine, unless all who held it have dropped it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Engine> {
        self.shared.upgrade().map(|shared| Engine { shared })
    }
}

impl Engine {
    /// Put an engine together.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(in crate::live) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The same engine, without keeping it alive: for its own workers.
    #[must_use]
    pub fn downgrade(&self) -> WeakEngine {
        WeakEngine {
            shared: Arc::downgrade(&self.shared),
        }
    }

    /// The digest of the scheduler component of executions that start here.
    #[must_use]
    pub fn guest_digest(&self) -> &str {
        &self.shared.guest_digest
    }

    // ---- workflows and executions --------------------------------------------

    /// Is this workflow valid (rule R1)?
    ///
    /// # Errors
    /// [`EngineError::InvalidWorkflow`] with all that is wrong with it;
    /// [`EngineError::Overloaded`] when too many questions to the scheduler component wait.
    pub async fn validate(&self, workflow: Workflow) -> Result<WorkflowSummary, EngineError> {
        self.shared.validate(workflow).await
    }

    /// Register a workflow. Registering the same content again changes nothing.
    ///
    /// # Errors
    /// [`EngineError::InvalidWorkflow`] with all that is wrong with it;
    /// [`EngineError::WorkflowDiffers`] when another content is registered
    /// under its id and version.
    pub async fn register(&self, workflow: Workflow) -> Result<WorkflowSummary, EngineError> {
        starting::register_workflow(&self.shared, workflow).await
    }

    /// A registered workflow, as it was registered.
    ///
    /// # Errors
    /// [`EngineError::UnknownWorkflow`].
    pub async fn workflow(
        &self,
        workflow_id: &str,
        version: &str,
    ) -> Result<WorkflowRecord, EngineError> {
        starting::registered(&self.shared, workflow_id, version).await
    }

    /// Start an execution.
    ///
    /// # Errors
    /// [`EngineError::UnknownWorkflow`] when it is not registered, and
    /// [`EngineError::Json`] when the input is not accepted.
    pub async fn start(
        &self,
        workflow_id: &str,
        version: &str,
        input: impl Into<Json>,
    ) -> Result<Execution, EngineError> {
        self.start_with(Start::new(workflow_id, version, input))
            .await
    }

    /// Start an execution, with a key.
    ///
    /// # Errors
    /// As [`Engine::start`], and [`EngineError::KeyTaken`] when the key has
    /// started something else, and [`EngineError::KeyErased`] when what it started
    /// was erased since.
    pub async fn start_with(&self, start: Start) -> Result<Execution, EngineError> {
        starting::start_execution(&self.shared, start).await
    }

    /// Forks an execution: another one goes on from a place in its log (law 11). What was
    /// in flight there waits again, and open approvals are asked for anew; limits, seed,
    /// tenant and times stay, and a key or a parent is not taken along.
    ///
    /// # Errors
    /// [`EngineError::NotForked`] when there is no such place, or another workflow or
    /// guest would have decided otherwise before it; [`EngineError::UnknownExecution`],
    /// [`EngineError::UnknownWorkflow`]; [`EngineError::Store`] when its log is erased.
    pub async fn fork(&self, fork: Fork) -> Result<Forked, EngineError> {
        let (id, common) = make_fork(&self.shared, fork).await?;
        let execution = self.execution(id);
        Ok(Forked { execution, common })
    }

    /// A handle on an execution. Whether there is one of this id shows when
    /// it is asked for anything.
    #[must_use]
    pub fn execution(&self, id: ExecutionId) -> Execution {
        Execution::new(Arc::clone(&self.shared), id)
    }

    /// Hands an execution to another guest, the scheduler component of this digest. See
    /// [`Execution::upgrade`].
    ///
    /// # Errors
    /// As [`Execution::upgrade`].
    pub async fn upgrade(
        &self,
        execution: ExecutionId,
        guest: &str,
    ) -> Result<Receipt, EngineError> {
        self.execution(execution).upgrade(guest).await
    }

    /// Executions, in the order in which they started; those that cannot be read
    /// are named next to them.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn list(&self, filter: ListFilter) -> Result<Many<ExecutionRecord>, EngineError> {
        self.shared
            .read(move |store| Ok(store.list(&filter)?))
            .await
    }

    /// The executions that this engine has set aside, because what is stored of
    /// them is damaged, and why: it goes on with all others. Those whose logs were
    /// tampered with say so in their records too, and all engines leave them
    /// alone; of other damage each engine finds out by itself.
    ///
    /// # Errors
    /// [`EngineError::ShutDown`], [`EngineError::Died`].
    pub async fn set_aside(&self) -> Result<BTreeMap<ExecutionId, Arc<StoreError>>, EngineError> {
        self.shared
            .inbox
            .question(|core| Ok(core.set_aside.all()))
            .await
    }

    /// The commits to its store.
    #[must_use]
    pub fn commits(&self) -> Commits {
        self.shared.commits.clone()
    }

    // ---- workers --------------------------------------------------------------

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
        working::work(&self.shared, queue.into(), slots, work);
    }

    /// Run programs: the built-in worker of the queue `command`.
    pub fn work_commands(&self, slots: usize) {
        working::work_commands(&self.shared, slots);
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
        let words = words.into_iter().map(Into::into).collect();
        working::work_with_program(&self.shared, queue.into(), slots, words);
    }

    /// Make requests: the built-in worker of the queue `http`. Proxies and certificates
    /// are those that the environment names.
    ///
    /// Only with the Cargo feature `http`. Without, `http` is a queue like any other, and
    /// nodes of this kind wait until somebody claims them.
    #[cfg(feature = "http")]
    pub fn work_http(&self, slots: usize) {
        working::work_http(&self.shared, slots);
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
        working::claim_items(&self.shared, queue, max, worker_id).await
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
        self.shared.inbox.claim(request).await
    }

    /// A claim's worker lives: renew its lease. Answers when it ends now.
    ///
    /// # Errors
    /// [`EngineError::Stale`] when the claim holds no longer; the work should stop.
    pub async fn renew(&self, claim: ClaimId) -> Result<Timestamp, EngineError> {
        working::renew_claim(&self.shared, claim).await
    }

    /// A claim's worker needs no heartbeats for so long: for simulated ones, whose clock
    /// jumps.
    pub(crate) async fn hold(
        &self,
        claim: ClaimId,
        span: Duration,
    ) -> Result<Timestamp, EngineError> {
        working::hold_claim(&self.shared, claim, span).await
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
        working::complete_claim(&self.shared, claim, answer.into()).await
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
        working::fail_claim(&self.shared, claim, error.into()).await
    }

    /// A claim's worker shuts down, and gives the work back (rule R25): it waits again
    /// at once, and its attempt is not spent. `by` is who does that.
    ///
    /// # Errors
    /// [`EngineError::Stale`] when the claim does not hold the item.
    pub async fn release(&self, claim: ClaimId, by: Option<&str>) -> Result<Receipt, EngineError> {
        working::release_claim(&self.shared, claim, by).await
    }

    // ---- the end ----------------------------------------------------------------

    /// Come to an end in peace: nothing more is claimed, the workers that are
    /// at work finish, and all is written.
    ///
    /// Awaited within one of its own workers, it does not wait for that end,
    /// because the worker is what the end waits for: it only begins it.
    pub async fn shutdown(&self) {
        closing::close(&self.shared, true).await;
    }

    /// Come to an end at once: workers are stopped (a program is told to end
    /// with all that it started, and killed after [`PROGRAM_GRACE`]), and each, when it has
    /// ended, gives its work back (rule R25): it waits for the next worker, and no
    /// attempt is spent. So the next attempt does not run at the same time as this one. What has not
    /// ended after [`STOP_PATIENCE`] (a worker that never awaits), or cannot be written by
    /// then, waits for the end of its lease. A request that was sent is not recalled.
    ///
    /// [`PROGRAM_GRACE`]: crate::limits::PROGRAM_GRACE
    /// [`STOP_PATIENCE`]: crate::limits::STOP_PATIENCE
    pub async fn stop(&self) {
        closing::close(&self.shared, false).await;
    }

    /// Comes to an end when [`Engine::shutdown`] or [`Engine::stop`] was called and
    /// the engine's thread has not heard of it for so long: it is in the middle of
    /// one call into a scheduler component, or compiles one. That has a bound, of
    /// some seconds or, for a compilation, more; who does not want to wait for it
    /// may leave. What the turn had is not written then, and nothing is stalled by it.
    ///
    /// In a `tokio::select!` with one of the two, this bounds it.
    pub async fn unheard_for(&self, span: Duration) {
        closing::unheard_for(&self.shared, span).await;
    }

    /// Wait until the engine has come to its end.
    ///
    /// # Errors
    /// [`EngineError::Died`] when it was not told to.
    pub async fn ended(&self) -> Result<(), EngineError> {
        match self.shared.inbox.ended().await {
            EngineError::ShutDown => Ok(()),
            error => Err(error),
        }
    }
}
