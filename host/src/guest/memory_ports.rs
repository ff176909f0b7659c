//! One execution's world in memory: its log, its queue, and the time.
//!
//! For hosts that keep a log elsewhere, for tests and for benchmarks: what a
//! scheduler needs of a host, and not more.

use serde_json::Value;

use crate::id::ExecutionId;
use crate::limits::RELEASES_MAX;
use crate::log::digest::work_item_digest;
use crate::log::effect::{self, Change};
use crate::model::{
    ChildName, ChildOrder, Digest, Event, EventKind, ItemName, NodeCompleted, NodeStarted, Origin,
    Outcome, Snapshot, StorageError, WorkItem, WorkOrder, WorkflowStarted,
};
use crate::store::{StoreError, Timestamp};

use super::Ports;

/// A log, a queue and a clock, for one execution. [`InMemoryExecution`] shows them
/// at work.
///
/// [`InMemoryExecution`]: super::InMemoryExecution
#[derive(Clone, Debug, Default)]
pub struct MemoryPorts {
    /// The workflow's text.
    pub workflow: String,
    /// The log, from event 1 on.
    pub events: Vec<Event>,
    /// The unsettled work items, in the order in which they were enqueued.
    pub items: Vec<WorkItem>,
    /// The children that are asked for and were neither started nor refused yet, in the
    /// order in which they were. The one who starts one says so by a fact.
    pub children: Vec<ChildOrder>,
    /// A snapshot for a guest that has not seen the log yet.
    pub snapshot: Option<Snapshot>,
    /// What the clock reads, in milliseconds since the Unix epoch.
    pub now: Timestamp,
    /// What the guest has done since the last call was closed.
    pub call: Call,
}

/// What a guest did in one call.
#[derive(Clone, Debug, Default)]
pub struct Call {
    orders: Vec<WorkOrder>,
    /// The sequence after which it appended. `None` if it did not.
    appended_after: Option<u64>,
    decisions: Vec<Event>,
}

impl Call {
    /// Its decisions, in their order.
    #[must_use]
    pub fn decisions(&self) -> &[Event] {
        &self.decisions
    }

    /// Its orders to the queue, in their order.
    #[must_use]
    pub fn orders(&self) -> &[WorkOrder] {
        &self.orders
    }
}

impl MemoryPorts {
    /// The world of an execution of this workflow that is about to start now.
    #[must_use]
    pub fn new(workflow: impl Into<String>, now: Timestamp) -> Self {
        Self {
            workflow: workflow.into(),
            now,
            ..Self::default()
        }
    }

    /// What event 1 says if nothing is particular about it: the usual limits, an
    /// empty input, and the id and version that stand in the workflow.
    #[must_use]
    pub fn started(&self, id: ExecutionId, guest: Digest) -> WorkflowStarted {
        let workflow: Value = serde_json::from_str(&self.workflow).unwrap_or_default();
        let text = |key: &str| workflow[key].as_str().unwrap_or_default();
        let digest = Digest::of(self.workflow.as_bytes());
        let workflow = (text("workflow_id"), text("version"), digest);
        let mut started = WorkflowStarted::new(id.to_string(), workflow, guest);
        started.seed = 1;
        started
    }

    /// What the next event says if a worker claims the node's item. `None` if the
    /// node has none.
    #[must_use]
    pub fn claim(&self, node_id: &str, worker_id: &str) -> Option<EventKind> {
        let item = self.items.iter().find(|item| item.node_id == node_id)?;
        let claim = NodeStarted::new(&item.node_id, worker_id, item.attempt);
        Some(EventKind::NodeStarted(claim))
    }

    /// What the next event says if the worker that claimed the node's item last
    /// completes it with this patch to the state. `None` if nobody claimed it.
    #[must_use]
    pub fn completion(&self, node_id: &str, state_patch: &str) -> Option<EventKind> {
        let (claim, fence, at) = self
            .events
            .iter()
            .rev()
            .find_map(|event| match &event.kind {
                EventKind::NodeStarted(claim) if claim.node_id == node_id => {
                    Some((claim, event.sequence, event.at))
                }
                _ => None,
            })?;
        let mut completed = NodeCompleted::new(&claim.node_id, claim.attempt, fence);
        completed.state_patch = state_patch.to_owned();
        completed.duration_ms = self.now.saturating_sub(at);
        Some(EventKind::NodeCompleted(completed))
    }

