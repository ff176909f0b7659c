//! What a guest of an older version of the contract cannot know.

/// A value that guests of this version cannot know, because it came with a
/// later one. It is never handed to them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} is newer than the guest, which was built for version {version} of the contract; change the execution to a guest that knows it"
)]
#[non_exhaustive]
pub struct Newer {
    /// What it is.
    pub what: String,
    /// The version of the contract that the guest was built for.
    pub version: &'static str,
    /// The event of the log that holds it. `None` if it is none of the log's.
    pub sequence: Option<u64>,
}

impl Newer {
    /// This is newer than guests of this version.
    #[must_use]
    pub fn new(what: impl Into<String>, version: &'static str) -> Self {
        Self {
            what: what.into(),
            version,
            sequence: None,
        }
    }

    /// The same, found in this event of the log.
    #[must_use]
    pub fn at(self, sequence: u64) -> Self {
        Self {
            sequence: Some(sequence),
            ..self
        }
    }
}
