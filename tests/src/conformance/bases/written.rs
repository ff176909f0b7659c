//! Events of the native core become the text of a log.

use anyhow::Result;
use refrain::ExecutionId;
use refrain::model::{Digest, Event, EventKind};
use refrain_guest::contract as native;

use crate::chained;
use crate::memory_ports::across;

/// The events of the native core as the log of an execution that this scheduler has.
pub(super) fn native(
    (id, guest): (ExecutionId, Digest),
    workflow: &str,
    events: &[native::Event],
) -> Result<String> {
    let events = events.iter().map(|event| {
        let mut event: Event = across(event);
        place(&mut event.kind, id, guest);
        event
    });
    chained::export(workflow, events)
}

/// What follows from who the execution is: its id, its guest, the ids of its children.
fn place(kind: &mut EventKind, id: ExecutionId, guest: Digest) {
    let child = |node_id: &str, attempt, iteration| {
        ExecutionId::of_child(id, node_id, attempt, iteration).to_string()
    };
    match kind {
        EventKind::WorkflowStarted(it) => {
            it.execution_id = id.to_string();
            it.guest_digest = guest;
        }
        EventKind::ChildStarted(it) => {
            it.child_id = child(&it.node_id, it.attempt, it.iteration);
        }
        EventKind::ChildEnded(it) => {
            it.child_id = child(&it.node_id, it.attempt, it.iteration);
        }
        EventKind::GuestChanged(it) => it.guest_digest = guest,
        _ => {}
    }
}
