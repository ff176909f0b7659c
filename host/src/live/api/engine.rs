//! The engine as its users hold it: a handle on the thread that owns it all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::json::Json;
use crate::model::WorkflowSummary;
use crate::store::{ExecutionRecord, ListFilter, Many, StoreError, WorkflowRecord};

use super::builder::Builder;
use super::closing;
use super::commits::Commits;
use super::execution::Execution;
use super::forked::Forked;
use super::forking::make_fork;
use super::queue_use::QueueUse;
use super::shared::Shared;
use crate::live::runtime::commit_news::Committed;
use crate::live::runtime::inbox::Inbox;
use crate::live::runtime::observers::Observers;
use crate::live::runtime::questions::Questions;
use crate::live::runtime::readers::Readers;
use crate::live::turn::start::{register, start as start_execution};
use crate::live::values::fork::Fork;
use crate::live::values::start::Start;
use crate::live::values::work::Receipt;
use crate::live::values::workflow::Workflow;
use crate::live::workers::Programs;

/// A running engine. Clones are the same engine; when the last of them is
/// dropped, it stops as with [`Engine::stop`].
///
/// A worker that holds one keeps the engine alive, and the engine keeps its
/// workers: give workers a [`WeakEngine`], or end the engine by
/// [`Engine::shutdown`] or [`Engine::stop`].
#[derive(Clone)]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
}

/// An engine, as its own workers hold it: it keeps nothing alive.
#[derive(Clone)]
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

impl fmt::Debug for WeakEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakEngine")
            .field("is_there", &(self.shared.strong_count() > 0))
            .finish()
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

    pub(in crate::live) fn new(
        inbox: Inbox,
        observers: Arc<Observers>,
        committed: Committed,
        readers: Arc<Readers>,
        questions: Arc<Questions>,
        guest_digest: String,
        tenant: String,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                commits: Commits::new(committed, inbox.clone()),
                inbox,
                observers,
                readers,
                questions,
                guest_digest,
                tenant,
                programs: Programs::new(),
                queue_use: QueueUse::default(),
            }),
        }
    }

    pub(super) fn inbox(&self) -> &Inbox {
        &self.shared.inbox
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
        let summary: WorkflowSummary = self
            .inbox()
            .write_large(workflow.text().len(), move |turn| {
                register(&mut turn.transaction, &workflow)
            })
            .await?;
        self.shared.queue_use.uses(&summary.queues);
        Ok(summary)
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
        let (workflow_id, version) = (workflow_id.to_owned(), version.to_owned());
        let tenant = self.shared.tenant.clone();
        self.shared
            .read(move |store| {
                let workflow = store.workflow(&tenant, &workflow_id, &version)?;
                workflow.ok_or(EngineError::UnknownWorkflow {
                    workflow_id,
                    version,
                })
            })
            .await
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
        start.check()?;
        for needless in self.shared.queue_use.needless() {
            needless.warn();
        }
        // A key may have started it long ago; without one it does not run yet.
        let now = start
            .key
            .is_none()
            .then(|| self.shared.observers.ends_seen());
        let id = self
            .inbox()
            .write_large(start.input.as_str().len(), move |turn| {
                start_execution(&mut turn.transaction, &start)
            })
            .await?;
        let execution = self.execution(id);
        Ok(match now {
            Some(now) => execution.running_then(now),
            None => execution,
        })
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
        self.inbox().question(|core| Ok(core.set_aside.all())).await
    }

    /// The commits to its store.
    #[must_use]
    pub fn commits(&self) -> Commits {
        self.shared.commits.clone()
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
        match self.inbox().ended().await {
            EngineError::ShutDown => Ok(()),
            error => Err(error),
        }
    }
}
