//! What a guest says of a workflow, and of itself.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// What a valid workflow is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowSummary {
    /// The workflow's id.
    pub workflow_id: String,
    /// The workflow's version.
    pub version: String,
    /// How many nodes it has.
    pub nodes: u32,
    /// How many edges it has, those inside kinds included.
    pub edges: u32,
    /// The queues that its nodes are dispatched to, sorted.
    pub queues: Vec<String>,
    /// Where there are fields that change nothing here, and are accepted
    /// because JamJet writes them: JSON pointers, sorted. `*` stands for the
    /// id of a node where the field has no effect in any node, and where too
    /// many nodes would be named.
    pub ignored: Vec<String>,
    /// The nodes that no path leads to and that are accepted all the same,
    /// because JamJet's compiler writes them whether they are used or not;
    /// sorted. Each is skipped at the start.
    pub unreachable: Vec<String>,
}

/// What a guest says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}
