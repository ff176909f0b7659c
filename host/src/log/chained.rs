//! An event that has its place in a chain, and can have no other hash than its own.

use std::ops::Deref;

use crate::log::canonical::{self, Canonical};
use crate::log::{Hash, Head, Salt, StoredEvent, chain};
use crate::model::Event;

/// An event as it follows on another one, with its canonical bytes.
///
/// There is one way to make one, and none to change it: so its hash is that of its
/// bytes and of the hash before it, and who is given it need not compute that again.
/// What is left to check is where it follows ([`ChainedEvent::follows`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedEvent {
    stored: StoredEvent,
    previous: Hash,
    bytes: Canonical,
}

impl ChainedEvent {
    /// The event with its salt, as it follows on `head`.
    #[must_use]
    pub fn new(head: &Head, event: Event, salt: Salt) -> Self {
        let bytes = canonical::write(&event);
        let hash = chain::link_of(&head.hash, &bytes, &salt);
        Self {
            stored: StoredEvent { event, salt, hash },
            previous: head.hash,
            bytes,
        }
    }

    /// Whether it is the next event of a log that ends so.
    #[must_use]
    pub fn follows(&self, head: &Head) -> bool {
        self.stored.event.sequence == head.sequence + 1 && self.previous == head.hash
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &Canonical {
        &self.bytes
    }

    /// The event, its salt and its hash.
    #[must_use]
    pub fn into_stored(self) -> StoredEvent {
        self.stored
    }
}

impl Deref for ChainedEvent {
    type Target = StoredEvent;

    fn deref(&self) -> &StoredEvent {
        &self.stored
    }
}
