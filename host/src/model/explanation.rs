//! Why a node is where it is, and the state that it is in.

use serde::{Deserialize, Serialize};

use super::failure::{NodeFailure, StallReason};
use super::node::CancelReason;
use super::outcome::Status;
use super::timestamp::Timestamp;
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
    /// The reasons, the most telling first.
    pub reasons: Vec<Reason>,
}

/// One reason for a node's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reason {
    /// The reason.
    pub cause: ReasonCause,
    /// What somebody can do about it, if anything; each of these alone.
    pub remedies: Vec<Remedy>,
}

/// A reason for a node's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReasonCause {
    // Its incoming edges.
    /// It needs this node, which is not settled.
    UnmetPredecessor(Predecessor),
    /// It needs this node, which failed for good.
    FailedPredecessor(FailedPredecessor),
    /// So many more nodes that it needs are not settled.
    MorePredecessors(u32),
    /// It comes after this node, which was skipped.
    SkippedPredecessor(String),
    /// A node before it chose another target.
    OtherTarget(OtherTarget),
    /// It only runs if this node chooses it, which chose no target.
    NoTarget(String),
    /// The condition of an edge to it was false.
    FalseCondition(FalseCondition),
    /// The edge from this node is dead.
    DeadEdge(String),
    /// So many more edges to it are dead.
    MoreDeadEdges(u32),
    /// No edge leads to it.
    NoEdge,

    // Finalizers.
    /// It is a finalizer, and the execution is not at its end.
    NotAtTheEnd(Activity),
    /// It is a finalizer, and so many others come before it.
    EarlierFinalizers(u32),
    /// It is a finalizer of another ending.
    OtherEnding,

    // Attempts.
    /// Its work item waits for a worker.
    WaitsForWorker(OrderedAttempt),
    /// A worker is at it.
    WorkerAtWork(RunningAttempt),
    /// The attempt that is ordered may not begin before this time.
    NotBefore(Timestamp),
    /// The attempt that runs times out at this time.
    TimesOut(Timestamp),
    /// How its last attempt failed.
    LastFailure(AttemptFailure),
    /// It could run, but as many nodes are in flight as may be.
    NoRoom(Usage),

    // Waits.
    /// It waits for a person's decision on this question.
    WaitsForApproval(String),
    /// It waits for the external event of this correlation key.
    WaitsForEvent(String),
    /// Its wait ends by itself at this time.
    WaitEnds(Timestamp),

    // What comes next.
    /// What the next step does with it.
    NextStep(NextStep),
    /// An operator asked for it to be skipped, which is done once the stall is
    /// lifted.
    SkippedOnceLifted,

    // Its end.
    /// A worker, or the scheduler itself, completed it.
    WasCompleted(Completion),
    /// It failed for good.
    FailedForGood(AttemptFailure),
    /// It was skipped or cancelled as an operator asked, and counts as
    /// completed.
    SkippedByOperator,
    /// It was stopped; the reason is one that is no operator's.
    WasStopped(CancelReason),
    /// It was skipped: the join that it led to needed it no more.
    NotNeeded,

    // The execution as a whole.
    /// A policy stalled the execution.
    StalledByPolicy(StallReason),
    /// The host stalled the execution, and says why.
    StalledByHost(String),
    /// The execution is paused.
    Paused,
    /// The execution is being cancelled.
    BeingCancelled,
    /// The workflow's timeout has passed.
    OutOfTime,
    /// The execution has ended so.
    HasEnded(Status),
}

/// A node that another one needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Predecessor {
    /// The node.
    pub node_id: String,
    /// Its state.
    pub state: NodeState,
}

/// A node that another one needs, and that failed for good.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailedPredecessor {
    /// The node.
    pub node_id: String,
    /// Why it failed, where that is known.
    pub cause: Option<NodeFailure>,
}

/// A choice that another node was not in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OtherTarget {
    /// The node that chose.
    pub node_id: String,
    /// What it chose.
    pub chosen_target: String,
}

/// A condition that was false.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FalseCondition {
    /// The node that the edge comes from.
    pub node_id: String,
    /// The condition, as the workflow has it.
    pub condition: String,
    /// What it saw when the node was settled: the values of the paths in it, in
    /// their order, each once; at most a hundred.
    pub seen: Vec<SeenValue>,
}

/// What a condition saw at a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeenValue {
    /// The path.
    pub path: String,
    /// The value.
    pub value: Seen,
}

/// The value at a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Seen {
    /// There is none; the condition took it for null.
    Missing,
    /// This.
    Value(String),
    /// One of so many bytes of JSON, too long to be told here.
    TooLong(u64),
}

/// What keeps an execution from its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Activity {
    /// The number of nodes that are under way.
    pub under_way: u32,
    /// The number of nodes that could go on.
    pub ready: u32,
}

/// An attempt that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrderedAttempt {
    /// The attempt, from 1.
    pub attempt: u32,
    /// The queue that it is on.
    pub queue: String,
    /// The time at which it was ordered.
    pub since: Timestamp,
}

/// An attempt that a worker is at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunningAttempt {
    /// The attempt, from 1.
    pub attempt: u32,
    /// The worker.
    pub worker_id: String,
    /// The time at which the worker claimed it.
    pub since: Timestamp,
}

/// A failure, and the attempts made.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttemptFailure {
    /// The last attempt; 0 for a node without work items.
    pub attempt: u32,
    /// The last attempt that there can be.
    pub max_attempts: u32,
    /// Why it failed, where that is known.
    pub cause: Option<NodeFailure>,
    /// The class of the error.
    pub error_class: Option<String>,
}

/// How much of a limit is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// The number that counts against the limit.
    pub used: u32,
    /// The limit.
    pub allowed: u32,
}

/// What the next step does with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NextStep {
    /// It is dispatched; as far as the limit of one step reaches.
    Dispatch,
    /// It is settled by the scheduler itself.
    Settle,
    /// It is skipped.
    Skip,
    /// What follows its failure is decided.
    JudgeFailure,
    /// It is skipped or cancelled, as an operator asked.
    SkipByOperator,
}

/// How a node was completed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Completion {
    /// The time at which it was completed.
    pub at: Timestamp,
    /// The worker; none where the scheduler did it.
    pub worker_id: Option<String>,
    /// The attempt; 0 where the scheduler did it.
    pub attempt: u32,
    /// The target that was chosen.
    pub chosen_target: Option<String>,
}

/// What somebody can do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Remedy {
    /// Decide on this node.
    Approve(String),
    /// Send the external event of this correlation key.
    Signal(String),
    /// Ask for this node to be tried again.
    Retry(String),
    /// Ask for this node to be skipped: the execution goes on without it.
    Skip(String),
    /// Lift the host's stall, or that on a budget.
    Lift,
    /// End the pause.
    Unpause,
    /// Ask for the execution to be cancelled.
    Cancel,
    /// Start a worker for this queue.
    StartWorker(String),
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
    pub fn into_merged_state(mut self) -> Json {
        #[derive(serde::Deserialize)]
        struct Shown<'a> {
            #[serde(borrow)]
            state: &'a serde_json::value::RawValue,
        }
        // A state may be large: it is left where it stands, and what is around it goes.
        let place = serde_json::from_str::<Shown<'_>>(&self.state).map(|shown| {
            let state = shown.state.get();
            let start = state.as_ptr().addr() - self.state.as_ptr().addr();
            (start, start + state.len())
        });
        if let Ok((start, end)) = place {
            self.state.truncate(end);
            self.state.drain(..start);
        }
        Json::trusted(self.state)
    }
}
