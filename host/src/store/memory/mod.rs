//! The store in memory: for tests and simulations, and as the plainest reading
//! of the contract. Nothing in it survives the process, and each question about
//! time and queues looks at every execution that has not ended.

mod data;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::contract::Snapshot;
use crate::id::ExecutionId;
use crate::store::{
    CommitError, ExecutionRecord, ItemRecord, ItemState, ListFilter, RawEvent, Store, StoreError,
    Timestamp, Turn, WorkflowRecord, check,
};
use data::Data;

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
            .map_or(&[][..], |execution| &execution.events);
        // Without gaps: event n is the n-th.
        let before = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(events
            .iter()
            .skip(before)
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

    fn lease_holders(&mut self, simulated: bool) -> Result<Vec<String>, StoreError> {
        let data = self.data();
        let holders = data
            .leased_items(simulated)
            .filter_map(|(_, _, item)| match &item.state {
                ItemState::Leased(lease) => Some(lease.worker_id.clone()),
                ItemState::Waiting | ItemState::Dead { .. } => None,
            });
        let each_once: BTreeSet<String> = holders.collect();
        Ok(each_once.into_iter().collect())
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
        Ok(self.data().last_at.get(&simulated).copied().unwrap_or(0))
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

    prove_store!(MemoryStore, MemoryStore::new());
}
