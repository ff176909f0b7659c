//! The store in memory: for tests and simulations, and as the plainest reading
//! of the contract. Nothing in it survives the process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::contract::Snapshot;
use crate::id::ExecutionId;
use crate::store::check::{self, EventBytes};
use crate::store::status::{claims, wakes};
use crate::store::{
    CommitError, ExecutionChange, ExecutionRecord, ItemChange, ItemRecord, ItemState, ListFilter,
    RawEvent, Store, StoreError, Timestamp, Turn, WorkflowRecord, ended,
};

const PLACE: &str = "the store in memory";

/// How long a turn waits for another owner's.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// A store in memory. A clone is another owner of the same data, as another
/// process would be of a file.
#[derive(Debug, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
    /// Whether this owner holds the write lock.
    in_turn: bool,
    /// How many turns this owner has committed.
    committed: u64,
}

#[derive(Debug, Default)]
struct Shared {
    data: Mutex<Data>,
    turn_ended: Condvar,
}

#[derive(Debug, Default)]
struct Data {
    /// Whether an owner holds the write lock.
    locked: bool,
    /// How many turns all owners have committed.
    committed: u64,
    /// How many work items were ever ordered.
    ordered: u64,
    executions: BTreeMap<ExecutionId, Execution>,
    /// Those that have not ended: all that time and workers concern.
    live: BTreeSet<ExecutionId>,
    keys: BTreeMap<(String, String), ExecutionId>,
    workflows: BTreeMap<(String, String), WorkflowRecord>,
    components: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug)]
struct Execution {
    record: ExecutionRecord,
    events: Vec<RawEvent>,
    items: Items,
    snapshot: Option<Snapshot>,
}

/// Items by node id, each with the number of its order.
type Items = BTreeMap<String, (u64, ItemRecord)>;

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic of another owner leaves the data whole: a turn is checked
    /// first, and then written by what cannot fail.
    fn data(&self) -> MutexGuard<'_, Data> {
        self.shared
            .data
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn end_turn(&mut self) {
        if self.in_turn {
            self.in_turn = false;
            self.data().locked = false;
            self.shared.turn_ended.notify_one();
        }
    }
}

impl Clone for MemoryStore {
    fn clone(&self) -> Self {
        let committed = self.data().committed;
        Self {
            shared: Arc::clone(&self.shared),
            in_turn: false,
            committed,
        }
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.end_turn();
    }
}

impl Store for MemoryStore {
    fn place(&self) -> String {
        PLACE.to_owned()
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if self.in_turn {
            return Err(contradiction("a turn was begun within a turn"));
        }
        let waited = self
            .shared
            .turn_ended
            .wait_timeout_while(self.data(), LOCK_WAIT, |data| data.locked);
        let (mut data, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if data.locked {
            let detail = format!("waited for {} s", LOCK_WAIT.as_secs());
            return Err(StoreError::Locked {
                place: PLACE.to_owned(),
                detail,
            });
        }
        data.locked = true;
        drop(data);
        self.in_turn = true;
        Ok(())
    }

    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        if !self.in_turn {
            return Err(CommitError::Failed(contradiction(
                "a turn was committed that was never begun",
            )));
        }
        let written = check::turn(turn, PLACE)
            .map_err(CommitError::Failed)
            .and_then(|bytes| self.data().commit(turn, bytes));
        if written.is_ok() {
            self.committed += 1;
        }
        self.end_turn();
        written
    }

    fn rollback(&mut self) {
        self.end_turn();
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.end_turn();
        Ok(())
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        Ok(self.data().committed - self.committed)
    }

    fn watched_file(&self) -> Option<PathBuf> {
        None
    }

    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError> {
        Ok(self
            .data()
            .executions
            .get(&id)
            .map(|execution| execution.record.clone()))
    }

