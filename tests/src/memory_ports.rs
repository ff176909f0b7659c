//! One execution's world in memory: its log, its queue, and the time.
//!
//! The same tape serves the native core (as its `World`) and the component (as
//! its `Ports`), so that what both make of it can be compared.

use refrain::contract::{AppendError, Event, EventKind, Origin, Snapshot, WorkItem};
use refrain::guest::Ports;
use refrain::store::{StoreError, Timestamp};
use refrain_guest::contract as native;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A log, a queue and a clock.
#[derive(Clone, Debug, Default)]
pub struct MemoryPorts {
    /// The workflow's text.
    pub workflow: String,
    /// The log.
    pub events: Vec<Event>,
    /// The unsettled work items.
    pub items: Vec<WorkItem>,
    /// A snapshot for a guest that starts afresh.
    pub snapshot: Option<Snapshot>,
    /// The clock reading.
    pub now: Timestamp,
}

impl MemoryPorts {
    /// The event that `kind` would be, if it were appended now as a fact.
    #[must_use]
    pub fn fact(&self, kind: EventKind) -> Event {
        Event {
            sequence: self.events.len() as u64 + 1,
            at: self.now,
            origin: Origin::Fact,
            kind,
        }
    }

    /// Append a fact that the guest admitted, and do to the queue what it says.
    pub fn push(&mut self, fact: Event) {
        match &fact.kind {
            EventKind::NodeCompleted(it) => self.settle(&it.node_id),
            EventKind::NodeFailed(it) => self.settle(&it.node_id),
            _ => {}
        }
        self.events.push(fact);
    }

    fn settle(&mut self, node_id: &str) {
        self.items.retain(|item| item.node_id != node_id);
    }

    fn append(&mut self, expected: u64, events: Vec<Event>) -> Result<(), AppendError> {
        let last = self.events.len() as u64;
        if expected != last {
            return Err(AppendError::Conflict(last));
        }
        self.events.extend(events);
        Ok(())
    }

    fn page(&self, first: u64, max: u32) -> Vec<Event> {
        let skip = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        self.events
            .iter()
            .skip(skip)
            .take(max as usize)
            .cloned()
            .collect()
    }

    fn order(&mut self, item: WorkItem) -> Result<(), String> {
        if self.items.iter().any(|other| other.node_id == item.node_id) {
            return Err(format!("{} has an unsettled item", item.node_id));
        }
        self.items.push(item);
        Ok(())
    }

    fn take_back(&mut self, node_id: &str, attempt: u32) -> Result<(), String> {
        let before = self.items.len();
        self.items
            .retain(|item| (item.node_id.as_str(), item.attempt) != (node_id, attempt));
        if self.items.len() == before {
            return Err(format!(
                "{node_id} has no unsettled item of attempt {attempt}"
            ));
        }
        Ok(())
    }
}

impl Ports for MemoryPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.workflow.clone())
    }
    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.snapshot.clone())
    }
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        Ok(self.page(first, max))
    }
    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), AppendError>, StoreError> {
        Ok(self.append(expected, events))
    }
    fn now(&mut self) -> Timestamp {
        self.now
    }
    fn enqueue(&mut self, item: WorkItem) -> Result<Result<(), String>, StoreError> {
        Ok(self.order(item))
    }
    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<Result<(), String>, StoreError> {
        Ok(self.take_back(node_id, attempt))
    }
}

impl refrain_guest::shell::World for MemoryPorts {
    fn load_workflow(&mut self) -> String {
        self.workflow.clone()
    }
    fn load_snapshot(&mut self) -> Option<native::Snapshot> {
        self.snapshot.as_ref().map(across)
    }
    fn read_events(&mut self, first: u64, max: u32) -> Vec<native::Event> {
        across(&self.page(first, max))
    }
    fn append_events(
        &mut self,
        expected: u64,
        events: &[native::Event],
    ) -> Result<(), native::AppendError> {
        self.append(expected, across(&events))
            .map_err(|error| across(&error))
    }
    fn now(&mut self) -> refrain_guest::time::Timestamp {
        refrain_guest::time::Timestamp(self.now)
    }
    fn enqueue(&mut self, item: &native::WorkItem) -> Result<(), String> {
        self.order(across(item))
    }
    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<(), String> {
        self.take_back(node_id, attempt)
    }
}

/// The same value of the contract on the other side. Both sides generate their
/// types from the same WIT, field by field.
///
/// # Panics
/// If the two sides are not generated from the same WIT.
pub fn across<Here: Serialize, There: DeserializeOwned>(value: &Here) -> There {
    let value = serde_json::to_value(value).expect("contract types serialise");
    serde_json::from_value(value).expect("both sides have the same types")
}
