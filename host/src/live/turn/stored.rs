//! Executions as they are cached or stored.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::Status;
use crate::store::{ExecutionRecord, is_stalled_by_host};

use super::core::Core;
use crate::live::execution::cached::CachedExecution;

/// The record of an execution.
pub(in crate::live) fn record(
    core: &mut Core,
    id: ExecutionId,
) -> Result<ExecutionRecord, EngineError> {
    core.store
        .get()
        .execution(id)?
        .ok_or(EngineError::UnknownExecution(id))
}

/// An execution and all its work items: taken out of the cache, or read.
pub(in crate::live) fn execution(
    core: &mut Core,
    id: ExecutionId,
) -> Result<CachedExecution, EngineError> {
    if let Some(cached) = core.known.take(id) {
        return Ok(cached);
    }
    let record = record(core, id)?;
    let store = core.store.get();
    let held = record.status == Status::Stalled && is_stalled_by_host(store, id, record.head)?;
    let items = store.items(id)?.all()?.into_iter();
    Ok(CachedExecution {
        record,
        items: items
            .map(|record| (record.item.node_id.clone(), Box::new(record)))
            .collect(),
        held,
    })
}
