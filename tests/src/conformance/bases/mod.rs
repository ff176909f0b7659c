//! The logs that cases begin with.

mod written;
mod tables;
mod generated;
mod hosts;
mod orders;

use anyhow::{Context, Result};
use refrain::guest::Library;

use super::source::Source;
use crate::golden;

/// All logs, and the schedulers that some of them name.
pub(super) fn all(library: &mut Library) -> Result<(Vec<Source>, Vec<Vec<u8>>)> {
    let mut sources = golden_logs(library)?;
    sources.extend(hosts::children(library)?);
    sources.extend(tables::all(library)?);
    sources.extend(generated::all(library)?);
    let (upgraded, idle) = hosts::upgraded(library)?;
    sources.extend(upgraded);
    let (ordered, guests) = orders::all()?;
    sources.extend(ordered);
    Ok((sources, [vec![idle], guests].concat()))
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
