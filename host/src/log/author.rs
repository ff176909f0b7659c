//! Who may say what, as far as an event's kind tells.

use crate::model::{EventKind, Origin};

/// Facts are the world's, decisions the guest's. A decision that calls itself
/// a fact would be believed without being asked for again.
pub(crate) fn may_author(origin: Origin, kind: &EventKind) -> bool {
    use EventKind as Kind;
    let author = match kind {
        Kind::WorkflowStarted(_)
        | Kind::NodeStarted(_)
        | Kind::NodeCompleted(_)
        | Kind::NodeFailed(_)
        | Kind::LeaseExpired(_)
        | Kind::NodeReleased(_)
        | Kind::ApprovalReceived(_)
        | Kind::ExternalEventReceived(_)
        | Kind::ChildStarted(_)
        | Kind::ChildRefused(_)
        | Kind::ChildEnded(_)
        | Kind::CancelRequested(_)
        | Kind::ExecutionPaused(_)
        | Kind::ExecutionUnpaused(_)
        | Kind::RetryRequested(_)
        | Kind::SkipRequested(_)
        | Kind::HostStalled(_)
        | Kind::StallLifted(_)
        | Kind::GuestChanged(_)
        | Kind::ExecutionForked(_) => Origin::Fact,
        Kind::WorkflowCompleted(_)
        | Kind::WorkflowFailed(_)
        | Kind::WorkflowCancelled(_)
        | Kind::WorkflowTimedOut
        | Kind::NodeScheduled(_)
        | Kind::NodeSettled(_)
        | Kind::NodeTimedOut(_)
        | Kind::NodeExhausted(_)
        | Kind::NodeSkipped(_)
        | Kind::NodeCancelled(_)
        | Kind::RetryScheduled(_)
        | Kind::InterruptRaised(_)
        | Kind::TimerCreated(_)
        | Kind::TimerFired(_)
        | Kind::MapExpanded(_)
        | Kind::ChildRequested(_)
        | Kind::Stalled(_) => Origin::Decision,
    };
    author == origin
}
