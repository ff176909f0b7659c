//! What a turn knows and changes of children: what its executions order about them, and
//! which of them have ended (law 3).
//!
//! A store without children is asked once whether it has any; nothing else of this costs
//! a turn anything then.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use crate::id::ExecutionId;
use crate::model::{ChildName, ChildOrder, EventKind, WorkOrder};
use crate::store::{ChildRecord, ChildState, StoreError, ended};

use super::awaited_rows::fault;
use super::core::Core;
use super::known_children::KnownChildren;
use super::transaction::Transaction;
use crate::live::execution::staged::Staged;

/// Asks the store whether it has children, if others may have written some.
pub(in crate::live) fn look(core: &mut Core, version: u64) -> Result<(), StoreError> {
    if core.children.version == Some(version) {
        return Ok(());
    }
    let any = core.store.get().has_children()?;
    if any {
        extend_scope(core)?;
    }
    core.children = KnownChildren {
        version: Some(version),
        any,
        owed: any,
        unproven: any,
        sound: std::mem::take(&mut core.children.sound),
        ..KnownChildren::default()
    };
    Ok(())
}

/// Whether something is owed that this engine carries out. Asked between turns, of what is
/// stored.
pub(in crate::live) fn is_any_owed(core: &mut Core) -> Result<bool, StoreError> {
    if !core.children.owed {
        return Ok(false);
    }
    let owed = core.store.get().owed_children(OWED_PER_TURN)?;
    let owed = core.set_aside.named(owed);
    let is_ours = |record: &ChildRecord| {
        let ids = [record.parent, record.child];
        ids.iter().any(|id| core.scope.includes(*id)) && !is_set_aside(core, record)
    };
    Ok(owed.iter().any(is_ours))
}

/// Whether one of both is damaged: what is owed between them waits until it is mended.
fn is_set_aside(core: &Core, record: &ChildRecord) -> bool {
    [record.parent, record.child]
        .into_iter()
        .any(|id| core.set_aside.holds(id))
}

/// Who works on an execution works on its children too, and on theirs: also on those of a
/// child that has ended, and waited for none of them.
fn extend_scope(core: &mut Core) -> Result<(), StoreError> {
    let mut to_visit = core.scope.executions();
    // Rows that are damaged may lead in a circle.
    let mut visited = BTreeSet::new();
    while let Some(id) = to_visit.pop() {
        if !visited.insert(id) {
            continue;
        }
        let children = core.store.get().children(id);
        let Some(children) = core.set_aside.others_go_on(id, children)? else {
            continue;
        };
        if !core.children.sound.contains(&id) {
            let checked = check(core, id, &children);
            if core.set_aside.others_go_on(id, checked)?.is_some() {
                core.children.sound.insert(id);
            }
        }
        for record in children {
            let stored = core.store.get().execution(record.child);
            let stored = core.set_aside.others_go_on(record.child, stored)?.flatten();
            let goes_on = stored.is_some_and(|stored| !ended(stored.status));
            if goes_on && core.scope.join(record.child) {
                core.known.nothing_due.invalidate();
            }
            to_visit.push(record.child);
        }
    }
    Ok(())
}

/// Fails if the log of an execution waits for a child of which its row says otherwise.
fn check(core: &mut Core, id: ExecutionId, children: &[ChildRecord]) -> Result<(), StoreError> {
    let store = core.store.get();
    let Some(record) = store.execution(id)? else {
        return Ok(());
    };
    match fault(store, &record, children)? {
        None => Ok(()),
        Some(detail) => Err(StoreError::Corrupt {
            place: format!("{}, `children`", store.place()),
            detail,
        }),
    }
}

/// Whether anything of this turn, or of its store, is about children.
pub(super) fn may_be_any(transaction: &Transaction<'_>) -> bool {
    transaction.core.children.any || !transaction.children.changed.is_empty()
}

/// Takes what is stored as owed into the turn, once. What the turn itself leaves is stored
/// with it, and comes into the next.
pub(super) fn load(transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
    if std::mem::replace(&mut transaction.children.is_loaded, true)
        || !transaction.core.children.owed
    {
        return Ok(());
    }
    let stored = transaction.core.store.get().owed_children(OWED_PER_TURN)?;
    let is_all = stored.found.len() < OWED_PER_TURN;
    let found = transaction.core.set_aside.named(stored);
    let is_damaged = found.iter().any(|it| is_set_aside(transaction.core, it));
    let unproven = transaction.core.children.unproven;
    transaction.children.is_unproven = unproven;
    transaction.core.children.unproven = unproven && (!is_all || is_damaged);
    // What the turn has left to the next one is not stored yet.
    transaction.core.children.owed = !is_all || is_damaged || transaction.children.is_left;
    if !is_all {
        transaction.budget.cut_off();
    }
    for record in found {
        let is_damaged = is_set_aside(transaction.core, &record);
        if !is_damaged && !transaction.children.changed.contains_key(&record.child) {
            transaction.children.owed.push_back(record.child);
        }
    }
    Ok(())
}

/// Children of which something is owed that are read in one turn.
const OWED_PER_TURN: usize = 1_000;

/// What is left of what was owed comes into a later turn.
pub(super) fn leave(transaction: &mut Transaction<'_>) {
    transaction.children.is_left = true;
    transaction.core.children.owed = true;
    stays_unproven(transaction);
}

