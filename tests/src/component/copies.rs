//! Copies of the scheduler component, in the packages of other languages: each of them runs
//! what this program runs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use refrain::log::digest::digest;

use super::product::SCHEDULER;
use super::workspace;

/// The packages, and where each has its copy.
const PACKAGES: [(&str, &str); 3] = [
    ("host/clients/js/audit", "component"),
    ("host/clients/js/engine", "component"),
    ("host/clients/python", "src/refrain/component"),
];

const FILE: &str = "refrain-scheduler.wasm";

/// Where copies belong: in the packages that there are.
#[must_use]
pub fn places() -> Vec<PathBuf> {
    let packages = PACKAGES.into_iter();
    let packages = packages.map(|(package, folder)| (workspace().join(package), folder));
    packages
        .filter(|(package, _)| package.is_dir())
        .map(|(package, folder)| package.join(folder).join(FILE))
        .collect()
}

/// Puts the committed component into each package.
///
/// # Errors
/// It cannot be read, or a copy cannot be written.
pub fn renew() -> Result<()> {
    let component = SCHEDULER.committed()?;
    for place in places() {
        let folder = place.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&place, &component).with_context(|| place.display().to_string())?;
    }
    Ok(())
}

/// Whether each copy is the committed component. If not, the sentence that says what to do.
///
/// # Errors
/// The committed component cannot be read.
pub fn freshness() -> Result<Result<(), String>> {
    let component = digest(&SCHEDULER.committed()?);
    let is_stale = |place: &PathBuf| {
        let copy = fs::read(place).map(|bytes| digest(&bytes));
        copy.ok().as_ref() != Some(&component)
    };
    Ok(match places().into_iter().find(is_stale) {
        None => Ok(()),
        Some(place) => Err(format!(
            "{} is not the committed component; copy host/component/{FILE} there, or type: cargo rebuild-component",
            place.display()
        )),
    })
}
