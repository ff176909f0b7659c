//! What is stored as owed between a child and its parent is held against both logs before it
//! is carried out: a row that they contradict is damaged.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::model::{EventKind, WorkflowName};
use crate::store::{ChildRecord, ChildState, StoreError, ended};

use super::awaited_rows::awaited_by;
use super::child_rows::leave;
use super::claimed_items::rules;
use super::known_children::AwaitedOf;
use super::transaction::Transaction;

/// How the names in a row contradict each other. `None` if they do not.
pub(super) fn misnamed(record: &ChildRecord) -> Option<String> {
    let (parent, node_id) = (record.parent, &record.node_id);
    let (attempt, iteration) = (record.attempt, record.iteration);
    let is_it = ExecutionId::of_child(parent, node_id, attempt, iteration) == record.child;
    (!is_it).then(|| {
        format!(
            "it names attempt {attempt} and iteration {iteration} of node {node_id:?} of {parent}, and the child of that is another"
        )
    })
}

/// In what the logs contradict this row. `None` if they do not.
pub(super) fn contradiction(
    transaction: &mut Transaction<'_>,
    record: &ChildRecord,
) -> Result<Option<String>, EngineError> {
    let parent = record.parent;
    let place = (&*record.node_id, record.attempt, record.iteration);
    if transaction.core.store.get().execution(parent)?.is_none() {
        return Ok(Some(format!("its parent {parent} is not in the store")));
    }
    let asked = transaction.events(parent, record.sequence, 1)?;
    let asked = asked.first().and_then(|it| match &it.event.kind {
        EventKind::ChildRequested(it) => Some(it),
        _ => None,
    });
    let asked = asked.filter(|it| (&*it.node_id, it.attempt, it.iteration) == place);
    let Some(workflow) = asked.map(|it| it.workflow.clone()) else {
        return Ok(Some(format!(
            "event {} of {parent} does not ask for this child",
            record.sequence
        )));
    };
    of_state(transaction, record, workflow.as_ref())
}

fn of_state(
    transaction: &mut Transaction<'_>,
    record: &ChildRecord,
    workflow: Option<&WorkflowName>,
) -> Result<Option<String>, EngineError> {
    let child = record.child;
    let stored = transaction.core.store.get().execution(child)?;
    let is_there = stored.is_some();
    let has_ended = stored.is_some_and(|stored| ended(stored.status));
    let fault = match &record.state {
        ChildState::Requested { .. } if is_there => {
            Some("it asks for a child that was started already")
        }
        ChildState::Requested { workflow: it, .. } if it.as_ref() != workflow => {
            Some("it asks for a child of another workflow than the parent's log")
        }
        ChildState::Ended if !has_ended => Some("it says that the child has ended, and it has not"),
        ChildState::Cancelled if !is_there => Some("it is of a child that is not in the store"),
        ChildState::Cancelled if !has_ended && waits(transaction, record)? => {
            Some("it says that nobody waits for the child, and its parent does")
        }
        _ => None,
    };
    Ok(fault.map(str::to_owned))
}

/// Whether the parent's log waits for this child.
fn waits(transaction: &mut Transaction<'_>, record: &ChildRecord) -> Result<bool, EngineError> {
    let parent = record.parent;
    let head = transaction.open(parent)?.record.head;
    if ended(transaction.open(parent)?.record.status) {
        return Ok(false);
    }
    let known = &transaction.core.children.awaited;
    if known
        .as_ref()
        .is_none_or(|it| (it.parent, it.head) != (parent, head))
    {
        let children = awaited(transaction, parent)?;
        transaction.core.children.awaited = Some(AwaitedOf {
            parent,
            head,
            children,
        });
    }
    let known = transaction.core.children.awaited.as_ref();
    Ok(known.is_some_and(|it| it.children.contains(&record.child)))
}

/// The children that an execution waits for, as its log has them. The whole log is read.
fn awaited(
    transaction: &mut Transaction<'_>,
    parent: ExecutionId,
) -> Result<BTreeSet<ExecutionId>, EngineError> {
    let rules = rules(transaction, parent)?;
    let awaited = awaited_by(parent, &rules, |first| {
        transaction.events(parent, first, EVENTS_PAGE_MAX)
    })?;
    Ok(awaited.into_iter().map(|(_, child)| child).collect())
}

/// Sets aside whom a damaged row holds up: the parent, or where that is not in the store the
/// child.
pub(super) fn set_aside(
    transaction: &mut Transaction<'_>,
    record: &ChildRecord,
    detail: String,
) -> Result<(), EngineError> {
    let store = transaction.core.store.get();
    let place = format!("{}, row {} of `children`", store.place(), record.child);
    let is_there = store.execution(record.parent)?.is_some();
    let id = match is_there {
        true => record.parent,
        false => record.child,
    };
    let error = Arc::new(StoreError::Corrupt { place, detail });
    transaction.core.set_aside.add(id, &error);
    // What the turn already holds of it is its own, and whole.
    if transaction
        .staged
        .get(&id)
        .is_some_and(|it| !it.has_changed())
    {
        transaction.staged.remove(&id);
        transaction.to_step.remove(&id);
    }
    leave(transaction);
    Ok(())
}
