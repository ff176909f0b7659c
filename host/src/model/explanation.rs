//! Why a node is where it is, and the state that it is in.

use serde::{Deserialize, Serialize};

use crate::json::Json;

/// The state of a node between two events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NodeState {
    /// Not all incoming edges are settled.
    Pending,
    /// Could run now, but a limit, a pause or a stall holds it back.
    Ready,
    /// Its work item waits for a worker.
    Scheduled,
    /// A worker holds its work item.
    Running,
    /// The last attempt failed, and what follows is not decided yet.
    Failing,
    /// A further attempt is ordered; its work item waits.
    BackingOff,
    /// Waits for a time, an external event or a person.
    Waiting,
    /// Done.
    Completed,
    /// Failed for good.
    Failed,
    /// Will not run.
    Skipped,
    /// Stopped.
    Cancelled,
}

/// Why a node is where it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The node.
    pub node_id: String,
    /// Its state.
    pub state: NodeState,
    /// The reasons, each a full sentence with the names and numbers in it, the
    /// most telling first.
    pub reasons: Vec<Reason>,
}

/// One reason for a node's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reason {
    /// What sort of reason.
    pub topic: ReasonTopic,
    /// The reason in a sentence.
    pub message: String,
}

/// What sort of reason it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReasonTopic {
    /// A predecessor is not settled yet.
    UnmetPredecessor,
    /// A predecessor failed for good and blocks the node.
    FailedPredecessor,
    /// An incoming edge is dead.
    DeadEdge,
    /// An edge's condition was false.
    FalseCondition,
    /// Attempts made, of those allowed.
    Attempts,
    /// A limit is reached.
    Limit,
    /// Waits for a worker.
    Worker,
    /// Waits for a time.
    Time,
    /// Waits for an external event or a person.
    Signal,
    /// The execution is paused, stalled, cancelled or ended.
    Execution,
    /// An operator asked for it.
    Operator,
    /// Nothing holds it back.
    Progress,
}

/// The state of an execution, for people and for comparison.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inspection {
    /// The state as a JSON object with sorted keys.
    pub state: String,
    /// The SHA-256 of that text, 64 hexadecimal digits.
    pub hash: String,
}

impl Inspection {
    /// The merged state of the execution, out of all that the inspection
    /// shows. A guest that shows nothing else shows just that.
    #[must_use]
    pub fn merged_state(&self) -> Json {
        #[derive(serde::Deserialize)]
        struct Shown<'a> {
            #[serde(borrow)]
            state: &'a serde_json::value::RawValue,
        }
        let state = serde_json::from_str::<Shown<'_>>(&self.state)
            .map_or(self.state.as_str(), |shown| shown.state.get());
        Json::trusted(state.to_owned())
    }
}
