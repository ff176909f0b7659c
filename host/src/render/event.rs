//! What an event says went wrong.

use std::borrow::Cow;

use super::failure::{exhausted, node_failure, stall, workflow_failure};
use crate::model::{EventKind, NodeFailure};

/// What went wrong, where the event says that something did: the error that
/// JamJet's logs have as `error`, and a dead letter has. `None` if nothing did.
#[must_use]
pub fn error(kind: &EventKind) -> Option<Cow<'_, str>> {
    Some(match kind {
        EventKind::NodeFailed(it) => Cow::Borrowed(&it.error),
        EventKind::LeaseExpired(_) => node_failure(&NodeFailure::LeaseExpired),
        EventKind::NodeTimedOut(it) => {
            Cow::Owned(node_failure(&NodeFailure::Timeout(it.timeout_ms)).into_owned())
        }
        EventKind::NodeExhausted(it) => exhausted(it),
        EventKind::ChildRefused(it) => {
            Cow::Owned(node_failure(&NodeFailure::ChildRefused(it.code)).into_owned())
        }
        EventKind::ChildEnded(it) => Cow::Borrowed(it.error.as_deref()?),
        EventKind::WorkflowFailed(it) => Cow::Owned(workflow_failure(&it.cause)),
        EventKind::WorkflowCancelled(it) => Cow::Borrowed(it.reason.as_deref()?),
        EventKind::Stalled(it) => Cow::Owned(stall(&it.reason)),
        EventKind::HostStalled(it) => {
            Cow::Owned(format!("the scheduler could not go on: {}", it.reason))
        }
        _ => return None,
    })
}
