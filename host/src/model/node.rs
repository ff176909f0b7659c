//! What happens to a node: its attempts, and how it is settled.

use serde::{Deserialize, Serialize};

use super::Digest;

/// A node was dispatched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeScheduled {
    /// The node.
    pub node_id: String,
    /// The queue that its work item is on.
    pub queue: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The digest of the work item, see [`WorkItem`](super::WorkItem).
    pub item_digest: Digest,
}

/// A worker claimed a work item. The event's sequence is the fence of the claim:
/// the number that every answer must present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeStarted {
    /// The node.
    pub node_id: String,
    /// The worker.
    pub worker_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
}

impl NodeStarted {
    /// The claim of a node's attempt by a worker.
    #[must_use]
    pub fn new(node_id: impl Into<String>, worker_id: impl Into<String>, attempt: u32) -> Self {
        Self {
            node_id: node_id.into(),
            worker_id: worker_id.into(),
            attempt,
        }
    }
}

/// A worker completed a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeCompleted {
    /// The node.
    pub node_id: String,
    /// The attempt that did it.
    pub attempt: u32,
    /// The fence that the worker held: the sequence of its claim's `node_started`.
    pub fence: u64,
    /// What the node produced, JSON text.
    pub output: String,
    /// A JSON object whose top-level keys are merged into the state.
    pub state_patch: String,
    /// How long the worker took, in milliseconds.
    pub duration_ms: u64,
    /// The target that was chosen, for kinds with targets.
    pub chosen_target: Option<String>,
    /// What the call of a model was, where the worker says so.
    pub gen_ai: Option<Box<GenAi>>,
    /// What else the worker measured, a JSON object, kept as it came. In it,
    /// `cost_usd` is what the work cost in US dollars.
    pub telemetry: Option<String>,
    /// Who put this result there in the worker's place, where a fork did.
    pub edited_by: Option<String>,
}

impl NodeCompleted {
    /// A worker's completion of a node's attempt, with the output `null` and
    /// the patch `{}`.
    #[must_use]
    pub fn new(node_id: impl Into<String>, attempt: u32, fence: u64) -> Self {
        Self {
            node_id: node_id.into(),
            attempt,
            fence,
            output: "null".to_owned(),
            state_patch: "{}".to_owned(),
            ..Self::default()
        }
    }
}

/// The call of a model, kept as the worker measured it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GenAi {
    /// The provider system.
    pub system: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Input tokens consumed.
    pub input_tokens: Option<u64>,
    /// Output tokens generated.
    pub output_tokens: Option<u64>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
}

/// The guest settled a node itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeSettled {
    /// The node.
    pub node_id: String,
    /// What the node produced, JSON text.
    pub output: String,
    /// A JSON object whose top-level keys are merged into the state.
    pub state_patch: String,
    /// The target that was chosen, for kinds with targets.
    pub chosen_target: Option<String>,
}

/// An attempt failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeFailed {
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The fence that the worker held: the sequence of its claim's `node_started`.
    pub fence: u64,
    /// What went wrong.
    pub error: String,
    /// The class of the error (`io_error`, `timeout`, `rate_limit`,
    /// `server_error`, `connection_reset`, or the worker's own).
    pub error_class: Option<String>,
    /// Whether a further attempt may help.
    pub retryable: bool,
    /// How long the other side asked for not to be tried again, in
    /// milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl NodeFailed {
    /// A failure that no further attempt helps, without a class.
    #[must_use]
    pub fn new(
        node_id: impl Into<String>,
        attempt: u32,
        fence: u64,
        error: impl Into<String>,
    ) -> Self {
        Self {
            node_id: node_id.into(),
            attempt,
            fence,
            error: error.into(),
            ..Self::default()
        }
    }
}

/// A lease expired (rule R13): the host says it, and a worker cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeaseExpired {
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The fence that the worker held: the sequence of its claim's `node_started`.
    pub fence: u64,
}

impl LeaseExpired {
    /// The end of the claim of a node's attempt.
    #[must_use]
    pub fn new(node_id: impl Into<String>, attempt: u32, fence: u64) -> Self {
        Self {
            node_id: node_id.into(),
            attempt,
            fence,
        }
    }
}

/// A worker gave its work item back (rule R25).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeReleased {
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The fence that the worker held: the sequence of its claim's `node_started`.
    pub fence: u64,
    /// Who gave it back.
    pub by: Option<String>,
}

impl NodeReleased {
    /// The return of a node's attempt.
    #[must_use]
    pub fn new(node_id: impl Into<String>, attempt: u32, fence: u64) -> Self {
        Self {
            node_id: node_id.into(),
            attempt,
            fence,
            by: None,
        }
    }
}

/// An attempt ran longer than its timeout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeTimedOut {
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The node's timeout in milliseconds.
    pub timeout_ms: u64,
}

/// A node will not run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeSkipped {
    /// The node.
    pub node_id: String,
    /// Why.
    pub reason: SkipReason,
}

impl NodeSkipped {
    /// The node, and why it will not run.
    #[must_use]
    pub fn new(node_id: impl Into<String>, reason: SkipReason) -> Self {
        Self {
            node_id: node_id.into(),
            reason,
        }
    }
}

/// Why a node was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SkipReason {
    /// All its incoming edges are dead; so its outgoing edges are dead.
    Unreached,
    /// An operator asked for it; the node counts as completed.
    ByOperator,
    /// A finalizer whose `run_on` does not match the ending.
    RunOn,
    /// The join that it led to is satisfied without it.
    NotNeeded,
}

/// An in-flight or waiting node was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeCancelled {
    /// The node.
    pub node_id: String,
    /// Why.
    pub reason: CancelReason,
}

/// Why a node was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CancelReason {
    /// The execution is being cancelled.
    CancelRequested,
    /// The workflow's timeout passed.
    WorkflowTimedOut,
    /// An operator asked for it; the node counts as completed.
    ByOperator,
    /// The join that it led to is satisfied without it.
    JoinSatisfied,
    /// The map that it is an instance of is settled without it.
    MapSettled,
    /// The workflow came to a `terminate`.
    Terminated,
    /// The workflow's budget is spent.
    BudgetExceeded,
}

/// A further attempt was ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RetryScheduled {
    /// The node.
    pub node_id: String,
    /// The attempt that was ordered, from 2.
    pub attempt: u32,
    /// The delay in milliseconds: the work item is not before `at` plus this.
    pub delay_ms: u64,
    /// The digest of the work item, see [`WorkItem`](super::WorkItem).
    pub item_digest: Digest,
}
