//! What wrong hosts write: only a part of what belongs together (law 3).

use refrain::model::{Origin, Status};
use refrain::store::{ExecutionChange, ItemChange, Store, Turn};
use refrain_tests::saboteur::rechained;

use super::{Written, died, edited, events_of, is_end, is_result, is_scheduled, node};

/// The last decision of a batch is forgotten, with the item that it orders.
pub(crate) fn decision_dropped(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut events = events_of(change);
        let last = events.pop().filter(|event| is_scheduled(&event.kind))?;
        events.last().filter(|event| is_scheduled(&event.kind))?;
        let mut change = rechained(change.clone(), events);
        change.items.retain(|item| !matches!(item, ItemChange::Enqueue { item, .. } if node(&last) == Some(&item.node_id)));
        Some(change)
    })
}

/// A result is committed, and what follows from it is for later; the process
/// dies in between.
pub(crate) fn decisions_in_a_second_commit(turn: &Turn, store: &mut dyn Store) -> Written {
    let facts_only = |change: &ExecutionChange| {
        let mut events = events_of(change);
        let facts = events
            .iter()
            .take_while(|event| event.origin == Origin::Fact);
        events.truncate(facts.count());
        let split = is_result(events.first()?) && events.len() < change.events.len();
        let mut change = rechained(change.clone(), events);
        change
            .items
            .retain(|item| matches!(item, ItemChange::Remove { .. }));
        split.then_some(change)
    };
    edited(turn, store, facts_only).map(|written| written.and_then(|()| died(store)))
}

/// What a turn writes of one execution is left out, as if that conflicted, and its
/// caller is told that it is written.
pub(crate) fn execution_left_out(turn: &Turn, store: &mut dyn Store) -> Written {
    let has_result = |change: &ExecutionChange| events_of(change).first().is_some_and(is_result);
    let mut without = turn.clone();
    without.executions.retain(|change| !has_result(change));
    let is_left_out = without.executions.len() < turn.executions.len();
    is_left_out.then(|| store.commit(&without))
}

/// The items that the decisions order are written for themselves; the process
/// dies in between.
pub(crate) fn items_in_a_second_commit(turn: &Turn, store: &mut dyn Store) -> Written {
    let without_items = |change: &ExecutionChange| {
        let mut change = change.clone();
        let before = change.items.len();
        change
            .items
            .retain(|item| !matches!(item, ItemChange::Enqueue { .. }));
        (change.items.len() < before).then_some(change)
    };
    edited(turn, store, without_items).map(|written| written.and_then(|()| died(store)))
}

/// The end is in the log, and the process dies before the record says so.
pub(crate) fn end_without_status(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let ends = is_end(&change.events.last()?.event.kind);
        change.record.status = Status::Running;
        ends.then_some(change)
    })
}

/// A paused execution is recorded as one that runs.
pub(crate) fn status_not_kept(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let paused = change.record.status == Status::Paused;
        change.record.status = Status::Running;
        paused.then_some(change)
    })
}

/// Nobody is told when time alone changes something.
pub(crate) fn wake_forgotten(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        change.record.next_wake.take().map(|_| change)
    })
}

/// A settled item stays in the queue.
pub(crate) fn item_never_settled(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        // Where an item comes in its place, the store itself would find it.
        let replaced = |item: &ItemChange| matches!(item, ItemChange::Enqueue { .. });
        if change.items.iter().any(replaced) {
            return None;
        }
        let before = change.items.len();
        change
            .items
            .retain(|item| !matches!(item, ItemChange::Remove { .. }));
        (change.items.len() < before).then_some(change)
    })
}

/// An item is ordered with another payload than was decided.
pub(crate) fn item_altered(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let item = change.items.iter_mut().find_map(|item| match item {
            ItemChange::Enqueue { item, .. } => Some(item),
            _ => None,
        });
        item?.payload.push(' ');
        Some(change)
    })
}

/// An end is recorded that the log does not hold.
pub(crate) fn status_without_end(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let runs = change.record.status == Status::Running && change.expected.sequence > 0;
        change.record.status = Status::Completed;
        runs.then_some(change)
    })
}

/// An item is ordered that no decision names.
pub(crate) fn item_invented(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let ordered = change.items.iter().find_map(|item| match item {
            ItemChange::Enqueue { item, at, .. } => Some((item.clone(), *at)),
            _ => None,
        });
        let (mut item, at) = ordered?;
        item.node_id = "nowhere".to_owned();
        let lease = None;
        change.items.push(ItemChange::Enqueue { item, at, lease });
        Some(change)
    })
}

/// A failed attempt leaves no dead letter behind.
pub(crate) fn dead_letter_dropped(turn: &Turn, store: &mut dyn Store) -> Written {
    edited(turn, store, |change| {
        let mut change = change.clone();
        let dead_letter = change
            .items
            .iter()
            .rposition(|item| matches!(item, ItemChange::DeadLetter { .. }));
        let ItemChange::DeadLetter { node_id, .. } = change.items[dead_letter?].clone() else {
            return None;
        };
        let replaced = |item: &ItemChange| matches!(item, ItemChange::Enqueue { item, .. } if item.node_id == node_id);
        let stays = !change.items.iter().any(replaced);
        change.items[dead_letter?] = ItemChange::Remove { node_id };
        stays.then_some(change)
    })
}
