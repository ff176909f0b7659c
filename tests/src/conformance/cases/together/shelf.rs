//! The logs that are given together, by their names.

use anyhow::{Context, Result};
use refrain::conformance::{Case, Edit, Expected, Kit};
use serde_json::Value;

use super::super::super::source::{self, Source};

/// The logs to choose from.
pub(super) struct Shelf<'a> {
    pub(super) sources: &'a [Source],
    pub(super) relatives: &'a [Source],
    pub(super) kit: &'a Kit,
}

impl<'a> Shelf<'a> {
    pub(super) fn log(&self, name: &str) -> Result<&'a Source> {
        source::named(self.relatives, name).or_else(|_| source::named(self.sources, name))
    }

    /// The last event and the head of this log after these edits.
    pub(super) fn head_after(&self, source: &Source, edits: &[Edit]) -> Result<(u64, String)> {
        let log = self.kit.log(&Case {
            name: source.name.clone(),
            base: source.name.clone(),
            edits: edits.to_vec(),
            expected: Expected::default(),
        })?;
        let header = log.split(|byte| *byte == b'\n').next();
        let header: Value = serde_json::from_slice(header.unwrap_or_default())?;
        let head = header["head"].as_str().context("a head")?.to_owned();
        Ok((header["events"].as_u64().context("a number")?, head))
    }
}

/// The salt of an event that was forged.
pub(super) fn other_salt() -> String {
    "07".repeat(16)
}

/// These edits, and then the chain is made whole.
pub(super) fn rechained(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.push(Edit::Rechain {});
    edits
}
