//! Why bytes are no event, and where.

use std::fmt;

/// Why these bytes are no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// They are none.
    #[error("byte {offset}{part}, field `{field}`: {problem}")]
    Malformed {
        /// In which part.
        part: Part,
        /// Where in it, from 0.
        offset: usize,
        /// The field that could not be read.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A newer program wrote them.
    #[error("its kind {kind:?} is newer than this program; use a newer Refrain for it")]
    Newer {
        /// The kind of event, which this program does not know.
        kind: String,
    },
}

/// A part of the canonical bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The plain fields.
    Plain,
    /// The erasable fields.
    Erasable,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "",
            Self::Erasable => " of what can be erased",
        })
    }
}
