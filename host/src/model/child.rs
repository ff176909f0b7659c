//! More than one of a node at a time: the instances of a map, and the children
//! that nodes start.

use serde::{Deserialize, Serialize};

use super::Digest;
use super::outcome::Status;

/// The elements of a map are fixed (rule R21).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MapExpanded {
    /// The node.
    pub node_id: String,
    /// How many instances it has.
    pub count: u32,
}

/// A node asks for a child (rule R22).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildRequested {
    /// The node, or the instance of one.
    pub node_id: String,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// Its iteration, from 0.
    pub iteration: u32,
    /// The child's workflow; none where the node has it written in place.
    pub workflow: Option<WorkflowName>,
}

/// A registered workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WorkflowName {
    /// The workflow's id.
    pub workflow_id: String,
    /// Its version.
    pub version: String,
}

/// A child was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildStarted {
    /// The node that asked for it.
    pub node_id: String,
    /// Its attempt.
    pub attempt: u32,
    /// Its iteration.
    pub iteration: u32,
    /// The child.
    pub child_id: String,
    /// The digest of the text of the child's workflow.
    pub workflow_digest: Digest,
}

/// A child cannot be started, and never will be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildRefused {
    /// The node that asked for it.
    pub node_id: String,
    /// Its attempt.
    pub attempt: u32,
    /// Its iteration.
    pub iteration: u32,
    /// Why.
    pub code: ChildRefusal,
}

/// Why a child cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChildRefusal {
    /// No such workflow is registered.
    UnknownWorkflow,
    /// It would be too far below its root.
    TooDeep,
    /// Its root has as many descendants as it may have.
    TooMany,
}

/// A child has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildEnded {
    /// The node that asked for it.
    pub node_id: String,
    /// Its attempt.
    pub attempt: u32,
    /// Its iteration.
    pub iteration: u32,
    /// The child.
    pub child_id: String,
    /// How it ended: completed, failed or cancelled.
    pub status: Status,
    /// The child's last event.
    pub sequence: u64,
    /// The chain hash of that event.
    pub head: Digest,
    /// The child's final state, where it completed; JSON text.
    pub output: Option<String>,
    /// What went wrong, where it failed.
    pub error: Option<String>,
}

/// A child that is to be started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChildOrder {
    /// Whose child it is.
    pub name: ChildName,
    /// Its workflow; none where the node has it written in place.
    pub workflow: Option<WorkflowName>,
    /// Its input, JSON text.
    pub input: String,
}

/// Which of an execution's children.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChildName {
    /// The node, or the instance of one.
    pub node_id: String,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// Its iteration, from 0.
    pub iteration: u32,
}
