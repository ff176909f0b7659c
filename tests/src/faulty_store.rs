//! A store that can be told to fail, and that keeps what was committed to it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use refrain::contract::Snapshot;
use refrain::id::ExecutionId;
use refrain::store::{
    CommitError, ExecutionRecord, ItemRecord, ListFilter, RawEvent, Store, StoreError, Timestamp,
    Turn, WorkflowRecord,
};

/// What the next commit comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It succeeds.
    #[default]
    Good,
    /// Nothing is written.
    Fails,
    /// It is written, but the answer is lost.
    AnswerLost,
}

/// The handle that plans failures and looks at what was committed.
#[derive(Clone, Debug, Default)]
pub struct Plan(Arc<Mutex<Planned>>);

#[derive(Debug, Default)]
struct Planned {
    next: Fate,
    committed: Vec<Turn>,
}

impl Plan {
    /// Decide what the next commit comes to.
    pub fn next(&self, fate: Fate) {
        self.with(|planned| planned.next = fate);
    }

    /// The turns that were written, in order.
    #[must_use]
    pub fn committed(&self) -> Vec<Turn> {
        self.with(|planned| planned.committed.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Planned) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `inner`, with failures planned.
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: S,
    plan: Plan,
}

impl<S: Store> FaultyStore<S> {
    /// `inner`, which fails as `plan` says.
    pub fn new(inner: S, plan: &Plan) -> Self {
        Self {
            inner,
            plan: plan.clone(),
        }
    }

    fn refusal(&self) -> StoreError {
        StoreError::Io {
            place: self.inner.place(),
            detail: "this commit was made to fail".to_owned(),
        }
    }
}

impl<S: Store> Store for FaultyStore<S> {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        let fate = self.plan.with(|planned| std::mem::take(&mut planned.next));
        if fate == Fate::Fails {
            self.inner.rollback();
            return Err(CommitError::Failed(self.refusal()));
        }
        self.inner.commit(turn)?;
        self.plan
            .with(|planned| planned.committed.push(turn.clone()));
        if fate == Fate::AnswerLost {
            return Err(CommitError::Unknown(self.refusal()));
        }
        Ok(())
    }

    fn place(&self) -> String {
        self.inner.place()
    }
    fn begin(&mut self) -> Result<(), StoreError> {
        self.inner.begin()
    }
    fn rollback(&mut self) {
        self.inner.rollback();
    }
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.inner.reopen()
    }
    fn version(&mut self) -> Result<u64, StoreError> {
        self.inner.version()
    }
    fn watched_file(&self) -> Option<PathBuf> {
        self.inner.watched_file()
    }
    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError> {
        self.inner.execution(id)
    }
    fn execution_by_key(
        &mut self,
        tenant: &str,
        key: &str,
    ) -> Result<Option<ExecutionId>, StoreError> {
        self.inner.execution_by_key(tenant, key)
    }
    fn list(&mut self, filter: &ListFilter) -> Result<Vec<ExecutionRecord>, StoreError> {
        self.inner.list(filter)
    }
    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        self.inner.raw_events(id, first, max)
    }
    fn items(&mut self, id: ExecutionId) -> Result<Vec<ItemRecord>, StoreError> {
        self.inner.items(id)
    }
    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        self.inner.item(id, node_id)
    }
    fn claimable(
        &mut self,
        simulated: bool,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ItemRecord>, StoreError> {
        self.inner.claimable(simulated, queue, now, max)
    }
    fn expired(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ItemRecord>, StoreError> {
        self.inner.expired(simulated, now, max)
    }
    fn lease_holders(&mut self, simulated: bool) -> Result<Vec<String>, StoreError> {
        self.inner.lease_holders(simulated)
    }
    fn due(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        self.inner.due(simulated, now, max)
    }
    fn next_due(
        &mut self,
        simulated: bool,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_due(simulated, queues, now)
    }
    fn last_at(&mut self, simulated: bool) -> Result<Timestamp, StoreError> {
        self.inner.last_at(simulated)
    }
    fn workflow(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError> {
        self.inner.workflow(workflow_id, version)
    }
    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.component(digest)
    }
    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError> {
        self.inner.snapshot(id)
    }
}
