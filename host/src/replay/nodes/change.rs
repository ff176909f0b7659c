//! What an event changes of the node that it is about.

use crate::limits::RELEASES_MAX;
use crate::model::{EventKind, NodeFailure, NodeState, Status};
use crate::render::{self, child_refusal, node_failure};
use crate::store::Timestamp;

use super::node::{Node, Wait};

/// The node whose state an event of this kind says. `None` if it says none.
pub(super) fn changed(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::NodeScheduled(it) => Some(&it.node_id),
        EventKind::NodeStarted(it) => Some(&it.node_id),
        EventKind::NodeFailed(it) => Some(&it.node_id),
        EventKind::LeaseExpired(it) => Some(&it.node_id),
        EventKind::NodeTimedOut(it) => Some(&it.node_id),
        EventKind::NodeReleased(it) => Some(&it.node_id),
        EventKind::RetryScheduled(it) => Some(&it.node_id),
        EventKind::InterruptRaised(it) => Some(&it.node_id),
        EventKind::TimerCreated(it) => Some(&it.node_id),
        EventKind::MapExpanded(it) => Some(&it.node_id),
        EventKind::ChildRequested(it) => Some(&it.node_id),
        EventKind::ChildRefused(it) => Some(&it.node_id),
        EventKind::ChildEnded(it) => Some(&it.node_id),
        EventKind::NodeCompleted(it) => Some(&it.node_id),
        EventKind::NodeSettled(it) => Some(&it.node_id),
        EventKind::NodeExhausted(it) => Some(&it.node_id),
        EventKind::NodeSkipped(it) => Some(&it.node_id),
        EventKind::NodeCancelled(it) => Some(&it.node_id),
        _ => None,
    }
}

/// Changes the node as an event of this kind says, which is about it.
pub(super) fn change(node: &mut Node, kind: &EventKind, at: Timestamp) {
    let is_told = attempt(node, kind, at)
        || wait(node, kind, at)
        || child(node, kind, at)
        || end(node, kind, at);
    debug_assert!(is_told, "{kind:?} changes {:?}", node.id);
}

/// Attempts are ordered, claimed, given back, and fail. Whether the event is of these.
fn attempt(node: &mut Node, kind: &EventKind, at: Timestamp) -> bool {
    match kind {
        EventKind::NodeScheduled(it) => {
            node.enter(NodeState::Scheduled, at);
            node.attempts = it.attempt;
            node.queue = Some(it.queue.clone());
        }
        EventKind::NodeStarted(it) => {
            node.enter(NodeState::Running, at);
            node.attempts = it.attempt;
            node.started_at = Some(at);
            node.worker_id = Some(it.worker_id.clone());
        }
        EventKind::NodeFailed(_) | EventKind::LeaseExpired(_) | EventKind::NodeTimedOut(_) => {
            node.enter(NodeState::Failing, at);
            node.error = error(kind);
        }
        EventKind::NodeReleased(_) => {
            node.releases += 1;
            // Once more counts as an expired lease (rule R25).
            if node.releases > RELEASES_MAX {
                node.enter(NodeState::Failing, at);
                node.error = Some(node_failure(&NodeFailure::LeaseExpired).into_owned());
            } else {
                node.enter(NodeState::Scheduled, at);
            }
        }
        EventKind::RetryScheduled(it) => {
            node.enter(NodeState::BackingOff, at);
            node.attempts = it.attempt;
            node.releases = 0;
            node.wait = Some(Wait::Delay {
                until: at.saturating_add(it.delay_ms),
            });
        }
        _ => return false,
    }
    true
}

/// It waits for a person, an event, a time or its instances. Whether the event is of these.
fn wait(node: &mut Node, kind: &EventKind, at: Timestamp) -> bool {
    let waits_for = match kind {
        EventKind::InterruptRaised(it) => Some(Wait::Approval {
            question: it.reason.clone(),
            until: it.expires_at,
        }),
        EventKind::TimerCreated(it) => Some(Wait::Event {
            key: it.correlation_key.clone(),
            until: it.fire_at,
        }),
        EventKind::MapExpanded(it) => {
            node.instances = Some(it.count);
            None
        }
        _ => return false,
    };
    node.enter(NodeState::Waiting, at);
    node.wait = waits_for;
    true
}

/// A child is asked for, refused, and ends. Whether the event is of these.
fn child(node: &mut Node, kind: &EventKind, at: Timestamp) -> bool {
    match kind {
        EventKind::ChildRequested(it) => {
            node.enter(NodeState::Waiting, at);
            node.attempts = it.attempt;
            node.child = true;
            node.workflow.clone_from(&it.workflow);
            node.iterations = it.iteration.saturating_add(1);
        }
        EventKind::ChildRefused(it) => {
            node.enter(NodeState::Failing, at);
            node.error = Some(child_refusal(it.code, node.workflow.as_ref()));
        }
        EventKind::ChildEnded(it) if it.status == Status::Completed => {
            node.error = None;
            node.end(NodeState::Completed, at);
        }
        EventKind::ChildEnded(_) => {
            node.enter(NodeState::Failing, at);
            node.error = error(kind);
        }
        _ => return false,
    }
    true
}

/// It is settled. Whether the event is of these.
fn end(node: &mut Node, kind: &EventKind, at: Timestamp) -> bool {
    match kind {
        EventKind::NodeCompleted(_) | EventKind::NodeSettled(_) => {
            node.error = None;
            node.end(NodeState::Completed, at);
        }
        EventKind::NodeExhausted(it) => {
            node.error = match it.cause {
                NodeFailure::ChildRefused(code) => {
                    Some(child_refusal(code, node.workflow.as_ref()))
                }
                _ => error(kind),
            };
            node.end(NodeState::Failed, at);
        }
        EventKind::NodeSkipped(_) => node.end(NodeState::Skipped, at),
        EventKind::NodeCancelled(_) => node.end(NodeState::Cancelled, at),
        _ => return false,
    }
    true
}

fn error(kind: &EventKind) -> Option<String> {
    render::error(kind).map(|error| error.into_owned())
}
