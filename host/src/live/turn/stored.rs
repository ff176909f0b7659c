//! Executions as they are cached or stored.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::{EventKind, Status};
use crate::store::{ExecutionRecord, Head, Store, StoreError};

use super::core::Core;
use crate::live::execution::cached::CachedExecution;

/// The number of events that are read at once in search of a stall.
const STEP: u32 = 64;

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

/// Whether the last stall in the log is the host's, and not lifted. It is searched
/// for from the end, because stalled executions write little.
fn is_stalled_by_host(
    store: &mut dyn Store,
    id: ExecutionId,
    head: Head,
) -> Result<bool, StoreError> {
    let mut end = head.sequence;
    while end > 0 {
        let first = end.saturating_sub(u64::from(STEP)) + 1;
        let page = store.events(id, first, STEP)?;
        for stored in page.iter().rev() {
            match &stored.event.kind {
                EventKind::Stalled(stalled) if stalled.node_id.is_none() => return Ok(true),
                EventKind::StallLifted(_) => return Ok(false),
                _ => {}
            }
        }
        end = first - 1;
    }
    Ok(false)
}
