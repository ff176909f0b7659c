//! The guest that a stored log names (law 10): event 1 names the first, and each
//! `guest_changed` another. The record of the execution names the last of them.

use crate::id::ExecutionId;
use crate::model::{Digest, Event, EventKind};
use crate::store::{Reader, StoreError};

/// The number of events that are read at once.
const STEP: u32 = 64;

/// The guest that this event names, if it names one.
pub(crate) fn named(event: &Event) -> Option<Digest> {
    match &event.kind {
        EventKind::WorkflowStarted(it) => Some(it.guest_digest),
        EventKind::GuestChanged(it) => Some(it.guest_digest),
        _ => None,
    }
}

/// The event of a stored log that names another guest than the record does, although
/// it is the last that names one. `None` if the record is right about the guest, as
/// far as this event shows; then most events cost nothing here.
///
/// # Errors
/// The store cannot be read.
pub(crate) fn contradicted(
    store: &mut dyn Reader,
    id: ExecutionId,
    (recorded, last): (&str, u64),
    event: &Event,
) -> Result<Option<u64>, StoreError> {
    if named(event).is_none_or(|guest| guest == *recorded) {
        return Ok(None);
    }
    Ok(last_named(store, id, last)?
        .filter(|(_, guest)| *guest != *recorded)
        .map(|(sequence, _)| sequence))
}

/// The last event up to this one that names a guest, and that guest. The log is read
/// from its end, because executions are handed over rarely, and late. `None` if a
/// part of it cannot be read: what is damaged shows when the log is.
fn last_named(
    store: &mut dyn Reader,
    id: ExecutionId,
    last: u64,
) -> Result<Option<(u64, Digest)>, StoreError> {
    let mut end = last;
    while end > 0 {
        let first = end.saturating_sub(u64::from(STEP)) + 1;
        let page = match store.events(id, first, STEP) {
            Err(error) if error.is_of_one() => return Ok(None),
            page => page?,
        };
        let mut events = page.iter().rev().map(|stored| &stored.event);
        let named = |event: &Event| Some((event.sequence, named(event)?));
        if let Some(found) = events.find_map(named) {
            return Ok(Some(found));
        }
        end = first - 1;
    }
    Ok(None)
}
