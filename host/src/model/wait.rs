//! What nodes wait for: times, external events, people.

use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;

/// A node waits for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InterruptRaised {
    /// The node.
    pub node_id: String,
    /// What the person is asked. What the person decides on is the state as it
    /// is at this event.
    pub reason: String,
    /// When waiting ends without an answer.
    pub expires_at: Option<Timestamp>,
}

/// A person decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApprovalReceived {
    /// The node.
    pub node_id: String,
    /// Who decided.
    pub user_id: String,
    /// What was decided.
    pub decision: ApprovalDecision,
    /// What the person had to say.
    pub comment: Option<String>,
    /// A JSON object whose top-level keys are merged into the state.
    pub state_patch: Option<String>,
    /// Who reported it, which may be a program.
    pub by: Option<String>,
}

impl ApprovalReceived {
    /// A person's decision about a node, without a comment or a patch.
    #[must_use]
    pub fn new(
        node_id: impl Into<String>,
        user_id: impl Into<String>,
        decision: ApprovalDecision,
    ) -> Self {
        Self {
            node_id: node_id.into(),
            user_id: user_id.into(),
            decision,
            comment: None,
            state_patch: None,
            by: None,
        }
    }
}

/// What a person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ApprovalDecision {
    /// The node completes.
    Approved,
    /// The node fails for good.
    Rejected,
}

/// A node waits for a time, an external event, or either.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimerCreated {
    /// The node.
    pub node_id: String,
    /// When the wait ends by itself.
    pub fire_at: Option<Timestamp>,
    /// The external event that ends the wait.
    pub correlation_key: Option<String>,
}

/// The time of a wait has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimerFired {
    /// The node.
    pub node_id: String,
    /// The external event that was waited for, and did not come.
    pub correlation_key: Option<String>,
}

/// An external event arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExternalEventReceived {
    /// Which wait it is for.
    pub correlation_key: String,
    /// What it brings, JSON text.
    pub payload: String,
    /// The sender's id for it: the same id counts once in an execution.
    pub event_id: Option<String>,
    /// Who sent it.
    pub by: Option<String>,
}

impl ExternalEventReceived {
    /// An event for the node that waits for this key.
    #[must_use]
    pub fn new(correlation_key: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            correlation_key: correlation_key.into(),
            payload: payload.into(),
            ..Self::default()
        }
    }
}
