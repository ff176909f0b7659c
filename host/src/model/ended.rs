//! How an execution ended.

use serde::{Deserialize, Serialize};

/// The execution ended well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowCompleted {
    /// The merged state, a JSON object.
    pub final_state: String,
}

/// The execution ended in failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowFailed {
    /// Which nodes failed for good, or that time ran out.
    pub error: String,
    /// The merged state, a JSON object.
    pub final_state: String,
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
