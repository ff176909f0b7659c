//! A reader of a store in memory.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::id::ExecutionId;
use crate::model::{Label, Snapshot, WorkItem};
use crate::store::memory::data::Data;
use crate::store::memory::execution::Execution;
use crate::store::{
    ChildRecord, ClockReading, CommitError, DueWake, ExecutionRecord, ItemRecord, ItemState,
    KeptOutput, ListFilter, Many, RawEvent, Reader, SeenUpTo, StoreError, Timestamp, Turn,
    WorkflowRecord,
};

pub(super) const PLACE: &str = "the store in memory";

/// What all owners and readers of the same data share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Whether the executions are simulated.
    simulated: bool,
    state: Mutex<State>,
    pub(super) turn_ended: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Whether an owner holds the write lock.
    pub(super) locked: bool,
    /// How many turns all owners have committed.
    pub(super) committed: u64,
    /// The newest data. Looks share it, so that a turn which is written during a look
    /// copies what it changes.
    data: Arc<Data>,
}

impl State {
    pub(super) fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        Arc::make_mut(&mut self.data).commit(turn)?;
        self.committed += 1;
        Ok(())
    }
}

/// A reader of a store in memory.
#[derive(Debug, Default)]
pub(super) struct MemoryReader {
    pub(super) shared: Arc<Shared>,
    /// The data as it was when the look began, if this is within one.
    look: Option<Arc<Data>>,
}

/// The data that a question is about.
enum View<'a> {
    Look(&'a Data),
    Newest(MutexGuard<'a, State>),
}

impl Deref for View<'_> {
    type Target = Data;

    fn deref(&self) -> &Data {
        match self {
            Self::Look(data) => data,
            Self::Newest(state) => &state.data,
        }
    }
}

impl MemoryReader {
    /// A reader of an empty store of simulated executions.
    pub(super) fn simulated() -> Self {
        let shared = Shared {
            simulated: true,
            ..Shared::default()
        };
        Self {
            shared: Arc::new(shared),
            look: None,
        }
    }

    /// A panic of another owner leaves the data whole: a turn is checked
    /// first, and then written by what cannot fail.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_looking(&self) -> bool {
        self.look.is_some()
    }

    pub(super) fn another(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            look: None,
        }
    }

    fn data(&self) -> View<'_> {
        match &self.look {
            Some(data) => View::Look(data),
            None => View::Newest(self.state()),
        }
    }
}

impl Reader for MemoryReader {
    fn place(&self) -> String {
        PLACE.to_owned()
    }