    /// The sequence of the last event; 0 if there is none.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.events.len() as u64
    }

    /// At most `max` events, from sequence `first` on.
    #[must_use]
    pub fn page(&self, first: u64, max: u32) -> &[Event] {
        let skipped = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let rest = self.events.get(skipped..).unwrap_or_default();
        &rest[..rest.len().min(max as usize)]
    }

    /// Take decisions that are to stand after the event `expected`. They are
    /// appended when the call is [closed](Self::close).
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if that cannot be the last one, and
    /// [`StorageError::Refused`] for what is no decision of now.
    pub fn append(&mut self, expected: u64, decisions: Vec<Event>) -> Result<(), StorageError> {
        let last = self.last_sequence();
        if expected < last || self.call.appended_after.is_some() {
            return Err(StorageError::Conflict(last));
        }
        let is_next = |(event, sequence): (&Event, u64)| {
            (event.sequence, event.origin, event.at) == (sequence, Origin::Decision, self.now)
        };
        if let Some((other, _)) = decisions
            .iter()
            .zip(expected + 1..)
            .find(|next| !is_next(*next))
        {
            return Err(StorageError::Refused(format!(
                "event {} is not the next decision of now, which is {}",
                other.sequence, self.now
            )));
        }
        self.call.appended_after = Some(expected);
        self.call.decisions = decisions;
        Ok(())
    }

    /// Take orders to the queue, and answer the digests of those that enqueue
    /// something. They are carried out when the call is [closed](Self::close).
    pub fn take_orders(&mut self, orders: Vec<WorkOrder>) -> Vec<Digest> {
        let enqueued = orders.iter().filter_map(|order| match order {
            WorkOrder::Enqueue(item) => Some(work_item_digest(item)),
            WorkOrder::Cancel(_) | WorkOrder::StartChild(_) | WorkOrder::CancelChild(_) => None,
        });
        let digests = enqueued.collect();
        self.call.orders.extend(orders);
        digests
    }

    /// The guest has answered a step in which it was offered these facts: those
    /// that it took are appended, and behind them its decisions, and its orders are
    /// carried out.
    ///
    /// # Errors
    /// What it says of the step is not what it did in it, or an order cannot be
    /// carried out.
    pub fn close(&mut self, facts: &[EventKind], outcome: &Outcome) -> Result<(), String> {
        let Call {
            orders,
            appended_after,
            decisions,
        } = std::mem::take(&mut self.call);
        let mut refused = outcome
            .refused
            .iter()
            .map(|refusal| refusal.index)
            .peekable();
        for (index, fact) in (0..).zip(facts) {
            if refused.next_if_eq(&index).is_none() {
                self.push(fact.clone());
            }
        }
        if let Some(index) = refused.next() {
            return Err(format!("fact {index} is refused out of place"));
        }
        let last = self.last_sequence();
        if let Some(after) = appended_after.filter(|after| *after != last) {
            return Err(format!(
                "decisions were appended after event {after}, and the log ends at event {last}"
            ));
        }
        self.events.extend(decisions);
        orders
            .into_iter()
            .try_for_each(|order| self.carry_out(order))?;
        let last = self.last_sequence();
        if outcome.last_sequence != last {
            return Err(format!(
                "the guest says that the log ends at event {}, and it ends at {last}",
                outcome.last_sequence
            ));
        }
        Ok(())
    }

    /// Append a fact that the guest took, or is not asked about. What a worker has
    /// completed or failed leaves the queue; what it gave back stays there.
    pub fn push(&mut self, kind: EventKind) {
        let sequence = self.last_sequence() + 1;
        if let Some(effect) = effect::on_item(&kind, sequence)
            && (matches!(effect.change, Change::Remove | Change::DeadLetter { .. })
                || self.is_last_release(&kind))
        {
            self.items.retain(|item| item.node_id != effect.node_id);
        }
        let answered = match &kind {
            EventKind::ChildStarted(it) => Some((&it.node_id, it.attempt, it.iteration)),
            EventKind::ChildRefused(it) => Some((&it.node_id, it.attempt, it.iteration)),
            _ => None,
        };
        // What was asked for before a fork is its origin's.
        let is_fork = matches!(kind, EventKind::ExecutionForked(_));
        self.children
            .retain(|order| !is_fork && answered != Some(place(&order.name)));
        self.events.push(Event {
            sequence,
            at: self.now,
            origin: Origin::Fact,
            kind,
        });
    }

    /// Whether this gives an attempt back once more than that may be: it counts as an
    /// expired lease then (rule R25).
    fn is_last_release(&self, kind: &EventKind) -> bool {
        let EventKind::NodeReleased(of) = kind else {
            return false;
        };
        let is_earlier = |event: &&Event| match &event.kind {
            EventKind::NodeReleased(it) => (&it.node_id, it.attempt) == (&of.node_id, of.attempt),
            _ => false,
        };
        self.events.iter().filter(is_earlier).count() >= RELEASES_MAX as usize
    }

    fn carry_out(&mut self, order: WorkOrder) -> Result<(), String> {
        match order {
            WorkOrder::Enqueue(item) => {
                if self.items.iter().any(|other| other.node_id == item.node_id) {
                    return Err(format!("{} has an unsettled item", item.node_id));
                }
                self.items.push(item);
            }
            WorkOrder::Cancel(ItemName { node_id, attempt }) => {
                let before = self.items.len();
                self.items
                    .retain(|item| (&item.node_id, item.attempt) != (&node_id, attempt));
                if self.items.len() == before {
                    return Err(format!(
                        "{node_id} has no unsettled item of attempt {attempt}"
                    ));
                }
            }
            WorkOrder::StartChild(order) => {
                let asked = place(&order.name);
                if self.children.iter().any(|it| place(&it.name) == asked) {
                    return Err(format!("{} has asked for this child", order.name.node_id));
                }
                self.children.push(order);
            }
            // One that was started is its own world's.
            WorkOrder::CancelChild(name) => {
                self.children.retain(|it| place(&it.name) != place(&name));
            }
        }
        Ok(())
    }
}

/// Which child it is.
fn place(name: &ChildName) -> (&String, u32, u32) {
    (&name.node_id, name.attempt, name.iteration)
}

impl Ports for MemoryPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        Ok(self.workflow.clone())
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.snapshot.clone())
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        Ok(self.page(first, max).to_vec())
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        Ok(self.append(expected, events))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        Ok(Ok(self.take_orders(orders)))
    }
}
