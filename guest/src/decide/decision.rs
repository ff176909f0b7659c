//! A decision in words, what it orders from the queue, and many of them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::contract::{
    Event, EventKind, ItemName, NodeFailure, Origin, StallReason, WorkOrder, WorkflowFailure,
};
use crate::machine::Machine;
use crate::time::Timestamp;
use crate::workflow::plan::NodeIx;

/// A decision, and what it orders from the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The decision as it will stand in the log, but for the digest of what it
    /// enqueues: the queue tells that.
    pub event: Event,
    /// What the queue is asked for.
    pub order: Option<WorkOrder>,
}

/// What one step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what was decided is not yet in the log, and what was ordered not yet in the queue"]
pub struct Batch {
    /// The decisions, still without the digests of what they enqueue.
    pub events: Vec<Event>,
    /// What they order, in their order.
    pub orders: Vec<WorkOrder>,
    /// Nothing but a limit ended the batch: of work items (rule R4), or of bytes.
    pub more: bool,
}

impl Batch {
    /// The decisions name what they enqueue by these digests, the queue's answer
    /// to the orders.
    ///
    /// # Errors
    /// There are more or fewer of them than of enqueued items.
    pub fn name_items(&mut self, digests: Vec<String>) -> Result<(), String> {
        let (answered, mut digests) = (digests.len(), digests.into_iter());
        let mut enqueued = 0;
        for event in &mut self.events {
            let named = match &mut event.kind {
                EventKind::NodeScheduled(it) => &mut it.item_digest,
                EventKind::RetryScheduled(it) => &mut it.item_digest,
                _ => continue,
            };
            *named = digests.next().unwrap_or_default();
            enqueued += 1;
        }
        if answered == enqueued {
            return Ok(());
        }
        Err(format!(
            "{enqueued} work items were enqueued, and the queue answered {answered} digests"
        ))
    }
}

impl Decision {
    /// How much it adds to a batch: the texts that can be large, and something
    /// for all that cannot.
    pub(super) fn bytes(&self) -> usize {
        const SMALL_FIELDS_BYTES: usize = 256;
        let of_event = match &self.event.kind {
            EventKind::WorkflowCompleted(it) => it.final_state.len(),
            EventKind::WorkflowFailed(it) => failure_bytes(&it.cause) + it.final_state.len(),
            EventKind::WorkflowCancelled(it) => {
                it.reason.as_ref().map_or(0, String::len) + it.final_state.len()
            }
            EventKind::NodeSettled(it) => it.output.len() + it.state_patch.len(),
            EventKind::NodeExhausted(it) => cause_bytes(&it.cause),
            EventKind::InterruptRaised(it) => it.reason.len(),
            EventKind::Stalled(it) => match &it.reason {
                StallReason::AttemptsExhausted(exhausted) => cause_bytes(&exhausted.cause),
                StallReason::BudgetExceeded(_) => 0,
            },
            _ => 0,
        };
        let of_order = match &self.order {
            Some(WorkOrder::Enqueue(item)) => item.payload.len(),
            Some(WorkOrder::StartChild(child)) => child.input.len(),
            Some(WorkOrder::Cancel(_) | WorkOrder::CancelChild(_)) | None => 0,
        };
        SMALL_FIELDS_BYTES + of_event + of_order
    }
}

/// The texts in why a node failed.
fn cause_bytes(cause: &NodeFailure) -> usize {
    match cause {
        NodeFailure::AttemptFailed(error) => error.len(),
        NodeFailure::Rejected(it) => it.comment.as_ref().map_or(0, String::len),
        NodeFailure::LimitExceeded(text) | NodeFailure::ChildFailed(text) => {
            text.as_ref().map_or(0, String::len)
        }
        NodeFailure::InstancesFailed(it) => it.nodes.iter().map(String::len).sum(),
        _ => 0,
    }
}

/// The texts in why an execution failed.
fn failure_bytes(cause: &WorkflowFailure) -> usize {
    match cause {
        WorkflowFailure::NodesFailed(nodes) => nodes.iter().map(String::len).sum(),
        WorkflowFailure::Terminated(reason) => reason.as_ref().map_or(0, String::len),
        WorkflowFailure::Timeout(_) | WorkflowFailure::BudgetExceeded(_) => 0,
    }
}

/// The next event, if it is decided at `now`.
pub(super) fn decision(
    machine: &Machine,
    now: Timestamp,
    kind: EventKind,
    order: Option<WorkOrder>,
) -> Decision {
    let event = Event {
        sequence: machine.state.sequence + 1,
        at: now.0,
        origin: Origin::Decision,
        kind,
    };
    Decision { event, order }
}

pub(super) fn take_back(machine: &Machine, ix: NodeIx) -> WorkOrder {
    WorkOrder::Cancel(ItemName {
        node_id: machine.node_id(ix),
        attempt: machine.record(ix).attempt,
    })
}
