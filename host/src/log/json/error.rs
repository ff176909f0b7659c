//! Why a text is no event.

/// This text is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}`: {problem}")]
#[non_exhaustive]
pub struct JsonError {
    /// The field, with those that it is in: `limits.max_concurrent_nodes`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub problem: String,
    /// It may well be an event of a newer program.
    pub is_newer: bool,
}
