//! The logs that cases begin with.

mod written;
mod tables;
mod generated;
mod hosts;
mod orders;
mod relatives;
mod unusable;

use anyhow::{Context, Result};
use refrain::guest::Library;

use super::source::Source;
use crate::golden;

pub(super) use unusable::NAMES as UNUSABLE;

/// What cases begin with.
pub(super) struct Bases {
    pub(super) logs: Vec<Source>,
    /// Logs that name one another, for cases of several.
    pub(super) relatives: Vec<Source>,
    /// The schedulers that some of them name.
    pub(super) components: Vec<Vec<u8>>,
    /// What is none, in the order of [`UNUSABLE`].
    pub(super) unusable: Vec<Vec<u8>>,
}

pub(super) fn all(library: &mut Library) -> Result<Bases> {
    let mut sources = golden_logs(library)?;
    sources.extend(hosts::children(library)?);
    sources.extend(tables::all(library)?);
    sources.extend(generated::all(library)?);
    let (upgraded, idle) = hosts::upgraded(library)?;
    sources.extend(upgraded);
    let (ordered, guests) = orders::all()?;
    sources.extend(ordered);
    Ok(Bases {
        logs: sources,
        relatives: relatives::all(library)?,
        components: [vec![idle], guests].concat(),
        unusable: unusable::all()?,
    })
}

/// The golden logs of the committed scheduler.
fn golden_logs(library: &Library) -> Result<Vec<Source>> {
    let sets = golden::sets()?;
    let set = sets.iter().find(|set| set.guest == library.built_in());
    let set = set.context("the golden logs are not of the committed component; type: cargo renew-golden-logs \"the component was rebuilt\"")?;
    let logs = set.logs.iter();
    logs.map(|entry| Source::new(&entry.name, &entry.shows, &set.text(entry)?))
        .collect()
}
