//! How an execution ended.

use serde::{Deserialize, Serialize};

use super::failure::WorkflowFailure;

/// The execution ended well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowCompleted {
    /// The merged state, a JSON object.
    pub final_state: String,
}

/// The execution ended in failure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowFailed {
    /// Why.
    pub cause: WorkflowFailure,
    /// The merged state, a JSON object.
    pub final_state: String,
}

impl WorkflowFailed {
    /// The failure of an execution in this state.
    #[must_use]
    pub fn new(cause: WorkflowFailure, final_state: impl Into<String>) -> Self {
        Self {
            cause,
            final_state: final_state.into(),
        }
    }
}

/// The execution ended because someone asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowCancelled {
    /// The reason given with the request.
    pub reason: Option<String>,
    /// The merged state, a JSON object.
    pub final_state: String,
}
