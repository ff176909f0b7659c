//! How things stand after a call.

use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;

/// How things stand after a tick, or after a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcome {
    /// What the execution is now.
    pub status: Status,
    /// The last event of the log.
    pub last_sequence: u64,
    /// When time alone could change the answer.
    pub next_wake: Option<Timestamp>,
    /// A tick is due now: at the same reading of the clock it would append
    /// something. After a tick this is so where the dispatch limit, or a limit
    /// of the guest's own on the bytes of one batch, cut the batch; after a
    /// fact wherever anything follows from it.
    pub more: bool,
}

/// What an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Going on.
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
