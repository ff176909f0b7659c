//! Events become the text of a log.

use anyhow::{Context, Result};
use refrain::ExecutionId;
use refrain::log::export::{ExportWriter, Header};
use refrain::log::{Head, StoredEvent};
use refrain::model::{Digest, Event, EventKind};
use refrain_guest::contract as native;

use crate::chained::follow;
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
    log(workflow, events)
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

/// These events, chained, as an export.
pub(super) fn log(workflow: &str, events: impl Iterator<Item = Event>) -> Result<String> {
    let mut head = Head::default();
    let stored: Vec<StoredEvent> = events
        .map(|event| {
            let stored = follow(&head, event);
            head = stored.head();
            stored
        })
        .collect();
    let first = stored.first().context("the log is empty")?;
    let EventKind::WorkflowStarted(started) = &first.event.kind else {
        anyhow::bail!("{first:?} starts nothing");
    };
    let header = Header {
        execution_id: started.execution_id.clone(),
        workflow: workflow.to_owned(),
        guest_digest: started.guest_digest.to_string(),
        head,
        owed_a_step: false,
        erased: None,
        components: Vec::new(),
    };
    let mut writer = ExportWriter::new(Vec::new(), &header)?;
    for event in &stored {
        writer.event(event)?;
    }
    Ok(String::from_utf8(writer.finish()?)?)
}
