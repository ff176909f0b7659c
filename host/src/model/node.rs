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
    pub queue_type: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The digest of the work item, see [`WorkItem`](super::WorkItem).
    pub item_digest: Digest,
}

/// A worker claimed a work item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeStarted {
    /// The node.
    pub node_id: String,
    /// The worker.
    pub worker_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The number minted at this claim; every answer presents it.
    pub fence: u64,
}

impl NodeStarted {
    /// The claim of a node's attempt by a worker.
    #[must_use]
    pub fn new(
        node_id: impl Into<String>,
        worker_id: impl Into<String>,
        attempt: u32,
        fence: u64,
    ) -> Self {
        Self {
            node_id: node_id.into(),
            worker_id: worker_id.into(),
            attempt,
            fence,
        }
    }
}

/// A node completed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeCompleted {
    /// The node.
    pub node_id: String,
    /// The attempt that did it; 0 where the guest settled the node itself.
    pub attempt: u32,
    /// The fence that the worker held; 0 where the guest settled it itself.
    pub fence: u64,
    /// What the node produced, JSON text.
    pub output: String,
    /// A JSON object whose top-level keys are merged into the state.
    pub state_patch: String,
    /// How long the worker took, in milliseconds.
    pub duration_ms: u64,
    /// The target that was chosen, for kinds with targets.
    pub chosen_target: Option<String>,
    /// What the worker measured, kept as it came.
    pub telemetry: Option<Telemetry>,
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

/// What a worker measured, kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Telemetry {
    /// The provider system of a model node.
    pub gen_ai_system: Option<String>,
    /// The model.
    pub gen_ai_model: Option<String>,
    /// Input tokens consumed.
    pub input_tokens: Option<u64>,
    /// Output tokens generated.
    pub output_tokens: Option<u64>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// The estimated cost in US dollars, a JSON number.
    pub cost_usd: Option<String>,
    /// Where the output came from, a JSON object.
    pub provenance: Option<String>,
}

/// An attempt failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeFailed {
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The fence that the worker held.
    pub fence: u64,
    /// What went wrong.
    pub error: String,
    /// The class of the error (`io_error`, `timeout`, `rate_limit`,
    /// `server_error`, `connection_reset`, `lease_expired`, or the worker's
    /// own).
    pub class: Option<String>,
    /// Whether a further attempt may help.
    pub retryable: bool,
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

/// An attempt ran longer than its timeout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeTimedOut {
    /// The node.
    pub node_id: String,
    /// The attempt, from 1.
    pub attempt: u32,
}

impl NodeTimedOut {
    /// The error of the attempt, as its dead letter has it and people read it.
    #[must_use]
    pub fn error(&self) -> String {
        format!(
            "attempt {} ran longer than the node's timeout",
            self.attempt
        )
    }
}

/// A node failed for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeExhausted {
    /// The node.
    pub node_id: String,
    /// The attempts that were made; 0 for a node without work items.
    pub attempts: u32,
    /// The last error.
    pub error: String,
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
