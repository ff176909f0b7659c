//! What wrong hosts write: claims and answers that are not what was said (laws 7
//! and 8).

use refrain::model::EventKind;
use refrain::store::{ExecutionChange, ItemChange, Lease, Store, Turn};
use serde_json::{Map, Value};

use super::{Written, doubled, edited, is_result, lost, with_other_events};

/// The queue has an item with another fence than the log.
pub(crate) fn fence_of_another(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let lease = change.items.iter_mut().find_map(lease_in);
        lease?.fence = 1;
        Some(change)
    })
}

/// A lease ends sooner than its worker was told.
pub(crate) fn lease_cut_short(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let lease = change.items.iter_mut().find_map(lease_in);
        lease?.expires_at = change.record.last_at + 1;
        Some(change)
    })
}

/// The queue has an item with another worker than the log.
pub(crate) fn lease_of_another(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let lease = change.items.iter_mut().find_map(lease_in);
        lease?.worker_id = "another".to_owned();
        Some(change)
    })
}

fn lease_in(item: &mut ItemChange) -> Option<&mut Lease> {
    match item {
        ItemChange::Enqueue { lease, .. } => lease.as_mut(),
        ItemChange::Lease { lease, .. } => Some(lease),
        ItemChange::Release { .. } | ItemChange::Remove { .. } | ItemChange::DeadLetter { .. } => {
            None
        }
    }
}

/// A result is acknowledged, and was never written.
pub(crate) fn result_lost(turn: &Turn, store: &mut dyn Store) -> Written {
    let has_result =
        |change: &ExecutionChange| change.events.iter().any(|stored| is_result(&stored.event));
    lost(turn, store, has_result)
}

/// A claim is granted, and was never written.
pub(crate) fn claim_lost(turn: &Turn, store: &mut dyn Store) -> Written {
    lost(turn, store, |change| {
        matches!(
            change.events.first().map(|stored| &stored.event.kind),
            Some(EventKind::NodeStarted(_))
        )
    })
}

/// An operator's request is acknowledged, and was never written.
pub(crate) fn request_lost(turn: &Turn, store: &mut dyn Store) -> Written {
    lost(turn, store, |change| {
        matches!(
            change.events.first().map(|stored| &stored.event.kind),
            Some(EventKind::ExecutionPaused(_))
        )
    })
}

/// An external event is taken twice.
pub(crate) fn signal_doubled(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        doubled(events, |kind| {
            matches!(kind, EventKind::ExternalEventReceived(_))
        })
    })
}

/// A result is taken twice.
pub(crate) fn result_doubled(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        doubled(events, |kind| matches!(kind, EventKind::NodeCompleted(_)))
    })
}

/// A result is not kept as it came.
pub(crate) fn result_altered(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| match &mut events[0].kind {
        EventKind::NodeCompleted(it) => {
            it.output = r#"{"a":2}"#.to_owned();
            true
        }
        _ => false,
    })
}

/// One patch is left out of the state that the execution ends with.
pub(crate) fn patch_left_out(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let Some(EventKind::WorkflowCompleted(it)) = events.last_mut().map(|event| &mut event.kind)
        else {
            return false;
        };
        let mut state: Map<String, Value> =
            serde_json::from_str(&it.final_state).unwrap_or_default();
        let first = state.keys().next().cloned();
        let left_out = first.and_then(|first| state.remove(&first));
        it.final_state = Value::from(state).to_string();
        left_out.is_some()
    })
}

/// The record does not say by which key it was started.
pub(crate) fn key_not_kept(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        change.record.key.take().map(|_| change)
    })
}
