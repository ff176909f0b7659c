//! What the store knows of an execution without reading its log.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::store::{ExecutionRecord, Reader};

/// The record of an execution.
pub(super) fn record(
    store: &mut dyn Reader,
    id: ExecutionId,
) -> Result<ExecutionRecord, EngineError> {
    store
        .execution(id)?
        .ok_or(EngineError::UnknownExecution(id))
}
