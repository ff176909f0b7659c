//! The log answers instead of the world.
//!
//! Storage serves the log's first events, the clock reads what the log says,
//! append compares instead of writing, and orders are held against the decisions
//! when the call ends. What does not compare is noted: whatever the guest makes of
//! a refusal, the note is what counts.

use std::collections::HashMap;
use std::sync::Arc;

use super::source::Recording;
use crate::guest::Ports;
use crate::log::digest::work_item_digest;
use crate::log::effect;
use crate::model::{Digest, Event, EventKind, Snapshot, StorageError, WorkItem, WorkOrder};
use crate::order_rules::{
    Attempts, Awaited, OrderRules, SaidOfChild, stopped, uncancelled, unfounded,
};
use crate::store::{StoreError, StoredEvent, Timestamp};

/// One execution's log, opened as far as it has been replayed.
pub(super) struct ReplayPorts {
    recording: Arc<Recording>,
    /// The guest sees the first so many events.
    revealed: usize,
    /// What the clock reads.
    now: Timestamp,
    /// It saw so many before this call: what lies between, it decided.
    batch_start: usize,
    /// The work items ordered in this call.
    orders: Vec<WorkItem>,
    /// What was ordered about children.
    children: Vec<WorkOrder>,
    /// Their digests.
    digests: Vec<Digest>,
    /// The first thing that the guest did and the log does not have.
    mismatch: Option<Mismatch>,
    /// What the workflow lets be ordered; prepared at the first order, if it is
    /// not at hand.
    rules: Option<Arc<OrderRules>>,
    /// The attempts of each node, as the first so many events have them.
    attempts: HashMap<String, Attempts>,
    followed: usize,
    /// The children that are waited for, as the first so many events have it.
    awaited: Awaited,
    awaited_at: usize,
}

/// Something that the guest did, and the log says otherwise.
#[derive(Clone, Debug)]
pub(super) enum Mismatch {
    /// The guest decided this where the log has something else.
    Decision(Box<Event>),
    /// The guest builds on another last event than the log's.
    Head {
        /// What the guest takes for the last sequence.
        expected: u64,
    },
    /// The guest ordered an item that no decision of its batch names.
    Order {
        /// The item.
        item: Box<WorkItem>,
        /// The item's digest.
        digest: Digest,
    },
    /// The guest ordered something about a child that it may not; what is wrong.
    Child(String),
    /// The guest ordered an item that the workflow does not hold.
    Unlawful {
        /// The item.
        item: Box<WorkItem>,
        /// What is wrong with it, as the end of a sentence.
        fault: String,
    },
}

impl ReplayPorts {
    /// The log with nothing revealed.
    pub(super) fn new(recording: Arc<Recording>) -> Self {
        Self {
            recording,
            revealed: 0,
            now: 0,
            batch_start: 0,
            orders: Vec::new(),
            children: Vec::new(),
            digests: Vec::new(),
            mismatch: None,
            rules: None,
            attempts: HashMap::new(),
            followed: 0,
            awaited: Awaited::default(),
            awaited_at: 0,
        }
    }

    /// What the workflow lets be ordered is at hand from another log.
    pub(super) fn know_rules(&mut self, rules: Arc<OrderRules>) {
        self.rules = Some(rules);
    }

