//! The machine: what an execution is, and the two verbs on it.
//!
//! [`Machine::start`] takes event 1. From there [`Machine::apply`] is the only
//! thing that changes state: it takes the next event, fact or decision, or
//! refuses it and changes nothing. [`Machine::decide`] changes nothing: it
//! answers the one decision that comes next, at a time that the caller reads.
//! Whoever decides must drain: decide, apply, and again until there is nothing
//! left; [`Machine::drain`] is that loop.
//!
//! The machine has no clock, no chance and no port. It must never panic on a
//! log, whoever wrote it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::agenda::{Agenda, Filing};
use crate::condition::Scope;
use crate::contract::{Event, EventKind, IllegalEvent, Origin, Status, WorkItem};
use crate::limits::BATCH_BYTES_MAX;
use crate::state::{Ending, NodeRecord, State};
use crate::time::Timestamp;
use crate::workflow::plan::{Node, NodeIx, Target};
use crate::workflow::{END, Plan};

/// One execution, and all that is needed to say how it goes on.
#[derive(Debug)]
pub struct Machine {
    pub(crate) plan: Arc<Plan>,
    pub(crate) state: State,
    pub(crate) agenda: Agenda,
}

/// A decision, and what it orders from the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The decision as it will stand in the log.
    pub event: Event,
    /// What the queue is asked for.
    pub order: Option<Order>,
}

/// What a decision asks the queue for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// A new work item.
    Enqueue(WorkItem),
    /// An unsettled work item back.
    Cancel {
        /// The node.
        node_id: String,
        /// The attempt.
        attempt: u32,
    },
}

/// What one tick came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what was decided is not yet in the log, and what was ordered not yet in the queue"]
pub struct Batch {
    /// The decisions.
    pub events: Vec<Event>,
    /// What they order, in their order.
    pub orders: Vec<Order>,
    /// Nothing but a limit ended the batch: of work items (rule R4), or of bytes.
    pub more: bool,
}

impl Decision {
    /// How much it adds to a batch: the texts that can be large, and something
    /// for all that cannot.
    fn bytes(&self) -> usize {
        const SMALL_FIELDS_BYTES: usize = 256;
        let of_event = match &self.event.kind {
            EventKind::WorkflowCompleted(it) => it.final_state.len(),
            EventKind::WorkflowFailed(it) => it.error.len(),
            EventKind::WorkflowCancelled(it) => it.reason.as_ref().map_or(0, String::len),
            EventKind::NodeCompleted(it) => it.output.len() + it.state_patch.len(),
            EventKind::NodeExhausted(it) => it.error.len(),
            EventKind::InterruptRaised(it) => it.reason.len() + it.state_for_review.len(),
            EventKind::Stalled(it) => it.reason.len(),
            _ => 0,
        };
        let of_order = match &self.order {
            Some(Order::Enqueue(item)) => item.payload.len(),
            Some(Order::Cancel { .. }) | None => 0,
        };
        SMALL_FIELDS_BYTES + of_event + of_order
    }
}

impl Machine {
    /// Decide and apply until there is nothing left to decide at `now`, until
    /// as many work items are ordered as one tick may (rule R4), or until the
    /// batch is as large as a host should have to take at once.
    ///
    /// # Errors
    /// A decision was refused: a fault of the machine itself. It must be
    /// dropped.
    pub fn drain(&mut self, now: Timestamp) -> Result<Batch, IllegalEvent> {
        let mut batch = Batch::default();
        let mut budget = self.dispatch_per_tick();
        let mut bytes = 0;
        while bytes < BATCH_BYTES_MAX
            && let Some(decision) = self.decide(now, budget)
        {
            self.apply(&decision.event)?;
            bytes += decision.bytes();
            if matches!(decision.order, Some(Order::Enqueue(_))) {
                budget -= 1;
            }
            batch.events.push(decision.event);
            batch.orders.extend(decision.order);
        }
        let cut = budget == 0 || bytes >= BATCH_BYTES_MAX;
        batch.more = cut && self.is_due(now);
        Ok(batch)
    }

