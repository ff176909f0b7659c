//! The store in memory, for tests, simulations, and work that nobody will miss:
//! nothing in it survives the process.

mod queue;
mod data;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::id::ExecutionId;
use crate::model::Snapshot;
use crate::store::{
    ClockReading, CommitError, DueWake, ExecutionRecord, ItemRecord, ItemState, ListFilter, Many,
    RawEvent, Store, StoreError, Timestamp, Turn, WorkflowRecord, check,
};
use data::Data;

const PLACE: &str = "the store in memory";

/// How long a turn waits for the end of another owner's turn.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// A store in memory. A clone is another owner of the same data, like another
/// process that works on the same file.
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

    fn purge(&mut self) -> Result<(), StoreError> {
        // What was erased was dropped.
        Ok(())
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
        let data = self.data();
        Ok(data.execution(id).map(|execution| execution.record.clone()))
    }

    fn execution_by_key(
        &mut self,
        tenant: &str,
        key: &str,
    ) -> Result<Option<ExecutionId>, StoreError> {
        let name = (tenant.to_owned(), key.to_owned());
        Ok(self.data().keys.get(&name).copied())
    }

    fn list(&mut self, filter: &ListFilter) -> Result<Many<ExecutionRecord>, StoreError> {
        let data = self.data();
        let records = data
            .records(filter.after)
            .filter(|record| filter.status.is_none_or(|status| status == record.status));
        Ok(Many::whole(records.take(filter.max).cloned().collect()))
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

    fn items(&mut self, id: ExecutionId) -> Result<Many<ItemRecord>, StoreError> {
        Ok(Many::whole(self.data().items(id).cloned().collect()))
    }

    fn item(&mut self, id: ExecutionId, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        Ok(self.data().item(id, node_id).cloned())
    }

    fn claimable(
        &mut self,
        simulated: bool,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data.queue.claimable(simulated, queue, now);
        Ok(Many::whole(items.take(max).cloned().collect()))
    }

    fn expired(
        &mut self,
        simulated: bool,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let data = self.data();
        let items = data.queue.expired(simulated, now);
        Ok(Many::whole(items.take(max).cloned().collect()))
    }

    fn lease_holders(&mut self, simulated: bool) -> Result<Many<String>, StoreError> {
        let data = self.data();
        let holders = data
            .queue
            .leased(simulated)
            .filter_map(|item| match &item.state {
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
        simulated: bool,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError> {
        let data = self.data();
        let due = data.due(simulated, now, after).take(max);
        Ok(Many::whole(due.collect()))
    }

    fn next_due(
        &mut self,
        simulated: bool,
        queues: &[String],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let data = self.data();
        let claimable = queues
            .iter()
            .filter_map(|queue| data.queue.next_claimable(simulated, queue, now));
        let wake = data.next_wake(simulated, now);
        let expiry = data.queue.next_expiry(simulated, now);
        Ok(claimable.chain(wake).chain(expiry).min())
    }

    fn last_at(&mut self, simulated: bool) -> Result<Timestamp, StoreError> {
        Ok(self.data().last_at[usize::from(simulated)])
    }

    fn last_reading(&mut self) -> Result<Option<ClockReading>, StoreError> {
        Ok(self.data().reading.clone())
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
        let data = self.data();
        Ok(data
            .execution(id)
            .and_then(|execution| execution.snapshot.clone()))
    }
}

fn contradiction(detail: &str) -> StoreError {
    StoreError::Contradiction {
        place: PLACE.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::store::laws::draft::{Draft, START, turn};
    use crate::store::laws::{Damage, Place, Row};

    impl Place for MemoryStore {
        fn open(&self) -> Box<dyn Store> {
            Box::new(self.clone())
        }

        fn damage(&self, _: Row, _: ExecutionId) -> Damage {
            Damage::OutOfReach
        }
    }

    prove_store!(MemoryStore, MemoryStore::new());

    /// Asks the questions of every turn a thousand times. Answers the shortest time of
    /// five tries.
    fn asked(store: &mut MemoryStore) -> Duration {
        let tool = ["tool".to_owned()];
        let mut ask = || {
            let begun = Instant::now();
            for _ in 0..1000 {
                let now = START + 99;
                assert_eq!(
                    store.claimable(false, "tool", now, 1).unwrap().found.len(),
                    1
                );
                assert_eq!(store.expired(false, now, 1).unwrap().found.len(), 1);
                assert_eq!(store.due(false, now, None, 1).unwrap().found.len(), 1);
                assert!(store.next_due(false, &tool, START - 1).unwrap().is_some());
            }
            begun.elapsed()
        };
        (0..5).map(|_| ask()).min().unwrap()
    }

    #[test]
    fn a_question_costs_the_same_among_thousands() {
        let mut store = MemoryStore::new();
        let fill = |store: &mut MemoryStore, numbers: std::ops::Range<u32>| {
            let changes = numbers.map(|n| {
                let mut draft = Draft::new(1).with(|record| {
                    record.id = ExecutionId::from_bytes(u128::from(n).to_be_bytes());
                    record.next_wake = Some(START + 10);
                });
                draft.append([
                    draft.enqueue("a", START + 1),
                    draft.enqueue_leased("b", START + 20),
                ])
            });
            store.begin().unwrap();
            store.commit(&turn(changes)).unwrap();
        };
        fill(&mut store, 0..1);
        let few = asked(&mut store);
        fill(&mut store, 1..5000);
        let many = asked(&mut store);
        assert!(many < few * 20, "{few:?} became {many:?}");
    }
}
