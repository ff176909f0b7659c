//! What wrong hosts write: decisions that are not the guest's (law 2).

use refrain::model::{Event, EventKind, NodeSkipped, Origin, SkipReason};
use refrain::store::{Store, Turn};

use super::{Written, is_scheduled, with_other_events};

/// Two decisions of a batch change places.
pub(crate) fn dispatch_unsorted(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let pair = events
            .windows(2)
            .position(|pair| pair.iter().all(|event| is_scheduled(&event.kind)));
        pair.map(|first| events.swap(first, first + 1)).is_some()
    })
}

/// A decision that the guest never took.
pub(crate) fn decision_invented(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let Some(scheduled) = events.iter().rposition(|event| is_scheduled(&event.kind)) else {
            return false;
        };
        let skipped = NodeSkipped::new("d", SkipReason::Unreached);
        let invented = Event {
            kind: EventKind::NodeSkipped(skipped),
            ..events[scheduled].clone()
        };
        events.push(invented);
        true
    })
}

/// A decision calls itself a fact, so as to be believed.
pub(crate) fn decision_called_a_fact(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let decision = events.iter_mut().find(|event| is_scheduled(&event.kind));
        decision.map(|event| event.origin = Origin::Fact).is_some()
    })
}
