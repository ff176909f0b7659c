//! Why a log cannot be travelled.

use crate::guest::{CallError, LibraryError};
use crate::id::ExecutionId;

/// Why a log cannot be travelled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TravelError {
    /// The log is erased: what its guest would have to see is gone.
    #[error("the log of {0} is erased: its scheduler cannot be asked about it any more")]
    Erased(ExecutionId),
    /// The first event is not that of a beginning.
    #[error("the log of {0} has no beginning: audit it")]
    NoBeginning(ExecutionId),
    /// The log does not go so far.
    #[error("the log has {last} events, and {sequence} is none of them")]
    NoEvent {
        /// The event that was asked for.
        sequence: u64,
        /// The last one.
        last: u64,
    },
    /// There is no scheduler before the first event.
    #[error("before its first event there is nothing of an execution: go to event 1 or later")]
    Nothing,
    /// The guest that the log names there is not at hand.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The guest does not answer.
    #[error("behind event {sequence}, the scheduler does not answer: {error}")]
    Call {
        /// The event before the cursor.
        sequence: u64,
        /// What it said.
        error: CallError,
    },
}
