//! A guest at a place of a log, and what it would do there. Nothing is compared, and
//! nothing is kept.

use std::sync::Arc;

use crate::guest::Ports;
use crate::log::digest::work_item_digest;
use crate::model::{Digest, Event, Snapshot, StorageError, WorkItem, WorkOrder};
use crate::replay::packed_log::PackedLog;
use crate::store::{StoreError, Timestamp};

/// A log up to a place.
pub(super) struct TravelPorts {
    pub(super) log: Arc<PackedLog>,
    /// The guest sees the first so many events.
    pub(super) shown: usize,
    /// What it begins with, if it has seen nothing.
    pub(super) snapshot: Option<Snapshot>,
    /// So many facts are offered to it in this call.
    pub(super) offered: usize,
    /// What the clock reads.
    pub(super) now: Timestamp,
    /// What it decided in this call.
    pub(super) decided: Vec<Event>,
    /// The work items that it ordered.
    pub(super) ordered: Vec<WorkItem>,
}

impl Ports for TravelPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.log.workflow().to_owned())
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.snapshot.take())
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        Ok(self.log.page(first, max, self.shown))
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        let last = (self.shown + self.decided.len()) as u64;
        // Which of the facts it has taken, it says at the end of the call.
        if !(last..=last + self.offered as u64).contains(&expected) {
            return Ok(Err(StorageError::Conflict(last)));
        }
        self.decided.extend(events);
        Ok(Ok(()))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        let mut digests = Vec::new();
        for order in orders {
            if let WorkOrder::Enqueue(item) = order {
                digests.push(work_item_digest(&item));
                self.ordered.push(item);
            }
        }
        Ok(Ok(digests))
    }
}
