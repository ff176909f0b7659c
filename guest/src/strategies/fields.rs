//! The fields of events that a fault is put into.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::contract::{EventKind, ItemDigest, NodeFailure, StallReason, WorkflowFailure};

pub(super) fn add_one(number: &mut u64) {
    *number += 1;
}

/// The fence of an answer.
pub(super) fn fence(kind: &mut EventKind) -> Option<&mut u64> {
    match kind {
        EventKind::NodeCompleted(it) => Some(&mut it.fence),
        EventKind::NodeFailed(it) => Some(&mut it.fence),
        EventKind::LeaseExpired(it) => Some(&mut it.fence),
        EventKind::NodeReleased(it) => Some(&mut it.fence),
        _ => None,
    }
}

pub(super) fn attempt(kind: &mut EventKind) -> Option<&mut u32> {
    match kind {
        EventKind::NodeScheduled(it) => Some(&mut it.attempt),
        EventKind::RetryScheduled(it) => Some(&mut it.attempt),
        EventKind::NodeStarted(it) => Some(&mut it.attempt),
        EventKind::NodeCompleted(it) => Some(&mut it.attempt),
        EventKind::NodeFailed(it) => Some(&mut it.attempt),
        EventKind::LeaseExpired(it) => Some(&mut it.attempt),
        EventKind::NodeReleased(it) => Some(&mut it.attempt),
        EventKind::NodeTimedOut(it) => Some(&mut it.attempt),
        EventKind::NodeExhausted(it) => Some(&mut it.attempts),
        EventKind::ChildRequested(it) => Some(&mut it.attempt),
        EventKind::ChildStarted(it) => Some(&mut it.attempt),
        EventKind::ChildRefused(it) => Some(&mut it.attempt),
        EventKind::ChildEnded(it) => Some(&mut it.attempt),
        _ => None,
    }
}

pub(super) fn iteration(kind: &mut EventKind) -> Option<&mut u32> {
    match kind {
        EventKind::ChildRequested(it) => Some(&mut it.iteration),
        EventKind::ChildStarted(it) => Some(&mut it.iteration),
        EventKind::ChildRefused(it) => Some(&mut it.iteration),
        EventKind::ChildEnded(it) => Some(&mut it.iteration),
        _ => None,
    }
}

pub(super) fn node(kind: &mut EventKind) -> Option<&mut String> {
    match kind {
        EventKind::NodeScheduled(it) => Some(&mut it.node_id),
        EventKind::NodeStarted(it) => Some(&mut it.node_id),
        EventKind::NodeCompleted(it) => Some(&mut it.node_id),
        EventKind::NodeSettled(it) => Some(&mut it.node_id),
        EventKind::NodeFailed(it) => Some(&mut it.node_id),
        EventKind::LeaseExpired(it) => Some(&mut it.node_id),
        EventKind::NodeReleased(it) => Some(&mut it.node_id),
        EventKind::NodeTimedOut(it) => Some(&mut it.node_id),
        EventKind::NodeExhausted(it) => Some(&mut it.node_id),
        EventKind::NodeSkipped(it) => Some(&mut it.node_id),
        EventKind::NodeCancelled(it) => Some(&mut it.node_id),
        EventKind::RetryScheduled(it) => Some(&mut it.node_id),
        EventKind::InterruptRaised(it) => Some(&mut it.node_id),
        EventKind::ApprovalReceived(it) => Some(&mut it.node_id),
        EventKind::TimerCreated(it) => Some(&mut it.node_id),
        EventKind::TimerFired(it) => Some(&mut it.node_id),
        EventKind::MapExpanded(it) => Some(&mut it.node_id),
        EventKind::ChildRequested(it) => Some(&mut it.node_id),
        EventKind::ChildStarted(it) => Some(&mut it.node_id),
        EventKind::ChildRefused(it) => Some(&mut it.node_id),
        EventKind::ChildEnded(it) => Some(&mut it.node_id),
        EventKind::RetryRequested(it) | EventKind::SkipRequested(it) => Some(&mut it.node_id),
        EventKind::Stalled(it) => match &mut it.reason {
            StallReason::AttemptsExhausted(it) => Some(&mut it.node_id),
            StallReason::BudgetExceeded(_) => None,
        },
        _ => None,
    }
}

/// A payload that the world sent or that a decision passes on.
pub(super) fn payload(kind: &mut EventKind) -> Option<&mut String> {
    match kind {
        EventKind::WorkflowStarted(it) => Some(&mut it.initial_input),
        EventKind::NodeCompleted(it) => Some(&mut it.state_patch),
        EventKind::NodeSettled(it) => Some(&mut it.state_patch),
        EventKind::ExternalEventReceived(it) => Some(&mut it.payload),
        EventKind::ApprovalReceived(it) => it.state_patch.as_mut(),
        EventKind::ChildEnded(it) => it.output.as_mut(),
        _ => None,
    }
}

/// Let a decision say something else, where the state does not depend on it.
pub(super) fn edit(kind: &mut EventKind) -> bool {
    match kind {
        EventKind::NodeScheduled(it) => it.item_digest = ItemDigest::from_bytes([0xff; 32]),
        EventKind::RetryScheduled(it) => add_one(&mut it.delay_ms),
        EventKind::NodeSettled(it) => it.output.push(' '),
        EventKind::NodeExhausted(it) => it.cause = NodeFailure::AttemptFailed("another".to_owned()),
        EventKind::InterruptRaised(it) => it.reason.push('!'),
        EventKind::Stalled(it) => match &mut it.reason {
            StallReason::AttemptsExhausted(it) => {
                it.cause = NodeFailure::AttemptFailed("another".to_owned());
            }
            StallReason::BudgetExceeded(it) => it.spent.push('0'),
        },
        EventKind::WorkflowCompleted(it) => it.final_state = "{}  ".to_owned(),
        EventKind::WorkflowFailed(it) => it.cause = WorkflowFailure::Timeout(1),
        EventKind::WorkflowCancelled(it) => it.reason = Some("another".to_owned()),
        _ => return false,
    }
    true
}
