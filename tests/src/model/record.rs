//! What happened to one node.

use refrain_guest::contract::{ApprovalReceived, NodeExhausted, NodeFailure};
use serde_json::{Value, json};

use super::attempt::Failure;

/// What happened to one node.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) stage: Stage,
    /// The last attempt that was ordered; 0: none.
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
    /// How often that attempt was given back.
    pub(super) releases: u32,
    /// It failed for good, and an edge handled that (rule R26).
    pub(super) handled: bool,
    /// Which iteration of its child it is in (rule R23).
    pub(super) iteration: u32,
    /// The sequence of the event in which an operator asked for it to be skipped.
    pub(super) skip_asked_for: Option<u64>,
}

/// Where a node is.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    Pending,
    Scheduled,
    Running {
        since: u64,
    },
    Failing(Failure),
    /// It has asked for a child.
    Child {
        since: u64,
    },
    Waiting(Wait),
    Completed,
    Failed,
    Skipped,
    Cancelled,
}

/// What a node waits for.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    /// The sequence of the event with which the wait began.
    pub(super) since: u64,
    /// When it began.
    pub(super) began_at: u64,
    pub(super) until: Option<u64>,
    /// The correlation key of the external event.
    pub(super) key: Option<String>,
    pub(super) fired: bool,
    pub(super) approval: Option<ApprovalReceived>,
}

impl Record {
    /// How it failed for good, as conditions see it (rule R26).
    pub(super) fn error(&self, exhausted: &NodeExhausted) -> Value {
        let class = match (&exhausted.cause, &self.stage) {
            (NodeFailure::AttemptFailed(_), Stage::Failing(failure)) => failure.class.as_deref(),
            (NodeFailure::Timeout(_), _) => Some("timeout"),
            (NodeFailure::LeaseExpired, _) => Some("lease_expired"),
            (NodeFailure::Rejected(_), _) => Some("rejected"),
            (NodeFailure::ApprovalTimeout(_), _) => Some("approval_timeout"),
            (NodeFailure::EventTimeout(_), _) => Some("event_timeout"),
            (NodeFailure::LimitExceeded(_), _) => Some("limit_exceeded"),
            (NodeFailure::UnresolvedExpression(_), _) => Some("unresolved_expression"),
            (NodeFailure::TooLarge(_), _) => Some("too_large"),
            (NodeFailure::NotAList, _) => Some("not_a_list"),
            (NodeFailure::TooManyItems(_), _) => Some("too_many_items"),
            (NodeFailure::InstancesFailed(_), _) => Some("instances_failed"),
            (NodeFailure::ChildFailed(_), _) => Some("child_failed"),
            (NodeFailure::ChildCancelled, _) => Some("child_cancelled"),
            (NodeFailure::ChildRefused(_), _) => Some("child_refused"),
            (NodeFailure::RepeatLimit(_), _) => Some("repeat_limit"),
            (other @ NodeFailure::AttemptFailed(_), _) => panic!("no attempt failed so: {other:?}"),
        };
        let message = match &exhausted.cause {
            NodeFailure::AttemptFailed(error) => Some(error),
            _ => None,
        };
        json!({"class": class, "message": message, "attempts": exhausted.attempts})
    }

    /// R4: it has an unsettled work item.
    pub(super) fn is_in_flight(&self) -> bool {
        matches!(self.stage, Stage::Scheduled | Stage::Running { .. })
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.is_in_flight() || matches!(self.stage, Stage::Waiting(_) | Stage::Child { .. })
    }

    pub(super) fn is_failing(&self) -> bool {
        matches!(self.stage, Stage::Failing(_))
    }

    /// R26: it failed for good, and no edge handled that.
    pub(super) fn fails_execution(&self) -> bool {
        matches!(self.stage, Stage::Failed) && !self.handled
    }

    /// Nothing more is to come of it.
    pub(super) fn is_settled(&self) -> bool {
        let pending = matches!(self.stage, Stage::Pending);
        !pending && !self.is_under_way() && !self.is_failing()
    }
}
