//! A world in memory: a log, a queue, a clock that is set.
//!
//! It is strict: what the scheduler orders must be what its decisions name, and
//! what it takes back must be there; what it says of a call must be what came
//! of it.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::contract::{
    Event, EventKind, ExecutionId, Fact, ForkOrigin, ItemDigest, ItemName, NodeScheduled, Origin,
    Outcome, RetryScheduled, SchedulerError, Snapshot, StorageError, WorkItem, WorkOrder,
    WorkflowStarted,
};
use crate::digest::digest_of_text;
use crate::limits::RELEASES_MAX;
use crate::shell::{Scheduler, World};
use crate::time::Timestamp;

use super::child::{self, Child};
use super::graph::Graph;
use super::item::{Item, ItemState, is_named, item_digests, names_item};

/// The one execution of this world.
pub const EXECUTION: ExecutionId = ExecutionId { high: 0, low: 1 };

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
    /// The last child of each node and instance.
    pub children: BTreeMap<String, Child>,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// What the scheduler did in the call that runs.
    call: Call,
}

/// What a scheduler did in one call.
#[derive(Clone, Debug, Default)]
struct Call {
    orders: Vec<WorkOrder>,
    /// The sequence after which it appended; none: it did not.
    expected: Option<u64>,
    decisions: Vec<Event>,
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
            children: BTreeMap::new(),
            snapshot: None,
            call: Call::default(),
        }
    }

    /// Event 1.
    #[must_use]
    pub fn start(&self, graph: &Graph) -> Event {
        self.fact(EventKind::WorkflowStarted(WorkflowStarted {
            format: 2,
            execution_id: EXECUTION.to_string(),
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
            parent: None,
            labels: Vec::new(),
            priority: 5,
            by: None,
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

    /// Append a fact that was taken, and do to the queue what a host does.
    pub fn append_fact(&mut self, fact: Event) {
        match &fact.kind {
            EventKind::NodeStarted(e) => {
                self.set(&e.node_id, e.attempt, ItemState::Claimed(fact.sequence));
            }
            EventKind::NodeCompleted(e) => self.set(&e.node_id, e.attempt, ItemState::Settled),
            EventKind::NodeFailed(e) => self.set(&e.node_id, e.attempt, ItemState::Settled),
            EventKind::LeaseExpired(e) => self.set(&e.node_id, e.attempt, ItemState::Settled),
            EventKind::NodeReleased(e) => self.release(&e.node_id, e.attempt),
            EventKind::ExecutionForked(_) => self.take_claims_back(),
            _ => {}
        }
        child::note_fact(&mut self.children, &fact.kind);
        self.events.push(fact);
    }

    /// Become the world of a fork, which has so many events in common with this one
    /// and its work items as they were then.
    ///
    /// # Errors
    /// There are not so many, or the first of them starts nothing.
    pub fn fork_at(&mut self, common: usize) -> Result<(), String> {
        if !(1..=self.events.len()).contains(&common) {
            return Err(format!("the log has no event {common}"));
        }
        let events: Vec<Event> = self.events.drain(..).take(common).collect();
        let ordered = core::mem::take(&mut self.items);
        self.snapshot = None;
        self.children = BTreeMap::new();
        for event in events {
            match &event.kind {
                EventKind::NodeScheduled(NodeScheduled {
                    node_id, attempt, ..
                })
                | EventKind::RetryScheduled(RetryScheduled {
                    node_id, attempt, ..
                }) => {
                    let key = (node_id.clone(), *attempt);
                    let again = ordered.get(&key).map(|item| Item {
                        state: ItemState::Waiting,
                        releases: 0,
                        ..item.clone()
                    });
                    self.items.extend(again.map(|item| (key, item)));
                }
                EventKind::NodeTimedOut(e) => self.set(&e.node_id, e.attempt, ItemState::Settled),
                EventKind::NodeCancelled(e) => {
                    let attempt = self.last_item(&e.node_id).map_or(0, |it| it.item.attempt);
                    self.set(&e.node_id, attempt, ItemState::Settled);
                }
                _ => {}
            }
            match event.origin {
                Origin::Fact => self.append_fact(event),
                Origin::Decision => self.events.push(event),
            }
        }
        let Some(EventKind::WorkflowStarted(started)) =
            self.events.first_mut().map(|event| &mut event.kind)
        else {
            return Err("the log has no event 1".to_owned());
        };
        started.forked_from = Some(ForkOrigin {
            execution_id: format!("exec_{}", "1".repeat(32)),
            sequence: common as u64,
            head: "2".repeat(64),
        });
        Ok(())
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

    /// It waits again; given back once more than it may be, it is settled (rule R25).
    fn release(&mut self, node_id: &str, attempt: u32) {
        if let Some(item) = self.items.get_mut(&(node_id.to_owned(), attempt)) {
            item.releases += 1;
            item.state = match item.releases {
                ..=RELEASES_MAX => ItemState::Waiting,
                _ => ItemState::Settled,
            };
        }
    }

    /// What is claimed waits again.
    fn take_claims_back(&mut self) {
        for item in self.items.values_mut() {
            if let ItemState::Claimed(_) = item.state {
                item.state = ItemState::Waiting;
            }
        }
    }

    fn set(&mut self, node_id: &str, attempt: u32, state: ItemState) {
        if let Some(item) = self.items.get_mut(&(node_id.to_owned(), attempt)) {
            item.state = state;
        }
    }

    /// Append what a call came to: the facts that were taken, and behind them
    /// the decisions; and do to the queue what follows.
    ///
    /// # Errors
    /// What the scheduler did is not what it says, or not what it may do.
    pub fn close(&mut self, facts: Vec<Fact>, outcome: &Outcome) -> Result<(), String> {
        let Call {
            orders,
            expected,
            decisions,
        } = core::mem::take(&mut self.call);
        let mut refused = outcome.refused.iter().map(|it| it.index).peekable();
        for (index, kind) in (0..).zip(facts) {
            if refused.next_if_eq(&index).is_none() {
                self.append_fact(self.fact(kind));
            }
        }
        if let Some(index) = refused.next() {
            return Err(format!("fact {index} is refused out of place"));
        }
        let last = self.events.len() as u64;
        if expected.is_some_and(|expected| expected != last) {
            return Err(format!(
                "it appended after {expected:?}, and not after {last}"
            ));
        }
        self.append_batch(decisions, &orders)?;
        let last = self.events.len() as u64;
        if outcome.last_sequence != last {
            return Err(format!("the last event is {last}: {outcome:?}"));
        }
        Ok(())
    }

    /// Append decisions, which order this from the queue.
    ///
    /// # Errors
    /// The one is not what the other says.
    pub fn append_batch(
        &mut self,
        decisions: Vec<Event>,
        orders: &[WorkOrder],
    ) -> Result<(), String> {
        let naming = decisions.iter().filter(|event| names_item(&event.kind));
        if naming.count() != item_digests(orders).len() {
            return Err(format!("{decisions:?} order {orders:?}"));
        }
        for order in orders {
            match order {
                WorkOrder::Enqueue(item) => self.enqueue(item, &decisions)?,
                WorkOrder::Cancel(name) => self.cancel(name)?,
                WorkOrder::StartChild(order) => {
                    child::start(&mut self.children, order, &decisions)?;
                }
                WorkOrder::CancelChild(name) => child::cancel(&mut self.children, name)?,
            }
        }
        self.events.extend(decisions);
        Ok(())
    }

    fn enqueue(&mut self, item: &WorkItem, decisions: &[Event]) -> Result<(), String> {
        if !is_named(item, decisions) {
            return Err(format!("no decision of this call names {item:?}"));
        }
        let entry = Item {
            item: item.clone(),
            state: ItemState::Waiting,
            releases: 0,
        };
        let key = (item.node_id.clone(), item.attempt);
        match self.items.insert(key, entry) {
            Some(_) => Err(format!(
                "attempt {} of {} was ordered twice",
                item.attempt, item.node_id
            )),
            None => Ok(()),
        }
    }

    fn cancel(&mut self, name: &ItemName) -> Result<(), String> {
        let ItemName { node_id, attempt } = name;
        match self.items.get_mut(&(node_id.clone(), *attempt)) {
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

/// Offer facts to the scheduler of a world, and append what comes of it.
///
/// # Errors
/// The scheduler gives no answer.
///
/// # Panics
/// It does not keep to the contract.
pub fn step<W: World + AsMut<Memory>>(
    world: &mut W,
    scheduler: &mut Scheduler,
    facts: Vec<Fact>,
) -> Result<Outcome, SchedulerError> {
    let memory = world.as_mut();
    memory.call = Call::default();
    let last = memory.events.len() as u64;
    let outcome = scheduler.step(world, EXECUTION, last, facts.clone())?;
    let closed = world.as_mut().close(facts, &outcome);
    closed.expect("a scheduler keeps to the contract");
    Ok(outcome)
}

impl AsMut<Memory> for Memory {
    fn as_mut(&mut self) -> &mut Memory {
        self
    }
}

impl World for Memory {
    fn load_workflow(&mut self) -> Result<String, StorageError> {
        Ok(self.workflow.clone())
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        Ok(self.snapshot.clone())
    }

    /// Small pages, so that reading on is always exercised.
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StorageError> {
        let skipped = usize::try_from(first - 1).unwrap_or(usize::MAX);
        let page = self.events.iter().skip(skipped).take(max.min(3) as usize);
        Ok(page.cloned().collect())
    }

    fn append_events(&mut self, expected: u64, events: &[Event]) -> Result<(), StorageError> {
        let last = self.events.len() as u64;
        if expected < last || self.call.expected.is_some() {
            return Err(StorageError::Conflict(last));
        }
        let is_next = |(event, sequence): (&Event, u64)| {
            (event.sequence, event.origin, event.at) == (sequence, Origin::Decision, self.now)
        };
        if !events.iter().zip(expected + 1..).all(is_next) {
            return Err(StorageError::Refused(format!(
                "no decisions of now ({}): {events:?}",
                self.now
            )));
        }
        self.call.expected = Some(expected);
        self.call.decisions = events.to_vec();
        Ok(())
    }

    fn now(&mut self) -> Timestamp {
        Timestamp(self.now)
    }

    fn order(&mut self, orders: &[WorkOrder]) -> Result<Vec<ItemDigest>, String> {
        self.call.orders.extend_from_slice(orders);
        Ok(item_digests(orders))
    }
}
