//! Why an event is not taken, and why a guest gives no answer for an execution.

use serde::{Deserialize, Serialize};

use super::Fault;

/// A fact that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Refusal {
    /// Its place in the list of facts, from 0.
    pub index: u32,
    /// Why, for programs.
    pub code: RefusalCode,
    /// Why, and what would be right, for people.
    pub message: String,
}

/// Why an event may not stand where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RefusalCode {
    /// Its sequence or its time is not one that can come next.
    OutOfOrder,
    /// It is not its author's to say: facts are the host's, decisions the
    /// guest's.
    WrongAuthor,
    /// The execution has begun already, or what begins it is not what the
    /// workflow is.
    WrongStart,
    /// The execution has ended.
    Ended,
    /// The execution is ending, and it comes too late for that.
    Ending,
    /// The log is full.
    LogFull,
    /// The execution is paused or stalled.
    Held,
    /// There is nothing to lift: the execution is neither paused nor stalled in
    /// that way.
    NotHeld,
    /// It was said before.
    Repeated,
    /// The workflow has no such node.
    UnknownNode,
    /// The node is of a kind, or in a state, in which that cannot happen to it.
    WrongState,
    /// It presents another attempt or fence than holds the node's work item.
    Stale,
    /// Its time has not come.
    TooEarly,
    /// As much is in flight as may be.
    NoRoom,
    /// A payload, a key or a number is not what it must be.
    Malformed,
    /// A payload or the state would be larger than is allowed.
    TooLarge,
    /// The node has no edge to the target that was chosen.
    UnknownTarget,
    /// Nothing in the log asks for this decision.
    Unfounded,
    /// It is of a kind that this guest cannot deal with yet.
    Unsupported,
}

/// Why an event may not stand where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IllegalEvent {
    /// The event's sequence.
    pub sequence: u64,
    /// What is wrong with it, for programs.
    pub code: RefusalCode,
    /// What is wrong with it, and what would be right, for people.
    pub reason: String,
}

/// Why storage did not do what a guest asked it for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StorageError {
    /// The log's last sequence is another than the expected one. Nothing was
    /// appended.
    Conflict(u64),
    /// The host does not accept these events; the text says why. Nothing was
    /// appended.
    Refused(String),
    /// The host cannot get at what is stored; the text says why.
    Failed(String),
}

/// Why the guest could not answer for an execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SchedulerError {
    /// The log holds an event that may not stand where it stands.
    Illegal(IllegalEvent),
    /// The workflow is not valid.
    InvalidWorkflow(Vec<Fault>),
    /// Storage did not give what was needed, or did not take what was decided.
    Storage(StorageError),
    /// The host did not take an order to the queue; the text says why.
    Queue(String),
    /// The snapshot cannot be read; the text says why.
    BadSnapshot(String),
    /// The workflow has no such node.
    UnknownNode(String),
}
