//! Events as their bytes are found.

use crate::log::canonical::{self, CanonicalError};
use crate::log::{ErasedEvent, Hash, KeptEvent, Salt, StoredEvent, chain};

/// An event as its bytes were found, for those who judge them: an audit names
/// the event whose bytes are no longer what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// The sequence that it is stored under.
    pub sequence: u64,
    /// What should be the canonical bytes of its plain fields.
    pub plain: Vec<u8>,
    /// What should be those of its erasable fields; nothing, if it is erased.
    pub erasable: Vec<u8>,
    /// What should be its salt; if it is erased, the commitment.
    pub salt: Vec<u8>,
    /// What should be its chain hash.
    pub hash: Vec<u8>,
}

/// Why the bytes of an event are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A newer program wrote them, if they are what was written.
    #[error(
        "event {sequence}: its kind {kind:?} is newer than this program; use a newer Refrain for it"
    )]
    Newer {
        /// The event.
        sequence: u64,
        /// Its kind, which this program does not know.
        kind: String,
    },
    /// What could be erased of it was.
    #[error("event {sequence}: it is erased")]
    Erased {
        /// The event.
        sequence: u64,
    },
    /// They are no event.
    #[error("event {sequence}: {problem}")]
    Malformed {
        /// The event.
        sequence: u64,
        /// What is wrong with them.
        problem: String,
    },
}

impl RawEvent {
    /// The chain hash that these bytes should have; none where the salt is neither
    /// one nor a commitment.
    #[must_use]
    pub fn link(&self, previous: &Hash) -> Option<Hash> {
        Some(chain::link(previous, &self.plain, &self.commitment()?))
    }

    /// What stands for its erasable fields in the chain.
    #[must_use]
    pub fn commitment(&self) -> Option<Hash> {
        if let Some(commitment) = self.erased() {
            return Some(commitment);
        }
        let salt = Salt::try_from(self.salt.as_slice()).ok()?;
        Some(chain::commitment(&salt, &self.erasable))
    }

    /// Its commitment, if it is erased.
    fn erased(&self) -> Option<Hash> {
        let commitment = Hash::try_from(self.salt.as_slice()).ok();
        commitment.filter(|_| self.erasable.is_empty())
    }

    /// Whether this is what was written after an event of this hash: all of it,
    /// as far as the chain can tell.
    #[must_use]
    pub fn follows(&self, previous: &Hash) -> bool {
        self.link(previous)
            .is_some_and(|hash| hash[..] == self.hash)
    }

    /// The event that these bytes are, which must not be erased.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in a sentence that names the event.
    pub fn decode(&self) -> Result<StoredEvent, DecodeError> {
        match self.kept()? {
            KeptEvent::Whole(stored) => Ok(stored),
            KeptEvent::Erased(_) => Err(DecodeError::Erased {
                sequence: self.sequence,
            }),
        }
    }

    /// The event that these bytes are, whole or erased.
    ///
    /// # Errors
    ///
    /// What is wrong with them, in a sentence that names the event.
    pub fn kept(&self) -> Result<KeptEvent, DecodeError> {
        let Self {
            sequence,
            plain,
            erasable,
            salt,
            hash,
        } = self;
        let sequence = *sequence;
        let erased = self.erased();
        let malformed = |problem| DecodeError::Malformed { sequence, problem };
        let event = match erased {
            None => canonical::read(plain, erasable),
            Some(_) => canonical::read_erased(plain),
        };
        let event = event.map_err(|error| match error {
            CanonicalError::Newer { kind } => DecodeError::Newer { sequence, kind },
            error => malformed(error.to_string()),
        })?;
        if event.sequence != sequence {
            return Err(malformed(format!(
                "it says of itself that it is event {}",
                event.sequence
            )));
        }
        let length = |what: &str, bytes: &[u8], length: usize| {
            malformed(format!(
                "the length of its {what} is {}, not {length}",
                bytes.len()
            ))
        };
        let hash = Hash::try_from(hash.as_slice()).map_err(|_| length("hash", hash, 32))?;
        if let Some(commitment) = erased {
            return Ok(KeptEvent::Erased(ErasedEvent {
                event,
                commitment,
                hash,
            }));
        }
        let salt = Salt::try_from(salt.as_slice()).map_err(|_| length("salt", salt, 16))?;
        Ok(KeptEvent::Whole(StoredEvent { event, salt, hash }))
    }
}
