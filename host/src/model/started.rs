//! Event 1: all that a replay needs from outside.

use serde::{Deserialize, Serialize};

use super::Digest;
use crate::limits::{CONCURRENT_NODES_DEFAULT, DISPATCH_PER_TICK_DEFAULT, PRIORITY_DEFAULT};

/// The version of the encoding in which this program keeps and hashes logs.
pub const FORMAT_VERSION: u32 = 2;

/// Event 1: all that a replay needs from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkflowStarted {
    /// The version of the encoding in which the log is kept and hashed.
    pub format: u32,
    /// The execution: `exec_` and 32 hexadecimal digits.
    pub execution_id: String,
    /// The workflow's id.
    pub workflow_id: String,
    /// The workflow's version, three numbers.
    pub workflow_version: String,
    /// The digest of the workflow's text as registered.
    pub workflow_digest: Digest,
    /// The digest of the guest component's bytes.
    pub guest_digest: Digest,
    /// The caller's input, JSON text.
    pub initial_input: String,
    /// The limits of the engine that started it.
    pub limits: Limits,
    /// The seed of all jitter.
    pub seed: u64,
    /// Whom the execution belongs to.
    pub tenant: String,
    /// Whether time is simulated.
    pub simulated: bool,
    /// The caller's key: the same key starts once.
    pub key: Option<String>,
    /// The execution that this one was forked from.
    pub forked_from: Option<ForkOrigin>,
    /// The node that started it, where it is a child.
    pub parent: Option<ParentOrigin>,
    /// What the caller wants to find it by.
    pub labels: Vec<Label>,
    /// How urgent its work items are: 0 to 9, the greater first.
    pub priority: u32,
    /// Who started it.
    pub by: Option<String>,
}

impl WorkflowStarted {
    /// The start of an execution of this workflow, by its id, version and the
    /// digest of its text, with this guest; with the input `{}`, the usual
    /// limits and priority, and the tenant `default`.
    #[must_use]
    pub fn new(
        execution_id: impl Into<String>,
        (workflow_id, version, text): (&str, &str, Digest),
        guest: Digest,
    ) -> Self {
        Self {
            format: FORMAT_VERSION,
            execution_id: execution_id.into(),
            workflow_id: workflow_id.to_owned(),
            workflow_version: version.to_owned(),
            workflow_digest: text,
            guest_digest: guest,
            initial_input: "{}".to_owned(),
            tenant: "default".to_owned(),
            priority: PRIORITY_DEFAULT,
            ..Self::default()
        }
    }
}

/// How much of one execution may be under way. A workflow's own `limits` may
/// narrow these, never widen them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Nodes in flight at once: those with an unsettled work item, back-off
    /// included.
    pub max_concurrent_nodes: u32,
    /// Work items ordered in one step.
    pub max_dispatch_per_tick: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_concurrent_nodes: CONCURRENT_NODES_DEFAULT,
            max_dispatch_per_tick: DISPATCH_PER_TICK_DEFAULT,
        }
    }
}

/// Where a forked execution branched off.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForkOrigin {
    /// The execution that was forked.
    pub execution_id: String,
    /// The last event that both have in common.
    pub sequence: u64,
    /// The chain hash of that event.
    pub head: Digest,
}

/// Where a child comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ParentOrigin {
    /// The execution whose node started the child.
    pub execution_id: String,
    /// The node, or the instance of one.
    pub node_id: String,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// Its iteration, from 0.
    pub iteration: u32,
    /// The event in which the parent asked for the child.
    pub sequence: u64,
    /// The execution at the top of the tree.
    pub root: String,
    /// How far below the root the child is, from 1.
    pub depth: u32,
}

/// What an execution can be found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}
