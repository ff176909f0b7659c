//! How things stand after a call.

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::timestamp::Timestamp;

/// How things stand after a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// What the execution is now.
    pub status: Status,
    /// The last event of the log, with the facts that were taken and the
    /// decisions that were appended.
    pub last_sequence: u64,
    /// When time alone could change the answer.
    pub next_wake: Option<Timestamp>,
    /// Another step is due now: at the same reading of the clock it would append
    /// something. This is so where the dispatch limit, or a limit of the guest's
    /// own on the bytes of one batch, cut this batch; so something was decided.
    pub more: bool,
    /// The facts that were not taken, in their order.
    pub refused: Vec<Refusal>,
    /// Whose stall it is, where the status is stalled.
    pub stalled_by: Option<StallAuthor>,
}

impl Outcome {
    /// An execution of this status, whose log ends with this event; all facts were
    /// taken, and nothing more follows before something happens.
    #[must_use]
    pub fn new(status: Status, last_sequence: u64) -> Self {
        Self {
            status,
            last_sequence,
            next_wake: None,
            more: false,
            refused: Vec::new(),
            stalled_by: None,
        }
    }
}

/// Whose stall an execution stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StallAuthor {
    /// A policy of the workflow: an operator retries or skips the node, or
    /// cancels the execution.
    Policy,
    /// The host, whose guest failed: an operator lifts it.
    Host,
}

/// What an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// It has not ended, and nothing stops it.
    Running,
    /// Held by an operator: no claims, no new items, no endings.
    Paused,
    /// It cannot go on by itself, and says why.
    Stalled,
    /// Ended: no node failed.
    Completed,
    /// Ended: a node failed for good, or time ran out.
    Failed,
    /// Ended: someone asked for it.
    Cancelled,
}
