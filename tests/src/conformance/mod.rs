//! The conformance kit of `tests/conformance`: logs of every kind, and edits of them, with
//! what this program's audit says of each.
//!
//! ```text
//! cargo renew-conformance-kit
//! ```
//!
//! makes it anew: whenever the component, the golden logs or the audit have changed. The same
//! sources come to the same bytes. The logs are the golden ones of the committed scheduler, and
//! some more; what is done to them stands in `cases`. What an auditor has to say is what
//! [`Auditor`](refrain::replay::Auditor) says of each log, alone or with others: a change there
//! shows in the kit's diff, and is to be looked at.

mod source;
mod draft;
mod judge;
mod bases;
mod cases;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use refrain::conformance::{Base, Kit};
use refrain::guest::Library;
use refrain::log::export::Component;
use serde_json::value::RawValue;

use crate::component::workspace;
use bases::Bases;

pub use judge::{audited, failed};

/// Where the kit is.
#[must_use]
pub fn folder() -> PathBuf {
    workspace().join("tests/conformance")
}

/// Its one file.
#[must_use]
pub fn file() -> PathBuf {
    folder().join("kit.ndjson")
}

/// The kit that is committed.
///
/// # Errors
/// It cannot be read.
pub fn committed() -> Result<Kit> {
    let path = file();
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    Kit::read(text.as_slice()).with_context(|| path.display().to_string())
}

/// The kit as the sources have it now.
///
/// # Errors
/// A log cannot be made, or an edit does not fit it.
pub fn made(library: &mut Library) -> Result<Kit> {
    let Bases {
        logs: sources,
        relatives,
        components,
        unusable,
    } = bases::all(library)?;
    let mut kit = Kit::new(library.built_in().parse()?);
    kit.components = components.into_iter().map(component).collect();
    kit.unusable = unusable.into_iter().map(component).collect();
    for component in &kit.components {
        library.add(component.bytes.clone())?;
    }
    for source in sources.iter().chain(&relatives) {
        let lines = source.lines.iter().cloned().map(RawValue::from_string);
        kit.bases.push(Base {
            name: source.name.clone(),
            shows: source.shows.clone(),
            lines: lines.collect::<Result<_, _>>()?,
        });
    }
    let drafts = cases::all(&sources, &relatives, &kit)?;
    judge::judge(&mut kit, library, drafts)?;
    Ok(kit)
}

fn component(bytes: Vec<u8>) -> Component {
    Component {
        digest: refrain::log::digest::digest(&bytes),
        bytes,
    }
}