/// What was stored as owed and is not looked at is held against the logs later.
pub(super) fn stays_unproven(transaction: &mut Transaction<'_>) {
    transaction.core.children.unproven |= transaction.children.is_unproven;
}

/// A child, as the turn has it.
pub(super) fn row(
    transaction: &mut Transaction<'_>,
    child: ExecutionId,
) -> Result<Option<ChildRecord>, StoreError> {
    match transaction.children.changed.get(&child) {
        Some(changed) => Ok(changed.clone()),
        None if transaction.core.children.any => transaction.core.store.get().child(child),
        None => Ok(None),
    }
}

/// The turn keeps a child so.
pub(super) fn keep(transaction: &mut Transaction<'_>, record: ChildRecord) {
    if record.is_owed() {
        transaction.children.owed.push_back(record.child);
    }
    let children = &mut transaction.children;
    children.changed.insert(record.child, Some(record));
}

/// There is no such child any more.
pub(super) fn drop_row(
    transaction: &mut Transaction<'_>,
    record: &ChildRecord,
) -> Result<(), StoreError> {
    let count = descendants(transaction, record.root)?;
    *count = count.saturating_sub(1);
    transaction.children.changed.insert(record.child, None);
    Ok(())
}

/// How many descendants a root has, those included that were only requested. The store
/// counts them one by one, and is asked once.
pub(super) fn descendants<'a>(
    transaction: &'a mut Transaction<'_>,
    root: ExecutionId,
) -> Result<&'a mut u64, StoreError> {
    match transaction.children.descendants.entry(root) {
        Entry::Occupied(count) => Ok(count.into_mut()),
        Entry::Vacant(place) => {
            let core = &mut *transaction.core;
            let count = match core.children.descendants.get(&root) {
                Some(count) => *count,
                None if core.children.any => core.store.get().descendants(root)?,
                None => 0,
            };
            Ok(place.insert(count))
        }
    }
}

/// Takes up what a step of an execution ordered about children.
pub(in crate::live) fn take_orders(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
) -> Result<(), StoreError> {
    let Some(staged) = transaction.staged.get_mut(&id) else {
        return Ok(());
    };
    let orders = std::mem::take(&mut staged.child_orders);
    let mut sequences = sequences(staged, &orders);
    for order in orders {
        match order {
            WorkOrder::StartChild(order) => {
                let sequence = sequences.pop().unwrap_or_default();
                request(transaction, id, order, sequence)?;
            }
            WorkOrder::CancelChild(name) => cancel(transaction, id, &name)?,
            WorkOrder::Enqueue(_) | WorkOrder::Cancel(_) => {}
        }
    }
    Ok(())
}

/// The sequences of the decisions to start these children, the last one first: the last of
/// their kind in the log, in the same order.
fn sequences(staged: &Staged, orders: &[WorkOrder]) -> Vec<u64> {
    let is_start = |order: &&WorkOrder| matches!(order, WorkOrder::StartChild(_));
    let starts = orders.iter().filter(is_start).count();
    let events = staged.events().iter().rev().map(|chained| &chained.event);
    let requests = events.filter(|event| matches!(event.kind, EventKind::ChildRequested(_)));
    requests.take(starts).map(|event| event.sequence).collect()
}

fn request(
    transaction: &mut Transaction<'_>,
    parent: ExecutionId,
    order: ChildOrder,
    sequence: u64,
) -> Result<(), StoreError> {
    let name = order.name;
    let child = ExecutionId::of_child(parent, &name.node_id, name.attempt, name.iteration);
    let root = row(transaction, parent)?.map_or(parent, |parent| parent.root);
    *descendants(transaction, root)? += 1;
    keep(
        transaction,
        ChildRecord {
            child,
            parent,
            root,
            node_id: name.node_id,
            attempt: name.attempt,
            iteration: name.iteration,
            sequence,
            state: ChildState::Requested {
                workflow: order.workflow,
                input: order.input,
            },
        },
    );
    Ok(())
}

/// Nobody waits for this child any more. One that was not started yet will not be.
fn cancel(
    transaction: &mut Transaction<'_>,
    parent: ExecutionId,
    name: &ChildName,
) -> Result<(), StoreError> {
    let child = ExecutionId::of_child(parent, &name.node_id, name.attempt, name.iteration);
    let Some(record) = row(transaction, child)? else {
        return Ok(());
    };
    match record.state {
        ChildState::Requested { .. } => drop_row(transaction, &record)?,
        ChildState::Awaited => keep(
            transaction,
            ChildRecord {
                state: ChildState::Cancelled,
                ..record
            },
        ),
        ChildState::Ended => keep(
            transaction,
            ChildRecord {
                state: ChildState::Settled,
                ..record
            },
        ),
        ChildState::Cancelled | ChildState::Settled => {}
    }
    Ok(())
}

/// An execution was stepped: if it is a child that its parent waits for, and has ended,
/// its parent is to be told.
pub(in crate::live) fn note_end(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
) -> Result<(), StoreError> {
    let staged = transaction.staged.get(&id);
    let has_ended = staged.is_some_and(|staged| ended(staged.record.status));
    if !may_be_any(transaction) || !has_ended {
        return Ok(());
    }
    match row(transaction, id)? {
        Some(record) if record.state == ChildState::Awaited => keep(
            transaction,
            ChildRecord {
                state: ChildState::Ended,
                ..record
            },
        ),
        _ => {}
    }
    Ok(())
}