    fn execution_by_key(
        &mut self,
        tenant: &str,
        key: &str,
    ) -> Result<Option<ExecutionId>, StoreError> {
        Ok(self
            .data()
            .keys
            .get(&(tenant.to_owned(), key.to_owned()))
            .copied())
    }

    fn list(&mut self, filter: &ListFilter) -> Result<Vec<ExecutionRecord>, StoreError> {
        let data = self.data();
        let records = data
            .executions
            .values()
            .map(|execution| &execution.record)
            .filter(|record| {
                filter.status.is_none_or(|status| status == record.status)
                    && filter
                        .after
                        .is_none_or(|after| after < (record.started_at, record.id))
            });
        Ok(first(
            filter.max,
            records.map(|record| ((record.started_at, record.id), record.clone())),
        ))
    }

    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        let data = self.data();
        let events = data
            .executions
            .get(&id)
            .into_iter()
            .flat_map(|execution| &execution.events);
        Ok(events
            .filter(|event| event.sequence >= first)
            .take(max as usize)
            .cloned()
            .collect())
    }

    fn items(&mut self, id: ExecutionId) -> Result<Vec<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data
            .executions
            .get(&id)
            .into_iter()
            .flat_map(|execution| execution.items.values());
        Ok(items.map(|(_, item)| item.clone()).collect())
    }

    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        let data = self.data();
        Ok(data
            .executions
            .get(&id)
            .and_then(|execution| execution.items.get(node_id))
            .map(|(_, item)| item.clone()))
    }

    fn claimable(
        &mut self,
        simulated: bool,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data
            .claimable_items(simulated)
            .filter(|(since, _, item)| *since <= now && item.item.queue_type == queue);
        Ok(first(
            max,
            items.map(|(since, order, item)| ((since, order), item.clone())),
        ))
    }

    fn expired(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data
            .leased_items(simulated)
            .filter(|(end, _, _)| *end <= now);
        Ok(first(
            max,
            items.map(|(end, order, item)| ((end, order), item.clone())),
        ))
    }

    fn due(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ExecutionId>, StoreError> {
        let data = self.data();
        let wakes = data.wakes(simulated).filter(|(wake, _)| *wake <= now);
        Ok(first(max, wakes.map(|(wake, id)| ((wake, id), id))))
    }

    fn next_due(
        &mut self,
        simulated: bool,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let data = self.data();
        let wakes = data.wakes(simulated).map(|(wake, _)| wake);
        let ends = data.leased_items(simulated).map(|(end, _, _)| end);
        let claimable = data
            .claimable_items(simulated)
            .filter(|(_, _, item)| queues.contains(&item.item.queue_type));
        Ok(wakes
            .chain(ends)
            .chain(claimable.map(|(since, _, _)| since))
            .filter(|time| *time > now)
            .min())
    }

    fn last_at(&mut self, simulated: bool) -> Result<Timestamp, StoreError> {
        let data = self.data();
        let records = data.executions.values().map(|execution| &execution.record);
        Ok(records
            .filter(|record| record.simulated == simulated)
            .map(|record| record.last_at)
            .max()
            .unwrap_or(0))
    }

    fn workflow(
        &mut self,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError> {
        Ok(self
            .data()
            .workflows
            .get(&(workflow_id.to_owned(), version.to_owned()))
            .cloned())
    }

    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.data().components.get(digest).cloned())
    }

    fn snapshot(&mut self, id: ExecutionId) -> Result<Option<Snapshot>, StoreError> {
        Ok(self
            .data()
            .executions
            .get(&id)
            .and_then(|execution| execution.snapshot.clone()))
    }
}

