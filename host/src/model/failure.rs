//! Why a node or an execution failed, or stands still: codes and their data.
//!
//! A scheduler component says no sentence: those are this crate's, in
//! `render`. A text in here came from the world.

use serde::{Deserialize, Serialize};

use super::child::ChildRefusal;

/// Why an execution failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WorkflowFailure {
    /// These nodes failed for good; in the order of their ids' bytes.
    NodesFailed(Vec<String>),
    /// The workflow's timeout passed, which is this.
    Timeout(u64),
    /// The workflow came to a `terminate` that fails it, for the reason that
    /// the workflow gives.
    Terminated(Option<String>),
    /// A budget of the workflow is spent.
    BudgetExceeded(BudgetExcess),
}

/// A budget of the workflow that is spent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetExcess {
    /// Which.
    pub budget: Budget,
    /// What the workflow allows, a JSON number.
    pub allowed: String,
    /// What was spent, a JSON number.
    pub spent: String,
}

/// What a workflow can have a budget of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Budget {
    /// Tokens of models.
    Tokens,
    /// US dollars.
    CostUsd,
}

/// Why a node failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NodeFailure {
    /// Its last attempt failed; this is what the worker said.
    AttemptFailed(String),
    /// Its last attempt ran longer than the node's timeout, which is this.
    Timeout(u64),
    /// The lease of its last attempt expired: the worker is presumed dead.
    LeaseExpired,
    /// A person rejected it.
    Rejected(Rejection),
    /// No person decided within this time.
    ApprovalTimeout(u64),
    /// The external event did not come in time.
    EventTimeout(MissedEvent),
    /// It is a limit of the workflow's own, which was reached; this is the
    /// node's `description`.
    LimitExceeded(Option<String>),
    /// Too many instances of the map failed.
    InstancesFailed(FailedInstances),
    /// What the map is over is no list.
    NotAList,
    /// The list that the map is over has so many elements, more than it may.
    TooManyItems(u32),
    /// What an expression came to is larger or deeper than it may be; this is
    /// where it stands, a JSON pointer into the node.
    TooLarge(String),
    /// An expression came to null; this is where it stands, a JSON pointer
    /// into the node.
    UnresolvedExpression(String),
    /// The child failed; this is what was said of it.
    ChildFailed(Option<String>),
    /// The child was cancelled.
    ChildCancelled,
    /// The child cannot be started.
    ChildRefused(ChildRefusal),
    /// The condition to go on still held after so many iterations, the most
    /// that there may be.
    RepeatLimit(u32),
}

impl NodeFailure {
    /// The code of the cause, as the log spells it. Conditions on a failure see it as the
    /// class of what no worker reported (rule R26).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AttemptFailed(_) => "attempt_failed",
            Self::Timeout(_) => "timeout",
            Self::LeaseExpired => "lease_expired",
            Self::Rejected(_) => "rejected",
            Self::ApprovalTimeout(_) => "approval_timeout",
            Self::EventTimeout(_) => "event_timeout",
            Self::LimitExceeded(_) => "limit_exceeded",
            Self::InstancesFailed(_) => "instances_failed",
            Self::NotAList => "not_a_list",
            Self::TooManyItems(_) => "too_many_items",
            Self::TooLarge(_) => "too_large",
            Self::UnresolvedExpression(_) => "unresolved_expression",
            Self::ChildFailed(_) => "child_failed",
            Self::ChildCancelled => "child_cancelled",
            Self::ChildRefused(_) => "child_refused",
            Self::RepeatLimit(_) => "repeat_limit",
        }
    }
}

/// A person's rejection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rejection {
    /// Who rejected it.
    pub user_id: String,
    /// What the person had to say.
    pub comment: Option<String>,
}

/// An external event that did not come in time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MissedEvent {
    /// The event that was waited for.
    pub correlation_key: String,
    /// How long it was waited for.
    pub timeout_ms: u64,
}

/// Instances of a map that failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailedInstances {
    /// How many instances failed.
    pub count: u32,
    /// The first ten of them.
    pub nodes: Vec<String>,
}

/// Why a policy asked for the execution to stand still.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StallReason {
    /// The node's attempts are spent, and its policy asks for a person then.
    AttemptsExhausted(NodeExhausted),
    /// A budget of the workflow is spent, and the workflow asks for a person
    /// then.
    BudgetExceeded(BudgetExcess),
}

/// A node failed for good.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeExhausted {
    /// The node.
    pub node_id: String,
    /// The attempts that were made; 0 for a node without work items.
    pub attempts: u32,
    /// Why.
    pub cause: NodeFailure,
}

impl NodeExhausted {
    /// The end of a node after so many attempts.
    #[must_use]
    pub fn new(node_id: impl Into<String>, attempts: u32, cause: NodeFailure) -> Self {
        Self {
            node_id: node_id.into(),
            attempts,
            cause,
        }
    }
}
