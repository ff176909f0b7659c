//! A world that is not as it should be: its ports fail.

use refrain_guest::contract::{Event, ItemDigest, Snapshot, StorageError, WorkOrder};
use refrain_guest::shell::World;
use refrain_guest::time::Timestamp;
use refrain_tests::notation::Memory;

/// How the next call of each port fails, if it does.
#[derive(Default)]
pub(super) struct Failures {
    pub(super) load_workflow: Option<StorageError>,
    pub(super) load_snapshot: Option<StorageError>,
    pub(super) read_events: Option<StorageError>,
    pub(super) append_events: Option<StorageError>,
    pub(super) order: Option<Result<Vec<ItemDigest>, String>>,
}

/// A world in memory, of which each port may fail once.
pub(super) struct FailingWorld {
    pub(super) world: Memory,
    failures: Failures,
    workflows: u32,
    snapshots: u32,
    pages: u32,
}

impl FailingWorld {
    /// One of which no port fails.
    pub(super) fn sound(world: Memory) -> Self {
        Self::new(world, Failures::default())
    }

    pub(super) fn new(world: Memory, failures: Failures) -> Self {
        Self {
            world,
            failures,
            workflows: 0,
            snapshots: 0,
            pages: 0,
        }
    }

    /// How often the workflow, a snapshot and a page of events were loaded.
    pub(super) fn loads(&self) -> (u32, u32, u32) {
        (self.workflows, self.snapshots, self.pages)
    }
}

/// What the world answers, unless it fails once.
fn once<T>(failure: &mut Option<StorageError>, answer: T) -> Result<T, StorageError> {
    failure.take().map_or(Ok(answer), Err)
}

impl World for FailingWorld {
    fn load_workflow(&mut self) -> Result<String, StorageError> {
        self.workflows += 1;
        once(
            &mut self.failures.load_workflow,
            self.world.load_workflow()?,
        )
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        self.snapshots += 1;
        once(
            &mut self.failures.load_snapshot,
            self.world.load_snapshot()?,
        )
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StorageError> {
        self.pages += 1;
        once(
            &mut self.failures.read_events,
            self.world.read_events(first, max)?,
        )
    }

    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), StorageError> {
        once(&mut self.failures.append_events, ())?;
        self.world.append_events(expected, events)
    }

    fn now(&mut self) -> Timestamp {
        self.world.now()
    }

    fn order(&mut self, orders: &[WorkOrder]) -> Result<Vec<ItemDigest>, String> {
        match self.failures.order.take() {
            Some(answer) => answer,
            None => self.world.order(orders),
        }
    }
}

impl AsMut<Memory> for FailingWorld {
    fn as_mut(&mut self) -> &mut Memory {
        &mut self.world
    }
}