impl Data {
    /// Check everything, then write everything.
    fn commit(&mut self, turn: &Turn, bytes: Vec<EventBytes>) -> Result<(), CommitError> {
        let mut ordered = self.ordered;
        let mut items = Vec::new();
        for change in &turn.executions {
            let stored = self.executions.get(&change.record.id);
            check::follows(stored.map(|execution| &execution.record), change)
                .map_err(CommitError::Conflict)?;
            self.check_key(turn, change)?;
            let mut after = stored
                .map(|execution| execution.items.clone())
                .unwrap_or_default();
            for item in &change.items {
                change_items(&mut after, item, &mut ordered).map_err(|detail| {
                    CommitError::Conflict(format!("{}: {detail}", change.record.id))
                })?;
            }
            items.push(after);
        }
        self.check_kept(turn)?;
        self.ordered = ordered;
        self.committed += 1;
        for ((change, bytes), items) in turn.executions.iter().zip(bytes).zip(items) {
            self.write(change, bytes, items);
        }
        self.keep(turn);
        Ok(())
    }

    fn check_key(&self, turn: &Turn, change: &ExecutionChange) -> Result<(), CommitError> {
        let ExecutionRecord {
            id,
            tenant,
            key: Some(key),
            ..
        } = &change.record
        else {
            return Ok(());
        };
        let stored = self.keys.get(&(tenant.clone(), key.clone())).copied();
        let staged = turn.executions.iter().map(|other| &other.record);
        let mut same = staged
            .filter(|other| other.tenant == *tenant && other.key.as_ref() == Some(key))
            .map(|other| other.id);
        match stored
            .into_iter()
            .chain(&mut same)
            .find(|other| other != id)
        {
            None => Ok(()),
            Some(other) => Err(CommitError::Conflict(format!(
                "{id}: the key {key:?} has started {other}"
            ))),
        }
    }

    fn check_kept(&self, turn: &Turn) -> Result<(), CommitError> {
        let mut texts = BTreeMap::new();
        for WorkflowRecord {
            workflow_id,
            version,
            text,
            ..
        } in &turn.workflows
        {
            let name = (workflow_id.clone(), version.clone());
            let stored = self.workflows.get(&name).map(|workflow| &workflow.text);
            let kept = stored.unwrap_or_else(|| texts.entry(name).or_insert(text));
            if kept != text {
                return Err(CommitError::Conflict(format!(
                    "workflow {workflow_id} {version} is registered with another text"
                )));
            }
        }
        for (id, _) in &turn.snapshots {
            if !self.executions.contains_key(id)
                && !turn.executions.iter().any(|change| change.record.id == *id)
            {
                return Err(CommitError::Conflict(format!(
                    "{id}: there is no such execution to keep a snapshot of"
                )));
            }
        }
        Ok(())
    }

    fn write(&mut self, change: &ExecutionChange, bytes: EventBytes, items: Items) {
        let record = &change.record;
        if let Some(key) = &record.key {
            self.keys
                .insert((record.tenant.clone(), key.clone()), record.id);
        }
        if ended(record.status) {
            self.live.remove(&record.id)
        } else {
            self.live.insert(record.id)
        };
        let execution = self
            .executions
            .entry(record.id)
            .or_insert_with(|| Execution {
                record: record.clone(),
                events: Vec::new(),
                items: Items::new(),
                snapshot: None,
            });
        execution.record = record.clone();
        execution.items = items;
        execution.events.extend(
            change
                .events
                .iter()
                .zip(bytes)
                .map(|(stored, bytes)| RawEvent {
                    sequence: stored.event.sequence,
                    bytes,
                    hash: stored.hash.to_vec(),
                }),
        );
    }

    fn keep(&mut self, turn: &Turn) {
        for workflow in &turn.workflows {
            let name = (workflow.workflow_id.clone(), workflow.version.clone());
            self.workflows
                .entry(name)
                .or_insert_with(|| workflow.clone());
        }
        for component in &turn.components {
            self.components
                .entry(component.digest.clone())
                .or_insert_with(|| component.bytes.clone());
        }
        for (id, snapshot) in &turn.snapshots {
            if let Some(execution) = self.executions.get_mut(id) {
                execution.snapshot = Some(snapshot.clone());
            }
        }
    }

