//! An event as it is kept, and the head of a log.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::log::digest::{Hash, hex};
use crate::model::{Digest, Event};

/// An event as a log has it: whole, or erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptEvent {
    /// With all its fields, and its salt.
    Whole(StoredEvent),
    /// Without what could be erased.
    Erased(ErasedEvent),
}

impl KeptEvent {
    /// The event. Of one that is erased, only the plain fields are what was
    /// written: see [`ErasedEvent::event`].
    #[must_use]
    pub fn event(&self) -> &Event {
        match self {
            Self::Whole(stored) => &stored.event,
            Self::Erased(erased) => &erased.event,
        }
    }

    /// The head of a log that ends with this event.
    #[must_use]
    pub fn head(&self) -> Head {
        match self {
            Self::Whole(stored) => stored.head(),
            Self::Erased(erased) => erased.head(),
        }
    }
}

/// An event whose erasable fields and salt were erased (law 4). Their commitment
/// keeps the chain whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedEvent {
    /// The event. In the place of what was erased stand blanks: the empty text, the
    /// JSON text `null`, zeros, no option. They say nothing of what was written.
    pub event: Event,
    /// What stood for the erasable fields in the chain, and still does.
    pub commitment: Hash,
    /// The chain hash up to and including it, as it was stored.
    pub hash: Hash,
}

impl ErasedEvent {
    /// The head of a log that ends with this event.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            sequence: self.event.sequence,
            hash: self.hash,
        }
    }
}

/// The name of the format: of what is hashed and how, and of exports.
pub const FORMAT: &str = "refrain-log/2";

/// The hash before event 1: the SHA-256 of [`FORMAT`].
pub const START: Hash = [
    0xad, 0xb7, 0x7d, 0x2e, 0x00, 0x70, 0x97, 0x4d, 0x31, 0x43, 0xeb, 0x41, 0xf8, 0xb9, 0xd8, 0xe2,
    0x08, 0xb5, 0x6e, 0x0d, 0x9c, 0x48, 0x03, 0x6e, 0x21, 0xe8, 0x48, 0xfd, 0x4c, 0xa0, 0x38, 0x04,
];

/// The last event of a log, and the chain hash up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// The sequence of the last event; 0: the log is empty.
    pub sequence: u64,
    /// Its chain hash; [`START`] for an empty log.
    pub hash: Hash,
}

/// `{"sequence": 7, "hash": …}`, the hash in 64 hexadecimal digits.
impl Serialize for Head {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Head", 2)?;
        object.serialize_field("sequence", &self.sequence)?;
        object.serialize_field("hash", &hex(&self.hash))?;
        object.end()
    }
}

/// Strict: both fields, and no other.
impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Head", deny_unknown_fields)]
        struct Written {
            sequence: u64,
            hash: Digest,
        }
        let Written { sequence, hash } = Written::deserialize(deserializer)?;
        Ok(Self {
            sequence,
            hash: hash.0,
        })
    }
}

impl Default for Head {
    fn default() -> Self {
        Self {
            sequence: 0,
            hash: START,
        }
    }
}

/// Random bytes that are kept next to an event and hashed with its erasable fields.
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