    /// Whether a tick at `now` would decide anything. Cheap: nothing is put
    /// into words.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.next(now, self.dispatch_per_tick()).is_some()
    }

    /// The last event that was applied.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.state.sequence
    }

    /// The workflow.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The state between the last event and the next.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the execution is.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.state.ended {
            Some(Ending::Completed) => Status::Completed,
            Some(Ending::Failed | Ending::TimedOut) => Status::Failed,
            Some(Ending::Cancelled) => Status::Cancelled,
            None if self.is_stalled() => Status::Stalled,
            None if self.state.paused => Status::Paused,
            None => Status::Running,
        }
    }

    /// When time alone could change what is decided: the earliest deadline.
    /// Not-before times are not among them; the queue holds those.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.state.ended.is_some() || self.state.host_stall.is_some() {
            return None;
        }
        let of_nodes = self.agenda.deadlines.first().map(|(deadline, _)| *deadline);
        of_nodes.into_iter().chain(self.workflow_deadline()).min()
    }

    /// Why the execution cannot go on by itself, if it cannot.
    #[must_use]
    pub fn stall(&self) -> Option<&str> {
        let of_policy = self
            .state
            .policy_stall
            .as_ref()
            .map(|(_, reason)| reason.as_str());
        self.state.host_stall.as_deref().or(of_policy)
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.state.host_stall.is_some() || self.state.policy_stall.is_some()
    }

    /// Whether nothing new may be ordered and nothing may end (rule R18).
    pub(crate) fn is_held(&self) -> bool {
        self.state.paused || self.is_stalled()
    }

    pub(crate) fn max_concurrent(&self) -> u32 {
        let limit = self.state.started.limits.max_concurrent_nodes;
        self.plan
            .max_concurrent_nodes
            .map_or(limit, |own| own.min(limit))
    }

    pub(crate) fn dispatch_per_tick(&self) -> u32 {
        let limit = self.state.started.limits.max_dispatch_per_tick;
        self.plan
            .max_dispatch_per_tick
            .map_or(limit, |own| own.min(limit))
    }

    pub(crate) fn node(&self, ix: NodeIx) -> &Node {
        &self.plan.nodes[ix.0 as usize]
    }

    pub(crate) fn record(&self, ix: NodeIx) -> &NodeRecord {
        &self.state.nodes[ix.0 as usize]
    }

    /// The node of an id.
    pub(crate) fn find(&self, node_id: &str) -> Result<NodeIx, String> {
        self.plan.find(node_id).ok_or_else(|| {
            format!(
                "the workflow {} has no node `{node_id}`; name one of its nodes",
                self.plan.workflow_id
            )
        })
    }

    /// Change a node's record and file the node anew. The only way to change one.
    pub(crate) fn change(&mut self, ix: NodeIx, change: impl FnOnce(&mut NodeRecord)) {
        let kind = &self.plan.nodes[ix.0 as usize].kind;
        let record = &mut self.state.nodes[ix.0 as usize];
        let before = Filing::of(record, kind);
        change(record);
        self.agenda
            .refile(ix, Some(before), Filing::of(record, kind));
    }

    /// A machine in this state: the agenda follows from it.
    pub(crate) fn in_state(plan: Arc<Plan>, state: State) -> Self {
        let mut agenda = Agenda::default();
        for ((index, record), node) in (0..).zip(&state.nodes).zip(&plan.nodes) {
            agenda.refile(NodeIx(index), None, Filing::of(record, &node.kind));
        }
        Self {
            plan,
            state,
            agenda,
        }
    }

    /// What conditions and mappings see.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::new(&self.state.started.initial_input, &self.state.data)
    }

    /// The next event, if it is decided at `now`.
    pub(crate) fn decision(
        &self,
        now: Timestamp,
        kind: EventKind,
        order: Option<Order>,
    ) -> Decision {
        let event = Event {
            sequence: self.state.sequence + 1,
            at: now.0,
            origin: Origin::Decision,
            kind,
        };
        Decision { event, order }
    }

    pub(crate) fn node_id(&self, ix: NodeIx) -> String {
        self.node(ix).id.to_string()
    }

    /// The name under which a target is chosen.
    pub(crate) fn target(&self, target: Target) -> String {
        match target {
            Target::Node(ix) => self.node_id(ix),
            Target::End => END.to_string(),
        }
    }
}
