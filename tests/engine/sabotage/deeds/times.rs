//! What wrong hosts write: what event 1 binds, when things happen, and after the
//! end (laws 4 to 6).

use std::collections::BTreeMap;

use refrain::model::{Digest, EventKind, ExternalEventReceived, Origin};
use refrain::store::{Store, Turn};
use refrain_tests::saboteur::{fact, rechained};

use super::{Written, edited, events_of, is_end, with_other_events};

/// Event 1 names another workflow than the one that is registered.
pub(crate) fn another_workflow_bound(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| match &mut events[0].kind {
        EventKind::WorkflowStarted(it) => {
            it.workflow_digest = Digest::of(b"another");
            true
        }
        _ => false,
    })
}

/// The clock is set back, and believed.
pub(crate) fn clock_set_back(turn: &Turn, store: &mut dyn Store) -> Written {
    let of_stored: BTreeMap<_, _> = turn
        .executions
        .iter()
        .filter_map(|change| store.execution(change.record.id).ok().flatten())
        .map(|record| (record.id, record.last_at))
        .collect();
    edited(turn, store, |change| {
        let before = of_stored.get(&change.record.id)? - 1000;
        let mut events = events_of(change);
        events.first()?;
        events.iter_mut().for_each(|event| event.at = before);
        Some(rechained(change.clone(), events))
    })
}

/// The clock is read anew for the decisions of a turn.
pub(crate) fn clock_read_twice(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let facts = events
            .iter()
            .filter(|event| event.origin == Origin::Fact)
            .count();
        events[facts..].iter_mut().for_each(|event| event.at += 5);
        (1..events.len()).contains(&facts)
    })
}

/// The end is written twice.
pub(crate) fn second_end(turn: &Turn, store: &mut dyn Store) -> Written {
    with_other_events(turn, store, |events| {
        let end = events.last().filter(|event| is_end(&event.kind)).cloned();
        events.extend(end.clone());
        end.is_some()
    })
}

/// Something is taken after the end.
pub(crate) fn fact_after_the_end(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut events = events_of(change);
        let ends = is_end(&events.last()?.kind);
        let late = ExternalEventReceived::new("payment", "1");
        events.push(fact(change, EventKind::ExternalEventReceived(late)));
        ends.then(|| rechained(change.clone(), events))
    })
}
