//! Why an execution cannot be simulated.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::replay::Unreadable;
use crate::store::StoreError;

/// Why an execution cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// What its workers answered is gone.
    #[error("{0} is erased: what its workers answered is gone, so that it cannot be simulated")]
    Erased(ExecutionId),
    /// Its log is not what was written, or its end is missing.
    #[error("the log of {0} is not whole and sound; an audit says what is wrong with it")]
    Unsound(ExecutionId),
    /// Its log cannot be read.
    #[error("the log of {execution_id} cannot be read: {message}")]
    Unreadable {
        /// The execution, if that is known.
        execution_id: String,
        /// The place, and what is wrong there.
        message: String,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is a child whose workflow is written in its parent's.
    #[error("it is a child whose workflow is written in that of {parent}; simulate that one")]
    InPlace {
        /// The execution that started it.
        parent: String,
    },
    /// Its workflow cannot be changed so.
    #[error("its workflow cannot be changed: {0}")]
    Change(String),
    /// The scheduler component is not at hand.
    #[error("the scheduler component {0} is not at hand")]
    NoGuest(String),
    /// The engine that simulates it has failed, or refuses its workflow.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<Unreadable> for SimulationError {
    fn from(found: Unreadable) -> Self {
        let id = found.execution_id.map(|id| id.to_string());
        Self::Unreadable {
            execution_id: id.unwrap_or_else(|| "an execution".to_owned()),
            message: found.message,
        }
    }
}
