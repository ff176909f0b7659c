//! The places of a log that a cursor can be sent to.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{Event, EventKind, Origin, Status, node_of_run};
use crate::replay::divergence::node_of;

/// What a [`Travel`](super::Travel) looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seek<'a> {
    /// A decision of the scheduler.
    Decision,
    /// A fact of the world.
    Fact,
    /// Something that failed: an attempt, a node, a child, the execution; or a stall.
    Failure,
    /// Anything about this node, or this instance of one.
    Node(&'a str),
    /// A change of this key of the state.
    Key(&'a str),
}

impl Seek<'_> {
    /// Whether an event is of that kind. Of one that is, a change of a key still has to be
    /// seen.
    pub(super) fn finds(&self, event: &Event, workflow: &Value) -> bool {
        match self {
            Self::Decision => event.origin == Origin::Decision,
            Self::Fact => event.origin == Origin::Fact,
            Self::Failure => is_failure(&event.kind),
            Self::Node(id) => node_of(&event.kind) == Some(id),
            Self::Key(key) => may_set(&event.kind, key, workflow),
        }
    }
}

/// Whether an event says that something failed: an attempt, a node, a child, the execution; or
/// that it stalled.
#[must_use]
pub fn is_failure(kind: &EventKind) -> bool {
    match kind {
        EventKind::NodeFailed(_)
        | EventKind::NodeTimedOut(_)
        | EventKind::LeaseExpired(_)
        | EventKind::NodeExhausted(_)
        | EventKind::ChildRefused(_)
        | EventKind::WorkflowFailed(_)
        | EventKind::WorkflowTimedOut
        | EventKind::Stalled(_)
        | EventKind::HostStalled(_) => true,
        EventKind::ChildEnded(it) => it.status != Status::Completed,
        _ => false,
    }
}

/// Whether an event may give a key of the state another value (rules R10, R21 and R22).
pub(super) fn may_set(kind: &EventKind, key: &str, workflow: &Value) -> bool {
    match kind {
        EventKind::NodeCompleted(it) => has(&it.state_patch, key),
        EventKind::NodeSettled(it) => has(&it.state_patch, key),
        EventKind::ApprovalReceived(it) => it.state_patch.as_deref().is_some_and(|it| has(it, key)),
        EventKind::ChildEnded(it) => {
            let kind = &workflow["nodes"][&it.node_id]["kind"];
            kind["merge"] == true || kind["output_key"].as_str().unwrap_or(&it.node_id) == key
        }
        _ => false,
    }
}

/// Whether an event may change the state at all (rules R10, R21, R22 and R27): what instances
/// and compensations come to does not.
#[must_use]
pub fn may_change_state(kind: &EventKind) -> bool {
    let settled = match kind {
        EventKind::NodeCompleted(it) => &it.node_id,
        EventKind::NodeSettled(it) => &it.node_id,
        EventKind::ApprovalReceived(it) => &it.node_id,
        EventKind::ChildEnded(it) => &it.node_id,
        _ => return false,
    };
    node_of_run(settled) == settled
}

/// Whether a JSON object has this key.
fn has(object: &str, key: &str) -> bool {
    let members: Result<BTreeMap<String, &RawValue>, _> = serde_json::from_str(object);
    members.is_ok_and(|members| members.contains_key(key))
}
