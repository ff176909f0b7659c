//! Why a guest gave no answer for an execution.

use serde::{Deserialize, Serialize};

use super::Fault;

/// Why an event may not stand where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IllegalEvent {
    /// The event's sequence.
    pub sequence: u64,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

/// Why an append wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AppendError {
    /// The log's last sequence is another than the expected one.
    Conflict(u64),
    /// The host does not accept these events; the text says why.
    Refused(String),
}

/// Why the guest could not answer for an execution.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SchedulerError {
    /// The log holds an event that may not stand where it stands.
    Illegal(IllegalEvent),
    /// The workflow is not valid.
    InvalidWorkflow(Vec<Fault>),
    /// The host did not take what was decided.
    Append(AppendError),
    /// The host did not take an order to the queue; the text says why.
    Queue(String),
    /// The snapshot cannot be read; the text says why.
    BadSnapshot(String),
    /// The workflow has no such node.
    UnknownNode(String),
}
