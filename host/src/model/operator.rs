//! What operators ask for, and what the host says of an execution as a whole.

use serde::{Deserialize, Serialize};

use super::Digest;
use super::failure::StallReason;

/// Someone asked for the execution to be cancelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CancelRequested {
    /// Why.
    pub reason: Option<String>,
    /// Who asked.
    pub by: Option<String>,
}

impl CancelRequested {
    /// The request, with its reason if there is one.
    #[must_use]
    pub fn new(reason: Option<String>) -> Self {
        Self { reason, by: None }
    }
}

/// What an operator had to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperatorNote {
    /// Why.
    pub reason: Option<String>,
    /// Who it was.
    pub by: Option<String>,
}

impl OperatorNote {
    /// What was said, if anything was.
    #[must_use]
    pub fn new(reason: Option<String>) -> Self {
        Self { reason, by: None }
    }
}

/// An operator's request about one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeRequest {
    /// The node.
    pub node_id: String,
    /// Why.
    pub reason: Option<String>,
    /// Who asked.
    pub by: Option<String>,
}

impl NodeRequest {
    /// The request about a node, with its reason if there is one.
    #[must_use]
    pub fn new(node_id: impl Into<String>, reason: Option<String>) -> Self {
        Self {
            node_id: node_id.into(),
            reason,
            by: None,
        }
    }
}

/// A policy asked for the execution to stand still.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stalled {
    /// Why.
    pub reason: StallReason,
}

impl Stalled {
    /// A stall for this reason.
    #[must_use]
    pub fn new(reason: StallReason) -> Self {
        Self { reason }
    }

    /// The node on which the execution is stalled. `None` if it is on a budget.
    #[must_use]
    pub fn node_id(&self) -> Option<&str> {
        match &self.reason {
            StallReason::AttemptsExhausted(node) => Some(&node.node_id),
            StallReason::BudgetExceeded(_) => None,
        }
    }
}

/// The guest failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HostStalled {
    /// What happened.
    pub reason: String,
}

impl HostStalled {
    /// The stall of an execution whose guest failed.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// The execution belongs to another guest from here on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuestChanged {
    /// The digest of the new guest component's bytes.
    pub guest_digest: Digest,
    /// Who changed it.
    pub by: Option<String>,
}

impl GuestChanged {
    /// The change to this guest.
    #[must_use]
    pub fn new(guest_digest: Digest) -> Self {
        Self {
            guest_digest,
            by: None,
        }
    }
}

/// The execution goes its own way from here on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExecutionForked {
    /// Who forked it.
    pub by: Option<String>,
}
