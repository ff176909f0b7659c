//! Logs that tests write by hand.

use anyhow::{Context, Result, bail};
use refrain::log::{ChainedEvent, Head, Salt, StoredEvent};
use refrain::model::{Event, EventKind};
use refrain::replay::{Claimed, Recording};

/// The salt of all their events: they need no secrets.
pub const SALT: Salt = [7; 16];

/// The event as it follows on `head`, as a log has it.
#[must_use]
pub fn follow(head: &Head, event: Event) -> StoredEvent {
    chained(head, event).into_stored()
}

/// The event as it follows on `head`, as a store is given it.
#[must_use]
pub fn chained(head: &Head, event: Event) -> ChainedEvent {
    ChainedEvent::new(head, event, SALT)
}

/// These events, chained from the first one on, as the log of the execution that they start.
///
/// # Errors
/// There is none, the first starts no execution, or its id is none.
pub fn recording(workflow: &str, events: impl IntoIterator<Item = Event>) -> Result<Recording> {
    let mut head = Head::default();
    let events = events.into_iter().map(|event| {
        let stored = follow(&head, event);
        head = stored.head();
        stored
    });
    let events: Vec<StoredEvent> = events.collect();
    let first = events.first().context("the log is empty")?;
    let EventKind::WorkflowStarted(started) = &first.event.kind else {
        bail!("{first:?} starts nothing");
    };
    let id = &started.execution_id;
    Ok(Recording {
        execution_id: id.parse().with_context(|| format!("{id:?} is no id"))?,
        head,
        workflow: workflow.into(),
        claimed: Claimed::Header {
            guest_digest: started.guest_digest.to_string(),
            owed_a_step: false,
            erased: None,
        },
        events,
        erased: Vec::new(),
        broken_link: None,
        broken_off: None,
        components: Vec::new(),
    })
}

/// These events, chained from the first one on, as the text of an export.
///
/// # Errors
/// There is none, the first starts no execution, or its id is none.
pub fn export(workflow: &str, events: impl IntoIterator<Item = Event>) -> Result<String> {
    let export = recording(workflow, events)?.export(Vec::new())?;
    Ok(String::from_utf8(export)?)
}