    fn is_simulated(&self) -> bool {
        self.shared.simulated
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(self.another()))
    }

    fn begin_reading(&mut self) -> Result<(), StoreError> {
        if self.is_looking() {
            return Err(contradiction("a look was begun within a look"));
        }
        let data = Arc::clone(&self.state().data);
        self.look = Some(data);
        Ok(())
    }

    fn end_reading(&mut self) {
        self.look = None;
    }

    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError> {
        let data = self.data();
        Ok(data.execution(id).map(|execution| execution.record.clone()))
    }

    fn list(&mut self, filter: &ListFilter) -> Result<Many<ExecutionRecord>, StoreError> {
        let data = self.data();
        let after = filter.after.map_or(Unbounded, Excluded);
        let takes = |execution: &&Execution| {
            let id = execution.record.id;
            let is_child = || data.child(id).is_some();
            filter.takes(&execution.record, &execution.labels) && !(filter.roots && is_child())
        };
        let record = |execution: &Execution| execution.record.clone();
        let records = match filter.newest_first {
            true => {
                let newest_first = data.executions((Unbounded, after)).rev().filter(takes);
                newest_first.take(filter.max).map(record).collect()
            }
            false => {
                let oldest_first = data.executions((after, Unbounded)).filter(takes);
                oldest_first.take(filter.max).map(record).collect()
            }
        };
        Ok(Many::whole(records))
    }

    fn labels(&mut self, id: ExecutionId) -> Result<Vec<Label>, StoreError> {
        let data = self.data();
        let labels = data.execution(id).map(|execution| execution.labels.clone());
        Ok(labels.unwrap_or_default())
    }

    fn last_begun(&mut self) -> Result<Option<ExecutionId>, StoreError> {
        Ok(self.data().last_begun())
    }

    fn changed_since(
        &mut self,
        seen: SeenUpTo,
    ) -> Result<(Option<Vec<ExecutionId>>, SeenUpTo), StoreError> {
        Ok(self.data().changed_since(seen))
    }

    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        let data = self.data();
        let execution = data.execution(id).into_iter();
        let events = execution.flat_map(|execution| execution.events(first));
        Ok(events.take(max as usize).collect())
    }

    fn output(
        &mut self,
        id: ExecutionId,
        node_id: &str,
        after: u64,
    ) -> Result<Vec<KeptOutput>, StoreError> {
        let data = self.data();
        let kept = data.execution(id).map(|it| it.output.of(node_id, after));
        Ok(kept.unwrap_or_default())
    }

    fn items(&mut self, id: ExecutionId) -> Result<Many<ItemRecord>, StoreError> {
        Ok(Many::whole(self.data().items(id).cloned().collect()))
    }

    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        Ok(self.data().item(id, node_id).cloned())
    }

    fn claimable(
        &mut self,
        tenant: &str,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data.queue.claimable(tenant, queue, now);
        Ok(Many::whole(items.take(max).cloned().collect()))
    }

    fn waiting_queues(&mut self, tenant: &str) -> Result<Vec<String>, StoreError> {
        let data = self.data();
        Ok(data
            .queue
            .waiting_queues(tenant)
            .map(str::to_owned)
            .collect())
    }

    fn expired(&mut self, now: Timestamp, max: usize) -> Result<Many<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data.queue.expired(now);
        Ok(Many::whole(items.take(max).cloned().collect()))
    }

    fn dead_letters(
        &mut self,
        since: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data.queue.dead(since);
        Ok(Many::whole(items.take(max).cloned().collect()))
    }

    fn claimed_by(
        &mut self,
        worker_id: &str,
        request_id: &str,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data.queue.claimed_by(worker_id, request_id);
        let mut items: Vec<_> = items.cloned().collect();
        let name = |record: &ItemRecord| {
            let WorkItem {
                execution_id,
                node_id,
                ..
            } = &record.item;
            (execution_id.clone(), node_id.clone())
        };
        items.sort_by_key(name);
        Ok(Many::whole(items))
    }

    fn lease_holders(&mut self) -> Result<Many<String>, StoreError> {
        let data = self.data();
        let holders = data.queue.leased().filter_map(|item| match &item.state {
            ItemState::Leased(lease) => Some(lease.worker_id.as_str()),
            ItemState::Waiting | ItemState::Dead { .. } => None,
        });
        let each_once: BTreeSet<&str> = holders.collect();
        Ok(Many::whole(
            each_once.into_iter().map(str::to_owned).collect(),
        ))
    }

    fn due(
        &mut self,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError> {
        let data = self.data();
        let due = data.due(now, after).take(max);
        Ok(Many::whole(due.collect()))
    }

    fn next_due(
        &mut self,
        tenant: &str,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let data = self.data();
        let claimable = queues
            .iter()
            .filter_map(|queue| data.queue.next_claimable(tenant, queue, now));
        let wake = data.next_wake(now);
        let expiry = data.queue.next_expiry(now);
        Ok(claimable.chain(wake).chain(expiry).min())
    }

    fn last_at(&mut self, _shard: [u8; 2]) -> Result<Timestamp, StoreError> {
        Ok(self.data().last_at)
    }

    fn last_reading(&mut self, _shard: [u8; 2]) -> Result<Option<ClockReading>, StoreError> {
        Ok(self.data().reading.clone())
    }

    fn workflow(
        &mut self,
        tenant: &str,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError> {
        let name = [tenant, workflow_id, version].map(str::to_owned);
        Ok(self.data().workflows.get(&name).cloned())
    }

    fn child(&mut self, child: ExecutionId) -> Result<Option<ChildRecord>, StoreError> {
        Ok(self.data().child(child).cloned())
    }

    fn children(&mut self, parent: ExecutionId) -> Result<Vec<ChildRecord>, StoreError> {
        let data = self.data();
        let children = data.children().into_iter();
        Ok(children.filter(|it| it.parent == parent).cloned().collect())
    }

    fn owed_children(&mut self, max: usize) -> Result<Many<ChildRecord>, StoreError> {
        let data = self.data();
        let owed = data.children().into_iter().filter(|it| it.is_owed());
        Ok(Many::whole(owed.take(max).cloned().collect()))
    }

    fn descendants(&mut self, root: ExecutionId) -> Result<u64, StoreError> {
        Ok(self.data().descendants(root))
    }

    fn has_children(&mut self) -> Result<bool, StoreError> {
        Ok(self.data().has_children())
    }

    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let data = self.data();
        Ok(data.components.get(digest).map(|bytes| bytes.to_vec()))
    }

    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError> {
        let data = self.data();
        Ok(data
            .execution(id)
            .and_then(|execution| execution.snapshot.clone()))
    }
}

pub(super) fn contradiction(detail: &str) -> StoreError {
    StoreError::Contradiction {
        place: PLACE.to_owned(),
        detail: detail.to_owned(),
    }
}
