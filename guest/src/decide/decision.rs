//! A decision in words, what it orders from the queue, and many of them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::contract::{
    ChildName, Event, EventKind, ItemDigest, ItemName, NodeFailure, NodeState, Origin, StallReason,
    WorkOrder, WorkflowFailure,
};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::time::Timestamp;

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
    pub fn name_items(&mut self, digests: Vec<ItemDigest>) -> Result<(), String> {
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
        NodeFailure::TooLarge(pointer) | NodeFailure::UnresolvedExpression(pointer) => {
            pointer.len()
        }
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

pub(super) fn take_back(machine: &Machine, run: RunIx) -> WorkOrder {
    WorkOrder::Cancel(ItemName {
        node_id: machine.node_id(run),
        attempt: machine.record(run).attempt,
    })
}

/// The order that ends the child of a run, if it has one that it waits for.
pub(super) fn child_to_cancel(machine: &Machine, run: RunIx) -> Option<WorkOrder> {
    machine.subgraph(run)?;
    let record = machine.record(run);
    (record.state == NodeState::Waiting).then(|| {
        WorkOrder::CancelChild(ChildName {
            node_id: machine.node_id(run),
            attempt: record.attempt,
            iteration: machine.iteration(run),
        })
    })
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::contract::{
        FailedInstances, InterruptRaised, NodeExhausted, NodeSettled, Rejection, Stalled,
        WorkflowCancelled, WorkflowCompleted, WorkflowFailed,
    };

    /// A text of so many bytes.
    fn text(bytes: usize) -> String {
        "x".repeat(bytes)
    }

    fn weighed(kind: EventKind) -> usize {
        let event = Event {
            sequence: 1,
            at: 0,
            origin: Origin::Decision,
            kind,
        };
        Decision { event, order: None }.bytes()
    }

    fn exhausted(cause: NodeFailure) -> NodeExhausted {
        NodeExhausted {
            node_id: "a".to_string(),
            attempts: 1,
            cause,
        }
    }

    fn failed(cause: WorkflowFailure) -> EventKind {
        EventKind::WorkflowFailed(WorkflowFailed {
            cause,
            final_state: text(3_000),
        })
    }

    /// The texts in a decision can be as large as a state, and many of them are more than a
    /// host takes at once: a batch has to know what it has come to.
    #[test]
    fn r04_a_decision_weighs_what_its_texts_weigh() {
        let none = weighed(EventKind::WorkflowCompleted(WorkflowCompleted {
            final_state: String::new(),
        }));
        assert!((1..=1_000).contains(&none), "{none}");
        let instances = FailedInstances {
            count: 2,
            nodes: vec![text(400), text(50)],
        };
        let rejected = Rejection {
            user_id: "u".to_string(),
            comment: Some(text(600)),
        };
        let causes = [
            (NodeFailure::AttemptFailed(text(700)), 700),
            (NodeFailure::Rejected(rejected), 600),
            (NodeFailure::LimitExceeded(Some(text(500))), 500),
            (NodeFailure::ChildFailed(Some(text(800))), 800),
            (NodeFailure::InstancesFailed(instances), 450),
            (NodeFailure::UnresolvedExpression(text(30)), 30),
            (NodeFailure::TooLarge(text(20)), 20),
            (NodeFailure::LeaseExpired, 0),
        ];
        for (cause, bytes) in causes {
            let kind = EventKind::NodeExhausted(exhausted(cause.clone()));
            assert_eq!(weighed(kind) - none, bytes, "{cause:?}");
            let reason = StallReason::AttemptsExhausted(exhausted(cause.clone()));
            let kind = EventKind::Stalled(Stalled { reason });
            assert_eq!(weighed(kind) - none, bytes, "stalled: {cause:?}");
        }
        let rows = [
            (
                EventKind::WorkflowCompleted(WorkflowCompleted {
                    final_state: text(900),
                }),
                900,
            ),
            (
                failed(WorkflowFailure::NodesFailed(vec![text(20), text(7)])),
                3_027,
            ),
            (failed(WorkflowFailure::Terminated(Some(text(11)))), 3_011),
            (failed(WorkflowFailure::Timeout(1)), 3_000),
            (
                EventKind::WorkflowCancelled(WorkflowCancelled {
                    reason: Some(text(40)),
                    final_state: text(2_000),
                }),
                2_040,
            ),
            (
                EventKind::NodeSettled(NodeSettled {
                    node_id: "a".to_string(),
                    output: text(70),
                    state_patch: text(5_000),
                    chosen_target: None,
                }),
                5_070,
            ),
            (
                EventKind::InterruptRaised(InterruptRaised {
                    node_id: "a".to_string(),
                    reason: text(90),
                    expires_at: None,
                }),
                90,
            ),
        ];
        for (kind, bytes) in rows {
            assert_eq!(weighed(kind.clone()) - none, bytes, "{kind:?}");
        }
    }
}
