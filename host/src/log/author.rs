//! Who may say what, and what ends a log: as far as an event's kind tells.

use crate::model::{EventKind, Origin};

/// Facts are the world's, decisions the guest's. A decision that calls itself
/// a fact would be believed without being asked for again.
pub(crate) fn may_author(origin: Origin, kind: &EventKind) -> bool {
    use EventKind as Kind;
    match kind {
        Kind::WorkflowStarted(_)
        | Kind::NodeStarted(_)
        | Kind::NodeFailed(_)
        | Kind::ApprovalReceived(_)
        | Kind::ExternalEventReceived(_)
        | Kind::CancelRequested(_)
        | Kind::ExecutionPaused(_)
        | Kind::ExecutionUnpaused(_)
        | Kind::RetryRequested(_)
        | Kind::SkipRequested(_)
        | Kind::StallLifted(_)
        | Kind::GuestChanged(_) => origin == Origin::Fact,
        Kind::WorkflowCompleted(_)
        | Kind::WorkflowFailed(_)
        | Kind::WorkflowCancelled(_)
        | Kind::WorkflowTimedOut
        | Kind::NodeScheduled(_)
        | Kind::NodeTimedOut(_)
        | Kind::NodeExhausted(_)
        | Kind::NodeSkipped(_)
        | Kind::NodeCancelled(_)
        | Kind::RetryScheduled(_)
        | Kind::InterruptRaised(_)
        | Kind::TimerCreated(_)
        | Kind::TimerFired(_) => origin == Origin::Decision,
        // A worker's completion presents a fence, the guest's own has neither
        // that nor an attempt.
        Kind::NodeCompleted(it) => match origin {
            Origin::Fact => it.fence != 0,
            Origin::Decision => it.fence == 0 && it.attempt == 0,
        },
        // The host saw the guest fail, or a policy asked for it on a node.
        Kind::Stalled(stalled) => (origin == Origin::Fact) == stalled.node_id.is_none(),
    }
}

/// Whether an event of this kind ends its execution (law 6).
pub(crate) fn is_terminal(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::WorkflowCompleted(_)
            | EventKind::WorkflowFailed(_)
            | EventKind::WorkflowCancelled(_)
    )
}
