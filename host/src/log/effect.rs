//! What an event does outside of the log: to the work item of its node, and to a
//! stall by the host.
//!
//! The live host, an audit and a world in memory ask here, so that none of them
//! can read an event otherwise than the others.

use std::borrow::Cow;

use crate::model::{Digest, EventKind, instance_of};
use crate::render;

/// What an event does to the work item of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemEffect<'a> {
    /// The node.
    pub node_id: &'a str,
    /// What becomes of its item, if it has one.
    pub change: Change<'a>,
    /// Whether the event stops an attempt that may still be under way. Its item
    /// is then taken back from the queue; after any other event that ends an
    /// item, a worker has answered already.
    pub stops: bool,
}

/// What becomes of a work item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The item of this attempt is put on its queue. It replaces the dead letter
    /// of the attempt before.
    Enqueue {
        /// The attempt.
        attempt: u32,
        /// The item's digest, as the decision names it.
        digest: Digest,
    },
    /// A worker claims it. The log does not say until when.
    Lease {
        /// The worker.
        worker_id: &'a str,
        /// The number that the worker's answer must present: the sequence of the
        /// claim.
        fence: u64,
    },
    /// Its worker gave it back: it waits again.
    Release,
    /// Its attempt failed: it is a dead letter, until a further attempt is ordered.
    DeadLetter {
        /// What went wrong.
        error: Cow<'a, str>,
    },
    /// It leaves the queue.
    Remove,
}

/// What the event of this kind and sequence does to a work item. `None` if it
/// concerns none.
#[must_use]
pub fn on_item(kind: &EventKind, sequence: u64) -> Option<ItemEffect<'_>> {
    let effect = |node_id, change| ItemEffect {
        node_id,
        change,
        stops: false,
    };
    let stopping = |node_id, change| ItemEffect {
        node_id,
        change,
        stops: true,
    };
    Some(match kind {
        EventKind::NodeScheduled(it) => effect(&it.node_id, enqueue(it.attempt, it.item_digest)),
        EventKind::RetryScheduled(it) => effect(&it.node_id, enqueue(it.attempt, it.item_digest)),
        EventKind::NodeStarted(it) => effect(
            &it.node_id,
            Change::Lease {
                worker_id: &it.worker_id,
                fence: sequence,
            },
        ),
        EventKind::NodeFailed(it) => effect(&it.node_id, dead_letter(kind)),
        EventKind::LeaseExpired(it) => effect(&it.node_id, dead_letter(kind)),
        EventKind::NodeReleased(it) => effect(&it.node_id, Change::Release),
        EventKind::NodeExhausted(it) => effect(&it.node_id, dead_letter(kind)),
        EventKind::NodeTimedOut(it) => stopping(&it.node_id, dead_letter(kind)),
        EventKind::NodeCompleted(it) => effect(&it.node_id, Change::Remove),
        EventKind::NodeSettled(it) => effect(&it.node_id, Change::Remove),
        EventKind::NodeSkipped(it) => effect(&it.node_id, Change::Remove),
        EventKind::NodeCancelled(it) => stopping(&it.node_id, Change::Remove),
        EventKind::WorkflowStarted(_)
        | EventKind::WorkflowCompleted(_)
        | EventKind::WorkflowFailed(_)
        | EventKind::WorkflowCancelled(_)
        | EventKind::WorkflowTimedOut
        | EventKind::InterruptRaised(_)
        | EventKind::ApprovalReceived(_)
        | EventKind::TimerCreated(_)
        | EventKind::TimerFired(_)
        | EventKind::ExternalEventReceived(_)
        | EventKind::MapExpanded(_)
        | EventKind::ChildRequested(_)
        | EventKind::ChildStarted(_)
        | EventKind::ChildRefused(_)
        | EventKind::ChildEnded(_)
        | EventKind::CancelRequested(_)
        | EventKind::ExecutionPaused(_)
        | EventKind::ExecutionUnpaused(_)
        | EventKind::RetryRequested(_)
        | EventKind::SkipRequested(_)
        | EventKind::Stalled(_)
        | EventKind::HostStalled(_)
        | EventKind::StallLifted(_)
        | EventKind::GuestChanged(_)
        | EventKind::ExecutionForked(_) => return None,
    })
}

