//! What wrong hosts write of forks (law 11).

use refrain::model::{Digest, Event, EventKind, ForkOrigin};
use refrain::store::{Store, Turn};

use super::{Written, with_other_events};

/// The fork names another event of its origin than the last that it has of it.
pub(crate) fn another_event_named(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let origin = origin(events);
        let forks = origin.is_some();
        if let Some(origin) = origin {
            origin.head = Digest([7; 32]);
        }
        forks
    })
}

/// A result is another one in the fork than in its origin.
pub(crate) fn copied_otherwise(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let forks = origin(events).is_some();
        let mut results = events.iter_mut().filter_map(|event| match &mut event.kind {
            EventKind::NodeCompleted(it) => Some(it),
            _ => None,
        });
        match results.next() {
            Some(result) if forks => {
                result.output = "7".to_owned();
                true
            }
            _ => false,
        }
    })
}

fn origin(events: &mut [Event]) -> Option<&mut ForkOrigin> {
    match &mut events.first_mut()?.kind {
        EventKind::WorkflowStarted(started) => started.forked_from.as_mut(),
        _ => None,
    }
}
