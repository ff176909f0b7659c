//! The store in memory, for tests, simulations, and work that nobody will miss:
//! nothing in it survives the process.

mod queue;
mod output;
mod execution;
mod data;
mod reader;

use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use crate::store::{CommitError, Reader, Store, StoreError, Turn, check};
use reader::{MemoryReader, PLACE, contradiction};

/// How long a turn waits for the end of another owner's turn.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// A store in memory. A clone is another owner of the same data, like another
/// process that works on the same file.
#[derive(Debug, Default)]
pub struct MemoryStore {
    reader: MemoryReader,
    /// Whether this owner holds the write lock.
    in_turn: bool,
    /// How many turns this owner has committed.
    committed: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store of simulated executions.
    #[must_use]
    pub fn simulated() -> Self {
        let mut store = Self::new();
        store.reader = MemoryReader::simulated();
        store
    }

    fn end_turn(&mut self) {
        if self.in_turn {
            self.in_turn = false;
            self.reader.state().locked = false;
            self.reader.shared.turn_ended.notify_one();
        }
    }
}

impl Clone for MemoryStore {
    fn clone(&self) -> Self {
        let committed = self.reader.state().committed;
        Self {
            reader: self.reader.another(),
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
    fn begin(&mut self) -> Result<(), StoreError> {
        if self.in_turn {
            return Err(contradiction("a turn was begun within a turn"));
        }
        if self.reader.is_looking() {
            return Err(contradiction("a turn was begun within a look"));
        }
        let shared = &self.reader.shared;
        let waited =
            shared
                .turn_ended
                .wait_timeout_while(self.reader.state(), LOCK_WAIT, |state| state.locked);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.locked {
            let detail = format!("waited for {} s", LOCK_WAIT.as_secs());
            return Err(StoreError::Locked {
                place: PLACE.to_owned(),
                detail,
            });
        }
        state.locked = true;
        drop(state);
        self.in_turn = true;
        Ok(())
    }

    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        if !self.in_turn {
            return Err(CommitError::Failed(contradiction(
                "a turn was committed that was never begun",
            )));
        }
        let written = check::turn(turn, PLACE, self.is_simulated())
            .map_err(CommitError::Failed)
            .and_then(|()| self.reader.state().commit(turn));
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
        self.end_reading();
        Ok(())
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        Ok(self.reader.state().committed - self.committed)
    }

    fn watched_file(&self) -> Option<PathBuf> {
        None
    }
}

impl Reader for MemoryStore {
    fn begin_reading(&mut self) -> Result<(), StoreError> {
        if self.in_turn {
            return Err(contradiction("a look was begun within a turn"));
        }
        self.reader.begin_reading()
    }

    crate::delegate_store!(reader: place, is_simulated, reader, end_reading);
    crate::delegate_store!(reader: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
    crate::delegate_store!(reader: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    crate::delegate_store!(reader: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::id::ExecutionId;
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

    #[test]
    fn a_store_of_simulated_executions_keeps_no_others() {
        let mut store = MemoryStore::simulated();
        let mut begin = |draft: Draft, simulated| {
            store.begin().unwrap();
            store.commit(&turn([draft.begun(simulated)])).is_ok()
        };
        assert!(begin(Draft::new(1), true) && !begin(Draft::new(2), false));
        assert!(store.clone().is_simulated() && store.reader().unwrap().is_simulated());
    }

    /// Asks the questions of every turn a thousand times. Answers the shortest time of
    /// five tries.
    fn asked(store: &mut MemoryStore) -> Duration {
        let tool = ["tool".to_owned()];
        let mut ask = || {
            let begun = Instant::now();
            for _ in 0..1000 {
                let now = START + 99;
                assert_eq!(
                    store
                        .claimable("default", "tool", now, 1)
                        .unwrap()
                        .found
                        .len(),
                    1
                );
                assert_eq!(store.expired(now, 1).unwrap().found.len(), 1);
                assert_eq!(store.due(now, None, 1).unwrap().found.len(), 1);
                assert!(
                    store
                        .next_due("default", &tool, START - 1)
                        .unwrap()
                        .is_some()
                );
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
