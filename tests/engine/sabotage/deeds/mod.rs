//! What wrong hosts write.
//!
//! Each deed is done to the first turn that it suits, and the turn is chained
//! anew: what it leads to is well formed, and wrong.

pub(crate) mod answers;
pub(crate) mod commits;
pub(crate) mod decisions;
pub(crate) mod forks;
pub(crate) mod guests;
pub(crate) mod releases;
pub(crate) mod times;

use refrain::model::{Event, EventKind, Snapshot};
use refrain::store::{CommitError, ExecutionChange, Store, StoreError, Turn};
use refrain_tests::saboteur::rechained;

/// What became of the turn; none: the deed does not suit it.
pub(crate) type Written = Option<Result<(), CommitError>>;

/// Commit the turn with its first change that `edit` suits.
fn edited(
    turn: &Turn,
    store: &mut dyn Store,
    edit: impl Fn(&ExecutionChange) -> Option<ExecutionChange>,
) -> Written {
    let mut turn = turn.clone();
    let (place, change) = turn
        .executions
        .iter()
        .enumerate()
        .find_map(|(place, change)| Some((place, edit(change)?)))?;
    turn.executions[place] = change;
    Some(store.commit(&turn))
}

/// Commit the turn with other events, chained anew.
fn with_other_events(
    turn: &Turn,
    store: &mut dyn Store,
    edit: impl Fn(&mut Vec<Event>) -> bool,
) -> Written {
    edited(turn, store, |change| {
        let mut events = events_of(change);
        let suits = !events.is_empty() && edit(&mut events);
        suits.then(|| rechained(change.clone(), events))
    })
}

/// Commit the turn with a snapshot of an execution that has completed a node.
fn with_snapshot(
    turn: &Turn,
    store: &mut dyn Store,
    of: impl Fn(&ExecutionChange, &mut dyn Store) -> Snapshot,
) -> Written {
    let change = turn
        .executions
        .iter()
        .find(|change| change.events.iter().any(|stored| is_result(&stored.event)))?;
    let mut turn = turn.clone();
    turn.snapshots.push((change.record.id, of(change, store)));
    Some(store.commit(&turn))
}

/// Say that the turn was written, and write nothing.
fn lost(turn: &Turn, store: &mut dyn Store, suits: impl Fn(&ExecutionChange) -> bool) -> Written {
    turn.executions.iter().any(suits).then(|| {
        store.rollback();
        Ok(())
    })
}

fn died(store: &dyn Store) -> Result<(), CommitError> {
    Err(CommitError::Failed(StoreError::Io {
        place: store.place(),
        detail: "the process died here".to_owned(),
    }))
}

fn events_of(change: &ExecutionChange) -> Vec<Event> {
    change
        .events
        .iter()
        .map(|stored| stored.event.clone())
        .collect()
}

fn doubled(events: &mut Vec<Event>, which: impl Fn(&EventKind) -> bool) -> bool {
    let Some(place) = events.iter().position(|event| which(&event.kind)) else {
        return false;
    };
    // A claim after it would be found by the number that it has then.
    let claimed = |event: &Event| matches!(event.kind, EventKind::NodeStarted(_));
    if events[place..].iter().any(claimed) {
        return false;
    }
    events.insert(place, events[place].clone());
    true
}

fn node(event: &Event) -> Option<&String> {
    match &event.kind {
        EventKind::NodeScheduled(it) => Some(&it.node_id),
        _ => None,
    }
}

fn is_scheduled(kind: &EventKind) -> bool {
    matches!(kind, EventKind::NodeScheduled(_))
}

fn is_result(event: &Event) -> bool {
    matches!(event.kind, EventKind::NodeCompleted(_))
}

fn is_end(kind: &EventKind) -> bool {
    matches!(kind, EventKind::WorkflowCompleted(_))
}
