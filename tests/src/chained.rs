//! Logs that tests write by hand.

use refrain::log::{ChainedEvent, Head, Salt, StoredEvent};
use refrain::model::Event;

/// The salt of all their events: they need no secrets.
pub const SALT: Salt = [7; 16];

/// The event as it follows on `head`, as a log has it.
#[must_use]
pub fn follow(head: &Head, event: Event) -> StoredEvent {
    chained(head, event).into_stored()
}

/// The event as it follows on `head`, as a store is given it.
#[must_use]
pub fn chained(head: &Head, event: Event) -> ChainedEvent {
    ChainedEvent::new(head, event, SALT)
}
