//! Whose stall an execution stands on.

use crate::id::ExecutionId;
use crate::log::effect::on_host_stall;
use crate::store::{Head, Reader, StoreError};

/// The number of events that are read at once.
const STEP: u32 = 64;

/// Whether the last stall in the log, which ends with `head`, is the host's (its
/// guest failed) and has not been lifted. A stall that a retry policy asked for
/// is not.
///
/// The log is read from its end, because a stalled execution writes little.
///
/// # Errors
/// [`StoreError`] if the log cannot be read.
pub fn is_stalled_by_host(
    store: &mut dyn Reader,
    id: ExecutionId,
    head: Head,
) -> Result<bool, StoreError> {
    let mut end = head.sequence;
    while end > 0 {
        let first = end.saturating_sub(u64::from(STEP)) + 1;
        let page = store.events(id, first, STEP)?;
        let mut kinds = page.iter().rev().map(|stored| &stored.event.kind);
        if let Some(stalled) = kinds.find_map(on_host_stall) {
            return Ok(stalled);
        }
        end = first - 1;
    }
    Ok(false)
}
