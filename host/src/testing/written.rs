//! A workflow as it is written in a file: JSON stays as it is, YAML becomes JSON once.

use std::path::Path;

use super::reading::top::{located, tree};
use super::text::place::FileError;
use super::text::source::{Notation, notation};
use super::text::value::Node;
use crate::model::Fault;

/// The text of a workflow in YAML, and the JSON that it means.
///
/// It is read as test files are: anchors, aliases, tags and merge keys are refused, and
/// so are keys that stand twice, and words that readers of YAML take for different things.
/// Numbers keep their text.
#[derive(Clone, Debug)]
pub struct YamlWorkflow {
    json: String,
    root: Node,
}

impl YamlWorkflow {
    /// Whether a file of this name holds YAML: its name ends in `.yaml` or `.yml`.
    #[must_use]
    pub fn is_one(file: &Path) -> bool {
        notation(file).is_ok_and(|notation| notation == Notation::Yaml)
    }

    /// What the text of this file means.
    ///
    /// # Errors
    /// [`FileError`] with all that is wrong with it as YAML, with line and column.
    pub fn read(file: &Path, text: &str) -> Result<Self, FileError> {
        let (root, faults) = tree(file, text, Notation::Yaml)?;
        let json = root.json();
        faults.or(Some(Self { json, root }))
    }

    /// The JSON text, in one line.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Line and column, from 1, of what a fault names, or of the last part of its way that
    /// is there.
    #[must_use]
    pub fn place_of(&self, fault: &Fault) -> (usize, usize) {
        let place = located(&self.root, &fault.pointer);
        (place.line, place.column)
    }
}