    /// Prepare for one call with the clock at `now`.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.now = now;
        self.batch_start = self.revealed;
        self.orders.clear();
        self.children.clear();
        self.digests.clear();
        self.mismatch = None;
    }

    /// Show the guest the first `events` events.
    pub(super) fn show_first(&mut self, events: usize) {
        self.revealed = events;
        self.batch_start = events;
    }

    /// How many events the guest sees.
    pub(super) fn revealed(&self) -> usize {
        self.revealed
    }

    /// The decisions of the last call.
    pub(super) fn batch(&self) -> &[StoredEvent] {
        &self.recording.events[self.batch_start..self.revealed]
    }

    /// The items ordered in the last call.
    pub(super) fn orders(&self) -> &[WorkItem] {
        &self.orders
    }

    /// The digests of the inputs of the children that were ordered in the last call, which
    /// compared, with the events that ask for them.
    pub(super) fn inputs_of_children(&self) -> impl Iterator<Item = (u64, Digest)> {
        let inputs = self.children.iter().filter_map(|order| match order {
            WorkOrder::StartChild(order) => Some(Digest::of(order.input.as_bytes())),
            _ => None,
        });
        let asked = |it: &&StoredEvent| matches!(it.event.kind, EventKind::ChildRequested(_));
        let events = self.batch().iter().filter(asked);
        // Such decisions and orders are of the same children, in the same order.
        let asked = inputs.zip(events);
        asked.map(|(input, it)| (it.event.sequence, input))
    }

    /// The first thing in the last call that the log does not have.
    pub(super) fn mismatch(&self) -> Option<&Mismatch> {
        self.mismatch.as_ref()
    }

    /// The call has ended, and all that it decided is in the log. Notes the first
    /// item that it ordered without such a decision, or that the workflow does not
    /// hold.
    pub(super) fn check_orders(&mut self) {
        let (orders, digests) = (&self.orders, &self.digests);
        let unnamed = (0..orders.len()).find(|place| {
            let item = &orders[*place];
            let order = (item.node_id.as_str(), item.attempt, digests[*place]);
            let mut batch = self.batch().iter();
            let named = batch.any(|stored| ordered_by(&stored.event.kind) == Some(order));
            let earlier = &orders[..*place];
            !named || earlier.iter().any(|it| it.node_id == item.node_id)
        });
        if let Some(place) = unnamed {
            let (item, digest) = (Box::new(orders[place].clone()), digests[place]);
            self.note(Mismatch::Order { item, digest });
            return;
        }
        let orders = std::mem::take(&mut self.orders);
        let faults = orders.iter().map(|item| (item, self.rules_fault(item)));
        let unlawful = faults
            .into_iter()
            .find_map(|(item, fault)| Some((item, fault?)));
        if let Some((item, fault)) = unlawful {
            let item = Box::new(item.clone());
            self.note(Mismatch::Unlawful { item, fault });
        }
        self.orders = orders;
        self.check_children();
    }

    /// Notes the first order about a child that no decision asks for, or that the workflow
    /// does not hold; and the first child that is not cancelled as its node is stopped.
    fn check_children(&mut self) {
        let is_of_child = |kind: &EventKind| {
            matches!(
                kind,
                EventKind::ChildRequested(_)
                    | EventKind::NodeCancelled(_)
                    | EventKind::NodeTimedOut(_)
            )
        };
        let mut batch = self.batch().iter();
        if self.children.is_empty() && !batch.any(|it| is_of_child(&it.event.kind)) {
            return;
        }
        let children = std::mem::take(&mut self.children);
        let recording = Arc::clone(&self.recording);
        let rules = Arc::clone(
            self.rules
                .get_or_insert_with(|| Arc::new(OrderRules::of(&recording.workflow))),
        );
        let mut unlawful = children.iter().filter_map(|order| match order {
            WorkOrder::StartChild(order) => rules.child_fault(order),
            _ => None,
        });
        let decisions = self.batch().iter().map(|stored| &stored.event);
        let fault = unfounded(decisions, &children).or_else(|| unlawful.next());
        let fault = fault.or_else(|| self.cancel_fault(&children, &rules));
        if let Some(fault) = fault {
            self.note(Mismatch::Child(fault));
        }
        self.children = children;
    }

    fn cancel_fault(&mut self, children: &[WorkOrder], rules: &OrderRules) -> Option<String> {
        let kinds = self.batch().iter().map(|stored| &stored.event.kind);
        if stopped(kinds, children, rules).is_empty() {
            return None;
        }
        for stored in &self.recording.events[self.awaited_at..self.batch_start] {
            if let Some(said) = SaidOfChild::by(&stored.event.kind, rules) {
                self.awaited.follow(said);
            }
        }
        self.awaited_at = self.revealed;
        let recording = Arc::clone(&self.recording);
        let batch = &recording.events[self.batch_start..self.revealed];
        let kinds = batch.iter().map(|stored| &stored.event.kind);
        let none = std::iter::empty();
        uncancelled(&mut self.awaited, none, kinds, children, rules)
    }

    /// Why this item is none that the workflow holds, if it is none: the host
    /// should not have taken the order.
    fn rules_fault(&mut self, item: &WorkItem) -> Option<String> {
        let recording = Arc::clone(&self.recording);
        let Some(EventKind::WorkflowStarted(started)) =
            recording.events.first().map(|stored| &stored.event.kind)
        else {
            return None; // Refused by the integrity check before.
        };
        if item.execution_id != started.execution_id || item.tenant != started.tenant {
            return Some("is not this execution's".to_owned());
        }
        let rules = self
            .rules
            .get_or_insert_with(|| Arc::new(OrderRules::of(&recording.workflow)));
        for stored in &recording.events[self.followed..self.batch_start] {
            Attempts::follow(&mut self.attempts, rules, &stored.event.kind);
        }
        self.followed = self.batch_start;
        let before = self.attempts.get(&item.node_id).copied();
        rules.fault(item, started.priority, before.unwrap_or_default())
    }

    /// Note a mismatch, unless one is noted already; later ones are its echo.
    fn note(&mut self, mismatch: Mismatch) -> String {
        self.mismatch.get_or_insert(mismatch);
        "the log says otherwise".to_owned()
    }
}

/// The item that an event orders: its node, attempt and digest.
pub(super) fn ordered_by(kind: &EventKind) -> Option<(&str, u32, Digest)> {
    let order = effect::order(kind)?;
    Some((order.node_id, order.attempt, order.digest))
}

impl Ports for ReplayPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.recording.workflow.to_string())
    }

    /// Never: an audit trusts the log alone (law 10).
    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    /// Not what the current call has appended: that is not in the log yet.
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        Ok(self.recording.page(first, max, self.batch_start))
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        if expected != self.revealed as u64 {
            self.note(Mismatch::Head { expected });
            return Ok(Err(StorageError::Conflict(self.revealed as u64)));
        }
        for event in events {
            let found = self.recording.events.get(self.revealed);
            if found.map(|stored| &stored.event) != Some(&event) {
                return Ok(Err(StorageError::Refused(
                    self.note(Mismatch::Decision(Box::new(event))),
                )));
            }
            self.revealed += 1;
        }
        Ok(Ok(()))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        let before = self.digests.len();
        for order in orders {
            match order {
                WorkOrder::Enqueue(item) => {
                    self.digests.push(work_item_digest(&item));
                    self.orders.push(item);
                }
                // What is cancelled follows from the decisions, and those are compared.
                WorkOrder::Cancel(_) => {}
                WorkOrder::StartChild(_) | WorkOrder::CancelChild(_) => self.children.push(order),
            }
        }
        Ok(Ok(self.digests[before..].to_vec()))
    }
}
