//! Logs that tests write by hand.

use refrain::log::{ChainedEvent, Head, Salt};
use refrain::model::Event;

/// The salt of all their events: they need no secrets.
pub const SALT: Salt = [7; 16];

/// The event as it follows on `head`.
#[must_use]
pub fn follow(head: &Head, event: Event) -> ChainedEvent {
    ChainedEvent::new(head, event, SALT)
}
