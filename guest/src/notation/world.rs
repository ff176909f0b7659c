//! A world in memory: a log, a queue, a clock that is set.
//!
//! It is strict: what the scheduler orders must be what its decisions name, and
//! what it takes back must be there.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::contract::{AppendError, Event, EventKind, Origin, Snapshot, WorkItem, WorkflowStarted};
use crate::decide::item_digest;
use crate::digest::digest_of_text;
use crate::shell::World;
use crate::time::Timestamp;

use super::graph::Graph;

/// The one execution of this world.
pub const EXECUTION: &str = "exec_00000000000000000000000000000001";

/// A log, a queue and a clock.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The workflow's text.
    pub workflow: String,
    /// The log.
    pub events: Vec<Event>,
    /// The clock.
    pub now: u64,
    /// The work items, by node and attempt.
    pub items: BTreeMap<(String, u32), Item>,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
}

/// A work item and what became of it.
#[derive(Clone, Debug)]
pub struct Item {
    /// What was ordered.
    pub item: WorkItem,
    /// What became of it.
    pub state: ItemState,
}

/// What became of a work item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// Nobody has claimed it.
    Waiting,
    /// A worker has, with this fence.
    Claimed(u64),
    /// It was answered or taken back.
    Settled,
}

impl Memory {
    /// A world in which an execution of the graph can begin at `now`.
    #[must_use]
    pub fn new(graph: &Graph, now: u64) -> Self {
        Self {
            workflow: graph.workflow.clone(),
            events: Vec::new(),
            now,
            items: BTreeMap::new(),
            snapshot: None,
        }
    }

    /// Event 1.
    #[must_use]
    pub fn start(&self, graph: &Graph) -> Event {
        self.fact(EventKind::WorkflowStarted(WorkflowStarted {
            execution_id: EXECUTION.to_owned(),
            workflow_id: "w".to_owned(),
            workflow_version: "1.0.0".to_owned(),
            workflow_digest: digest_of_text(&self.workflow),
            guest_digest: "0".repeat(64),
            initial_input: graph.input.clone(),
            limits: graph.limits,
            seed: graph.seed,
            tenant: "default".to_owned(),
            simulated: true,
            key: None,
            forked_from: None,
        }))
    }

    /// A fact that could come next, now.
    #[must_use]
    pub fn fact(&self, kind: EventKind) -> Event {
        Event {
            sequence: self.events.len() as u64 + 1,
            at: self.now,
            origin: Origin::Fact,
            kind,
        }
    }

    /// Append a fact that was admitted, and do to the queue what a host does.
    pub fn append_fact(&mut self, fact: Event) {
        match &fact.kind {
            EventKind::NodeStarted(e) => {
                self.set(&e.node_id, e.attempt, ItemState::Claimed(e.fence));
            }
            EventKind::NodeCompleted(e) => self.set(&e.node_id, e.attempt, ItemState::Settled),
            EventKind::NodeFailed(e) => self.set(&e.node_id, e.attempt, ItemState::Settled),
            _ => {}
        }
        self.events.push(fact);
    }

    /// The last attempt of a node that was ordered.
    #[must_use]
    pub fn last_item(&self, node_id: &str) -> Option<&Item> {
        self.items
            .range((node_id.to_owned(), 0)..=(node_id.to_owned(), u32::MAX))
            .next_back()
            .map(|(_, item)| item)
    }

    /// The items that nobody has claimed.
    pub fn waiting(&self) -> impl Iterator<Item = &WorkItem> {
        let waiting = |item: &&Item| item.state == ItemState::Waiting;
        self.items.values().filter(waiting).map(|item| &item.item)
    }

    /// The nodes with an unsettled work item, sorted.
    #[must_use]
    pub fn in_flight(&self) -> Vec<&str> {
        let unsettled = self
            .items
            .iter()
            .filter(|(_, item)| item.state != ItemState::Settled);
        unsettled
            .map(|((node_id, _), _)| node_id.as_str())
            .collect()
    }

    fn set(&mut self, node_id: &str, attempt: u32, state: ItemState) {
        if let Some(item) = self.items.get_mut(&(node_id.to_owned(), attempt)) {
            item.state = state;
        }
    }

    /// Whether a decision of this turn names the item's digest.
    fn is_named(&self, item: &WorkItem) -> bool {
        let digest = item_digest(item);
        let names = |event: &Event| match &event.kind {
            EventKind::NodeScheduled(e) => {
                (&e.node_id, e.attempt, &e.item_digest, &e.queue_type)
                    == (&item.node_id, item.attempt, &digest, &item.queue_type)
            }
            EventKind::RetryScheduled(e) => {
                let not_before = event.at + e.delay_ms;
                (&e.node_id, e.attempt, &e.item_digest, not_before)
                    == (&item.node_id, item.attempt, &digest, item.not_before)
            }
            _ => false,
        };
        self.events
            .iter()
            .rev()
            .take_while(|event| event.at == self.now)
            .any(names)
    }
}

impl World for Memory {
    fn load_workflow(&mut self) -> String {
        self.workflow.clone()
    }

    fn load_snapshot(&mut self) -> Option<Snapshot> {
        self.snapshot.clone()
    }

    /// Small pages, so that reading on is always exercised.
    fn read_events(&mut self, first: u64, max: u32) -> Vec<Event> {
        let skipped = usize::try_from(first - 1).unwrap_or(usize::MAX);
        self.events
            .iter()
            .skip(skipped)
            .take(max.min(3) as usize)
            .cloned()
            .collect()
    }

    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), AppendError> {
        let last = self.events.len() as u64;
        if expected != last {
            return Err(AppendError::Conflict(last));
        }
        if let Some(event) = events
            .iter()
            .find(|event| event.origin != Origin::Decision || event.at != self.now)
        {
            return Err(AppendError::Refused(format!(
                "no decision of now ({}): {event:?}",
                self.now
            )));
        }
        self.events.extend_from_slice(events);
        Ok(())
    }

    fn now(&mut self) -> Timestamp {
        Timestamp(self.now)
    }

    fn enqueue(&mut self, item: &WorkItem) -> Result<(), String> {
        if !self.is_named(item) {
            return Err(format!("no decision of this turn names {item:?}"));
        }
        let entry = Item {
            item: item.clone(),
            state: ItemState::Waiting,
        };
        match self
            .items
            .insert((item.node_id.clone(), item.attempt), entry)
        {
            Some(_) => Err(format!(
                "attempt {} of {} was ordered twice",
                item.attempt, item.node_id
            )),
            None => Ok(()),
        }
    }

    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<(), String> {
        match self.items.get_mut(&(node_id.to_owned(), attempt)) {
            Some(item) if item.state != ItemState::Settled => {
                item.state = ItemState::Settled;
                Ok(())
            }
            _ => Err(format!(
                "attempt {attempt} of {node_id} has no unsettled work item"
            )),
        }
    }
}