    fn live(&self, simulated: bool) -> impl Iterator<Item = &Execution> {
        let live = self.live.iter().filter_map(|id| self.executions.get(id));
        live.filter(move |execution| execution.record.simulated == simulated)
    }

    /// Wakes with their executions.
    fn wakes(&self, simulated: bool) -> impl Iterator<Item = (Timestamp, ExecutionId)> {
        let waking = self
            .live(simulated)
            .map(|execution| &execution.record)
            .filter(|record| wakes(record.status));
        waking.filter_map(|record| Some((record.next_wake?, record.id)))
    }

    /// Waiting items with the time from which they may be claimed, and the
    /// number of their order.
    fn claimable_items(
        &self,
        simulated: bool,
    ) -> impl Iterator<Item = (Timestamp, u64, &ItemRecord)> {
        let running = self
            .live(simulated)
            .filter(|execution| claims(execution.record.status));
        let items = running.flat_map(|execution| execution.items.values());
        items
            .filter(|(_, item)| item.state == ItemState::Waiting)
            .map(|(order, item)| (item.item.not_before.max(item.enqueued_at), *order, item))
    }

    /// Leased items with the end of their lease, and the number of their order.
    fn leased_items(&self, simulated: bool) -> impl Iterator<Item = (Timestamp, u64, &ItemRecord)> {
        let items = self
            .live(simulated)
            .flat_map(|execution| execution.items.values());
        items.filter_map(|(order, item)| match &item.state {
            ItemState::Leased(lease) => Some((lease.expires_at, *order, item)),
            ItemState::Waiting | ItemState::Dead { .. } => None,
        })
    }
}

/// What a change does to the items of its execution, or why it cannot.
fn change_items(items: &mut Items, change: &ItemChange, ordered: &mut u64) -> Result<(), String> {
    *ordered += 1;
    match change {
        ItemChange::Enqueue { item, at } => {
            if items
                .get(&item.node_id)
                .is_some_and(|(_, former)| unsettled(former))
            {
                return Err(format!(
                    "node {} has an unsettled item already",
                    item.node_id
                ));
            }
            let record = ItemRecord {
                item: item.clone(),
                enqueued_at: *at,
                state: ItemState::Waiting,
            };
            items.insert(item.node_id.clone(), (*ordered, record));
        }
        ItemChange::Lease { node_id, lease } => match items.get_mut(node_id) {
            Some((_, item)) if unsettled(item) => item.state = ItemState::Leased(lease.clone()),
            _ => return Err(format!("node {node_id} has no unsettled item to lease")),
        },
        ItemChange::Remove { node_id } => {
            items
                .remove(node_id)
                .ok_or_else(|| format!("node {node_id} has no item to remove"))?;
        }
        ItemChange::Bury {
            node_id,
            item,
            enqueued_at,
            error,
            at,
        } => {
            let state = ItemState::Dead {
                error: error.clone(),
                since: *at,
            };
            let record = ItemRecord {
                item: item.clone(),
                enqueued_at: *enqueued_at,
                state,
            };
            items.insert(node_id.clone(), (*ordered, record));
        }
    }
    Ok(())
}

fn unsettled(item: &ItemRecord) -> bool {
    !matches!(item.state, ItemState::Dead { .. })
}

/// The first `max` values by their keys.
fn first<K: Ord, V>(max: usize, keyed: impl Iterator<Item = (K, V)>) -> Vec<V> {
    let mut all: Vec<(K, V)> = keyed.collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all.truncate(max);
    all.into_iter().map(|(_, value)| value).collect()
}

fn contradiction(detail: &str) -> StoreError {
    StoreError::Contradiction {
        place: PLACE.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::laws::Place;

    impl Place for MemoryStore {
        fn open(&self) -> Box<dyn Store> {
            Box::new(self.clone())
        }
    }

    store_laws!(MemoryStore::new());
}
