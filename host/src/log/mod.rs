//! The log: canonical bytes, the hash chain, the one JSON form, the export.
//!
//! An event has two written forms, and both come from the one table in
//! `form`: the *canonical bytes*, which are stored and hashed, and the
//! *JSON form*, which people and other programs read. Beside an event stands
//! its salt, which its hash needs. Nothing in here knows where events are kept,
//! or whether they are legal where they stand.

pub(crate) mod author;
pub mod digest;
pub mod effect;
pub mod time;
mod field;
mod form;
pub mod canonical;
pub mod chain;
pub mod packed;
pub mod json;
pub mod export;
#[cfg(test)]
mod samples;

use crate::model::Event;

pub use digest::Hash;
pub use form::KIND_NAMES;

/// Milliseconds since the Unix epoch.
pub type Timestamp = u64;

/// The last event of a log, and the chain hash up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The sequence of the last event; 0: the log is empty.
    pub sequence: u64,
    /// Its chain hash; [`chain::START`] for an empty log.
    pub hash: Hash,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            sequence: 0,
            hash: chain::START,
        }
    }
}

/// Chance that is kept beside an event and hashed with its erasable fields.
pub type Salt = [u8; 16];

/// An event with its salt and its chain hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// Its salt.
    pub salt: Salt,
    /// The chain hash up to and including it, as it was stored.
    pub hash: Hash,
}

impl StoredEvent {
    /// The head of a log that ends with this event.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            sequence: self.event.sequence,
            hash: self.hash,
        }
    }
}
