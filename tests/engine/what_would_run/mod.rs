//! What would make a node run: tables for each kind of fact, and generated histories in which
//! the model of the rules judges the answers.

mod world;
mod case;
mod by_the_model;
mod many_conditions;
mod tables;

use std::sync::Arc;

use anyhow::{Context, Result};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::log::Head;
use refrain::model::{Digest, Event, EventKind};
use refrain::replay::{Claimed, Recording, Travel};
use refrain_guest::contract as native;
use refrain_guest::notation::EXECUTION;
use refrain_tests::chained::follow;
use refrain_tests::memory_ports::across;

/// A cursor over this log of this workflow, as the built-in scheduler has written it.
fn travel(library: &Library, workflow: &str, log: &[native::Event]) -> Result<Travel> {
    let guest: Digest = library.built_in().parse()?;
    let mut head = Head::default();
    let mut events = Vec::new();
    for event in log {
        let mut event: Event = across(event);
        match &mut event.kind {
            EventKind::WorkflowStarted(it) => it.guest_digest = guest,
            EventKind::GuestChanged(it) => it.guest_digest = guest,
            _ => {}
        }
        let stored = follow(&head, event);
        head = stored.head();
        events.push(stored);
    }
    let execution_id = EXECUTION.to_string().parse().context("an execution")?;
    let recording = Recording {
        execution_id,
        head,
        events,
        erased: Vec::new(),
        broken_link: None,
        broken_off: None,
        workflow: workflow.into(),
        claimed: Claimed::Header {
            guest_digest: guest.to_string(),
            owed_a_step: false,
            erased: None,
        },
        components: Vec::new(),
    };
    Ok(Travel::open(Arc::new(recording), library.clone())?)
}

fn library() -> Result<Library> {
    Ok(Library::new(Sandbox::new(CallLimits::default())?))
}
