//! What would make a node run: tables for each kind of fact, and generated histories in which
//! the model of the rules judges the answers.

mod world;
mod case;
mod by_the_model;
mod many_conditions;
mod tables;

use std::sync::Arc;

use anyhow::Result;
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::model::{Digest, Event, EventKind};
use refrain::replay::Travel;
use refrain_guest::contract as native;
use refrain_tests::chained;
use refrain_tests::memory_ports::across;

/// A cursor over this log of this workflow, as the built-in scheduler has written it.
fn travel(library: &Library, workflow: &str, log: &[native::Event]) -> Result<Travel> {
    let guest: Digest = library.built_in().parse()?;
    let events = log.iter().map(|event| {
        let mut event: Event = across(event);
        match &mut event.kind {
            EventKind::WorkflowStarted(it) => it.guest_digest = guest,
            EventKind::GuestChanged(it) => it.guest_digest = guest,
            _ => {}
        }
        event
    });
    let recording = chained::recording(workflow, events)?;
    Ok(Travel::open(Arc::new(recording), library.clone())?)
}

fn library() -> Result<Library> {
    Ok(Library::new(Sandbox::new(CallLimits::default())?))
}
