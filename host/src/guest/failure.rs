//! What can go wrong in a call into a guest, each said in a sentence.

use std::fmt::Write;

use wasmtime::Trap;

use super::Newer;
use crate::model::{Fault, SchedulerError, StorageError};
use crate::store::StoreError;

/// Why a call into a guest gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The guest did its work, and its answer is a refusal.
    #[error("{}", sentence(.0))]
    Scheduler(SchedulerError),
    /// The guest failed at its work. The instance is spent.
    #[error(transparent)]
    Guest(#[from] GuestFailure),
    /// A port failed, and the guest is not to blame. What it knows of the
    /// execution is to be forgotten.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is something that this guest cannot know, and it is not to blame.
    /// Nothing of it was handed over; the instance is spent.
    #[error(transparent)]
    Newer(#[from] Newer),
}

/// How a guest failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuestFailure {
    /// It did not come to an end.
    #[error(
        "the guest ran out of fuel: its call had {fuel} units to burn, and had not ended by then"
    )]
    OutOfFuel {
        /// The fuel of the call.
        fuel: u64,
    },
    /// It wanted more memory than there is for it.
    #[error(
        "the guest ran out of memory: an instance may hold {memory_bytes_max} bytes, and it asked for more"
    )]
    OutOfMemory {
        /// The cap of one instance.
        memory_bytes_max: usize,
    },
    /// The machine has no memory for it, which is no fault of the guest.
    #[error(
        "there is too little memory or address space to begin a guest, which reserves 4 GiB of addresses; see `ulimit -v`: {0}"
    )]
    NoMemory(String),
    /// It handed over more than there is room for.
    #[error(
        "the guest transferred over too much: one call may append, order and answer {bytes_max} bytes together"
    )]
    TooMuch {
        /// The cap of one call.
        bytes_max: usize,
    },
    /// It called itself too deeply.
    #[error("the guest overflowed its call stack")]
    StackOverflow,
    /// It crashed.
    #[error("the guest crashed: {0}")]
    Trapped(Trap),
    /// It asked for an execution's data when the call was about none.
    #[error(
        "the guest called `{import}` while it was asked about no execution, where it has no access to one"
    )]
    OutOfPlace {
        /// The import.
        import: &'static str,
    },
    /// It sent the host something that is no value of the contract.
    #[error("the guest broke the contract: {0}")]
    Malformed(String),
    /// It failed before.
    #[error(
        "this guest instance was cut off in an earlier call and is spent; its execution needs a fresh one"
    )]
    Spent,
}

/// A guest's refusal as a sentence.
fn sentence(error: &SchedulerError) -> String {
    match error {
        SchedulerError::Illegal(event) => format!(
            "event {} may not stand there: {}",
            event.sequence, event.reason
        ),
        SchedulerError::InvalidWorkflow(faults) => invalid_workflow(faults),
        SchedulerError::Storage(StorageError::Conflict(last)) => {
            format!(
                "the log ends at event {last}, which is not what the guest had seen: someone else wrote to it; try again"
            )
        }
        SchedulerError::Storage(StorageError::Failed(reason)) => {
            format!("the guest could not get at what is stored: {reason}")
        }
        SchedulerError::Storage(StorageError::Refused(reason)) => {
            format!("the log did not take the guest's decisions: {reason}")
        }
        SchedulerError::Queue(reason) => {
            format!("the queue did not take the guest's order: {reason}")
        }
        SchedulerError::BadSnapshot(reason) => {
            format!("the guest cannot read its snapshot: {reason}")
        }
        SchedulerError::UnknownNode(node) => {
            format!("the workflow has no node {node:?}; its text says which nodes it has")
        }
    }
}

fn invalid_workflow(faults: &[Fault]) -> String {
    let mut text = format!("the workflow is not valid, {} fault(s):", faults.len());
    for Fault {
        pointer,
        message,
        remedy,
    } in faults
    {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\n  at {pointer:?}: {message}; {remedy}");
    }
    text
}
