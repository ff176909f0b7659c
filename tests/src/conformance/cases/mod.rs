//! What is done to the logs.

mod fields;
mod spelling;
mod lines;
mod header;
mod moved;
mod inserted;
mod erased;
mod links;
mod owed;
mod brought;
mod together;

use anyhow::Result;
use refrain::conformance::Kit;

use super::draft::Drafts;
use super::source::Source;

/// Where chance begins: the same cases each time.
const SEED: u64 = 14;

/// All cases, by groups.
pub(super) fn all(sources: &[Source], relatives: &[Source], kit: &Kit) -> Result<Drafts> {
    let mut drafts = Drafts::default();
    for source in sources.iter().chain(relatives) {
        drafts.named(format!("whole.{}", source.name), source, Vec::new());
    }
    fields::all(&mut drafts, sources);
    spelling::all(&mut drafts, sources)?;
    lines::all(&mut drafts, sources);
    header::all(&mut drafts, sources)?;
    moved::all(&mut drafts, sources);
    inserted::all(&mut drafts, sources);
    erased::all(&mut drafts, sources)?;
    links::all(&mut drafts, sources)?;
    owed::all(&mut drafts, sources);
    brought::all(&mut drafts, sources, kit);
    together::all(&mut drafts, sources, relatives, kit)?;
    Ok(drafts)
}
