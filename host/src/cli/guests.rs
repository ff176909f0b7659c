//! The scheduler components that a command works with.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use refrain::ErrorRemedy;
use refrain::guest::{CallLimits, Library, NoPorts, Sandbox};
use refrain::id::ExecutionId;
use refrain::model::{Fault, WorkflowSummary};
use refrain::replay::{Player, Recording, fetch_guest, from_store};
use refrain::store::{ExecutionRecord, Reader};

use super::coded::{OrCoded, refuse};
use super::failure::curable;
use super::files::{self, WorkflowText};

/// A library with the built-in component.
pub(super) fn library() -> anyhow::Result<Library> {
    Ok(Library::new(Sandbox::new(CallLimits::default())?))
}

/// The same with the scheduler as machine code from the first call on, for measurements.
/// One library serves the whole process, because compiling takes seconds where no code is
/// kept.
pub(super) fn compiled_library() -> anyhow::Result<Library> {
    static COMPILED: OnceLock<Library> = OnceLock::new();
    if let Some(compiled) = COMPILED.get() {
        return Ok(compiled.clone());
    }
    let mut compiled = library()?;
    let digest = compiled.built_in().to_owned();
    compiled.wait_until_compiled(&digest)?;
    Ok(COMPILED.get_or_init(|| compiled).clone())
}

/// Take a component file into the library; its digest.
pub(super) fn add(library: &mut Library, path: &Path) -> anyhow::Result<String> {
    let place = path.display();
    let bytes = files::component(path)?;
    let digest = library.add(bytes).or_coded("invalid_component", || {
        format!("{place} is not a scheduler component")
    })?;
    library.check(&digest).or_coded("invalid_component", || {
        format!("{place} is not a scheduler component")
    })?;
    Ok(digest)
}

/// The bytes of a component file, if it is a guest.
pub(super) fn component(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut library = library()?;
    let digest = add(&mut library, path)?;
    library
        .bytes(&digest)
        .map(<[u8]>::to_vec)
        .context("it left the library")
}

/// Is this workflow valid, as this component sees it; the built-in one, if none
/// is given?
pub(super) fn validate(
    workflow: &str,
    component: Option<&[u8]>,
) -> anyhow::Result<Result<WorkflowSummary, Vec<Fault>>> {
    let mut library = library()?;
    let digest = match component {
        Some(bytes) => library.add(bytes.to_vec())?,
        None => library.built_in().to_owned(),
    };
    Ok(library.instance::<NoPorts>(&digest)?.validate(workflow)?)
}

/// The same of a workflow out of a file, which may be no text that can be read.
pub(super) fn check(
    workflow: &WorkflowText,
    component: Option<&[u8]>,
) -> anyhow::Result<Result<WorkflowSummary, Vec<Fault>>> {
    match &workflow.broken {
        Some(faults) => Ok(Err(faults.clone())),
        None => validate(&workflow.json, component),
    }
}

/// What is wrong with a condition, as this component sees it; the built-in one, if none is
/// given.
pub(super) fn check_condition(
    condition: &str,
    component: Option<&[u8]>,
) -> anyhow::Result<Result<(), String>> {
    let mut library = library()?;
    let digest = match component {
        Some(bytes) => library.add(bytes.to_vec())?,
        None => library.built_in().to_owned(),
    };
    let mut guest = library.instance::<NoPorts>(&digest)?;
    Ok(refrain::guest::check_condition(&mut guest, condition)?)
}

/// The log of an execution that is in this store. What cannot be read of it is an error, and
/// so is that it is erased.
pub(super) fn recording(store: &mut dyn Reader, id: ExecutionId) -> anyhow::Result<Arc<Recording>> {
    let reading = from_store(store, id)?.with_context(|| format!("execution {id} is gone"))?;
    let recording = match reading {
        Ok(recording) => Arc::new(recording),
        Err(unreadable) => {
            return Err(curable(
                "log_damaged",
                format!("the log of {id} is damaged: {}", unreadable.message),
                ErrorRemedy::Audit(id),
            ));
        }
    };
    if recording.is_erased() {
        refuse!(
            "log_erased",
            "the log of {id} is erased: its scheduler cannot be asked about it any more"
        );
    }
    Ok(recording)
}

/// An execution as its own guest sees it now.
pub(super) fn player(store: &mut dyn Reader, record: &ExecutionRecord) -> anyhow::Result<Player> {
    let recording = recording(store, record.id)?;
    let mut library = library()?;
    fetch_guest(&mut library, store, &record.guest_digest)?;
    let mut player = Player::new(&mut library, &record.guest_digest, recording)?;
    player.reveal_all();
    Ok(player)
}
