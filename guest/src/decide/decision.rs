//! A decision in words, what it orders from the queue, and many of them.

use alloc::string::String;
use alloc::vec::Vec;

use crate::contract::{Event, EventKind, Origin, WorkItem};
use crate::machine::Machine;
use crate::time::Timestamp;
use crate::workflow::plan::NodeIx;

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
    pub(super) fn bytes(&self) -> usize {
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

/// The next event, if it is decided at `now`.
pub(super) fn decision(
    machine: &Machine,
    now: Timestamp,
    kind: EventKind,
    order: Option<Order>,
) -> Decision {
    let event = Event {
        sequence: machine.state.sequence + 1,
        at: now.0,
        origin: Origin::Decision,
        kind,
    };
    Decision { event, order }
}

pub(super) fn take_back(machine: &Machine, ix: NodeIx) -> Order {
    Order::Cancel {
        node_id: machine.node_id(ix),
        attempt: machine.record(ix).attempt,
    }
}