/// Whether an event of this kind takes back the claims on all work items: what was
/// in flight waits again. No item is named, because a fork begins anew with each.
#[must_use]
pub fn takes_claims_back(kind: &EventKind) -> bool {
    matches!(kind, EventKind::ExecutionForked(_))
}

/// The order of a work item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<'a> {
    /// The node.
    pub node_id: &'a str,
    /// The attempt.
    pub attempt: u32,
    /// The item's digest.
    pub digest: Digest,
}

/// Whether an operator asks by this event for the node to be tried again, or for the map
/// that it is an instance of.
#[must_use]
pub fn asks_again(kind: &EventKind, node_id: &str) -> bool {
    match kind {
        EventKind::RetryRequested(it) => {
            let map = instance_of(node_id).map(|(map, _)| map);
            it.node_id == node_id || map == Some(&*it.node_id)
        }
        _ => false,
    }
}

/// The work item that an event of this kind orders. `None` if it orders none.
#[must_use]
pub fn order(kind: &EventKind) -> Option<Order<'_>> {
    // An order has no fence.
    let effect = on_item(kind, 0)?;
    match effect.change {
        Change::Enqueue { attempt, digest } => Some(Order {
            node_id: effect.node_id,
            attempt,
            digest,
        }),
        _ => None,
    }
}

/// Whether an event of this kind begins a stall by the host (`Some(true)`) or
/// ends it (`Some(false)`). `None` if it does neither: a stall that a retry
/// policy asked for is the node's, and nobody lifts it.
#[must_use]
pub fn on_host_stall(kind: &EventKind) -> Option<bool> {
    match kind {
        EventKind::HostStalled(_) => Some(true),
        EventKind::StallLifted(_) => Some(false),
        _ => None,
    }
}

fn enqueue<'a>(attempt: u32, digest: Digest) -> Change<'a> {
    Change::Enqueue { attempt, digest }
}

fn dead_letter(kind: &EventKind) -> Change<'_> {
    let error = render::error(kind).unwrap_or_default();
    Change::DeadLetter { error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{form, samples};

    /// What each kind does to the item of its node; all others do nothing to one.
    const EFFECTS: [(&str, &str); 12] = [
        ("node_scheduled", "enqueue"),
        ("node_started", "lease"),
        ("node_completed", "remove"),
        ("node_settled", "remove"),
        ("node_failed", "dead letter"),
        ("lease_expired", "dead letter"),
        ("node_released", "release"),
        ("node_timed_out", "stop, dead letter"),
        ("node_exhausted", "dead letter"),
        ("node_skipped", "remove"),
        ("node_cancelled", "stop, remove"),
        ("retry_scheduled", "enqueue"),
    ];

    fn in_words(effect: &ItemEffect<'_>) -> String {
        let change = match effect.change {
            Change::Enqueue { .. } => "enqueue",
            Change::Lease { .. } => "lease",
            Change::Release => "release",
            Change::DeadLetter { .. } => "dead letter",
            Change::Remove => "remove",
        };
        let stops = if effect.stops { "stop, " } else { "" };
        format!("{stops}{change}")
    }

    #[test]
    fn every_kind_does_to_an_item_what_the_table_says() {
        for event in samples::events() {
            let name = form::kind_name(&event.kind);
            let expected = EFFECTS.iter().find(|(kind, _)| *kind == name);
            let found = on_item(&event.kind, event.sequence).as_ref().map(in_words);
            assert_eq!(
                found.as_deref(),
                expected.map(|(_, effect)| *effect),
                "{name}"
            );
        }
    }

    #[test]
    fn only_the_stall_by_a_host_is_lifted() {
        for event in samples::events() {
            let expected = match &event.kind {
                EventKind::HostStalled(_) => Some(true),
                EventKind::StallLifted(_) => Some(false),
                _ => None,
            };
            assert_eq!(on_host_stall(&event.kind), expected, "{:?}", event.kind);
        }
    }
}
