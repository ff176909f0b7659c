//! What an audit answers: a verdict, or why there is none.

use serde::Serialize;

use super::divergence::Divergence;
use crate::guest::{ComponentError, LibraryError};
use crate::store::StoreError;

/// What an audit concludes of one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The log is whole, lawful, and what its guest decides.
    Clean,
    /// The guest decides otherwise, or the store says otherwise than the log.
    Divergent,
    /// An event was edited, removed, inserted or moved.
    Tampered,
    /// An event may not stand where it stands.
    Illegal,
    /// The log does not decode.
    Unreadable,
}

impl Verdict {
    /// The verdict in a word, as it is written in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Divergent => "divergent",
            Self::Tampered => "tampered",
            Self::Illegal => "illegal",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The audit of one execution.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// The execution; none where even that cannot be read.
    pub execution_id: Option<String>,
    /// What the audit concludes.
    pub verdict: Verdict,
    /// How many events the log has, as far as it can be read.
    pub events: u64,
    /// How many decisions were asked for again and came out the same.
    pub decisions: u64,
    /// The log ends where a turn's budget cut its guest off: the execution is owed
    /// a step, and nothing is wrong with that. Said beside the log, by the store
    /// or the export's header, and borne out by the guest.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub owed_a_step: bool,
    /// The first thing that is wrong; none if nothing is.
    pub divergence: Option<Divergence>,
}

/// Why an audit could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A guest is not at hand, or does not run.
    #[error(transparent)]
    Guest(#[from] LibraryError),
    /// What is stored as a guest is none.
    #[error("the component that is stored as {digest} is none: {reason}")]
    Component {
        /// Its digest.
        digest: String,
        /// Why not.
        #[source]
        reason: ComponentError,
    },
    /// The store, or the file, could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
