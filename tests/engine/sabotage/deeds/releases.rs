//! What wrong hosts write when a worker gives its work back (rule R25).

use refrain::model::{Event, EventKind, LeaseExpired};
use refrain::store::{ExecutionChange, ItemChange, Store, Turn};

use super::{Written, edited, lost, with_other_events};

/// The item that was given back stays with its worker.
pub(crate) fn item_kept(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let before = change.items.len();
        change
            .items
            .retain(|item| !matches!(item, ItemChange::Release { .. }));
        (change.items.len() < before).then_some(change)
    })
}

/// The number that the queue counts is another than the log's.
pub(crate) fn miscounted(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let releases = change.items.iter_mut().find_map(|item| match item {
            ItemChange::Release { releases, .. } => Some(releases),
            _ => None,
        });
        *releases? = 0;
        Some(change)
    })
}

/// An acknowledged release was never written.
pub(crate) fn release_lost(turn: &Turn, store: &mut dyn Store) -> Written {
    lost(turn, store, |change: &ExecutionChange| {
        let mut events = change.events.iter();
        events.any(|stored| is_release(&stored.event))
    })
}

/// What was given back is written as an expired lease, which spends an attempt.
pub(crate) fn called_an_expired_lease(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let release = events.iter_mut().find(|event| is_release(event));
        let Some(Event { kind, .. }) = release else {
            return false;
        };
        let EventKind::NodeReleased(it) = &*kind else {
            return false;
        };
        *kind = EventKind::LeaseExpired(LeaseExpired::new(&it.node_id, it.attempt, it.fence));
        true
    })
}

fn is_release(event: &Event) -> bool {
    matches!(event.kind, EventKind::NodeReleased(_))
}
