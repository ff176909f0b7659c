//! Laws 3 and 11: what executions order of each other is stored and carried out once, and
//! the logs of parent and child name each other.

use refrain::log::StoredEvent;
use refrain::model::{EventKind, ParentOrigin, Status};
use refrain::render;
use refrain::store::{ChildRecord, ChildState, ended};

use super::ties::{Tie, ties};
use super::{Account, Evidence, Law, Violation};

/// A child begins as its parent has asked for it; its parent names it, its workflow, and
/// what it ended with; and each child is there once for each time that one was asked for.
///
/// # Errors
/// The first parent or child of which that is not so.
pub fn law11_children_are_linked(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        for tie in ties(account)? {
            let child = evidence.account(tie.child);
            agree(account, &tie, child)?;
        }
        if let Some(named) = account.parent() {
            let parent = named.execution_id.parse().ok();
            let parent = parent.and_then(|id| evidence.account(id));
            is_asked_for(account, named, parent)?;
        }
    }
    Ok(())
}

fn agree(parent: &Account, tie: &Tie, child: Option<&Account>) -> Result<(), Violation> {
    let broken = |message: String| {
        let id = parent.record.id;
        Err(Violation::at(Law::Linked, id, tie.sequence, message))
    };
    let (Some(said), Some(child)) = (&tie.started, child) else {
        return match (&tie.started, child) {
            (Some(_), None) => broken(format!("its child {} is not there", tie.child)),
            (None, Some(_)) => broken(format!("its child {} began unsaid", tie.child)),
            _ => Ok(()),
        };
    };
    let Some(EventKind::WorkflowStarted(begun)) = child.log().next().map(|event| &event.kind)
    else {
        return Ok(()); // That is for law 4 to say.
    };
    if said.child_id != tie.child.to_string() || said.workflow_digest != begun.workflow_digest {
        return broken(format!("{said:?} is not how its child began: {begun:?}"));
    }
    let Some(told) = &tie.ended else {
        return Ok(());
    };
    let Some(last) = child.events.last() else {
        return broken(format!("{} has no events", tie.child));
    };
    let (status, output, error) = end_of(last);
    let is_so = (told.status, &told.output, &told.error) == (status, &output, &error)
        && (told.sequence, told.head.0) == (last.event.sequence, last.hash)
        && told.child_id == said.child_id
        && ended(child.record.status);
    match is_so {
        true => Ok(()),
        false => broken(format!(
            "it was told {told:?}, and its child ended so: {last:?}"
        )),
    }
}

/// The status, final state and error that a last event says.
fn end_of(last: &StoredEvent) -> (Status, Option<String>, Option<String>) {
    match &last.event.kind {
        EventKind::WorkflowCompleted(it) => (Status::Completed, Some(it.final_state.clone()), None),
        EventKind::WorkflowFailed(it) => {
            let error = render::workflow_failure(&it.cause);
            (Status::Failed, None, Some(error))
        }
        EventKind::WorkflowCancelled(_) => (Status::Cancelled, None, None),
        _ => (Status::Running, None, None),
    }
}

fn is_asked_for(
    child: &Account,
    named: &ParentOrigin,
    parent: Option<&Account>,
) -> Result<(), Violation> {
    let broken = |message: &str| Err(Violation::at(Law::Linked, child.record.id, 1, message));
    let Some(parent) = parent else {
        return broken("its parent is not there");
    };
    let above = parent.parent();
    let root = above.map_or(&named.execution_id, |it| &it.root);
    let depth = above.map_or(0, |it| it.depth) + 1;
    if (&named.root, named.depth) != (root, depth) {
        return broken("its root or its depth is not that of a child of its parent");
    }
    let is_it = |tie: &Tie| {
        (tie.sequence, &*tie.node_id, tie.attempt, tie.iteration)
            == (
                named.sequence,
                &*named.node_id,
                named.attempt,
                named.iteration,
            )
    };
    match ties(parent)?.iter().any(is_it) {
        true => Ok(()),
        false => broken("its parent has not asked for it there"),
    }
}

/// For each child that was asked for, the store keeps what is owed of it, and that is what
/// both logs leave open; of a child that its parent has given up, it was told so.
///
/// # Errors
/// The first child of which something else is stored.
pub fn law3_orders_are_carried_out(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    let mut known = 0;
    for account in &evidence.accounts {
        let id = account.record.id;
        let failed = |message: String| Violation::of(Law::Atomic, id, message);
        let ties = ties(account)?;
        for tie in &ties {
            let row = evidence.store.child(tie.child);
            let row = row.map_err(|error| failed(error.to_string()))?;
            let at = |message| Violation::at(Law::Atomic, id, tie.sequence, message);
            known += usize::from(row.is_some());
            let child = evidence
                .accounts
                .iter()
                .find(|account| account.record.id == tie.child);
            let state = row.as_ref().map(|row| &row.state);
            if !is_left(tie, child, state) {
                return Err(at(format!(
                    "of its child {} there is stored {state:?}, and its log says {tie:?}",
                    tie.child
                )));
            }
            let is_of_it = |row: &ChildRecord| {
                (row.parent, row.sequence) == (id, tie.sequence)
                    && (&row.node_id, row.attempt, row.iteration)
                        == (&tie.node_id, tie.attempt, tie.iteration)
            };
            if row.as_ref().is_some_and(|row| !is_of_it(row)) {
                return Err(at(format!(
                    "what is stored of its child is of another: {row:?}"
                )));
            }
        }
        let rows = evidence.store.children(id);
        let rows = rows.map_err(|error| failed(error.to_string()))?;
        if let Some(row) = rows
            .iter()
            .find(|row| !ties.iter().any(|tie| tie.child == row.child))
        {
            return Err(failed(format!("it has not asked for {row:?}")));
        }
    }
    let owed = evidence.store.owed_children(usize::MAX);
    match owed {
        Ok(owed) if owed.found.len() <= known && owed.damaged.is_empty() => Ok(()),
        Ok(owed) => Err(Violation::general(
            Law::Atomic,
            format!("more is owed than was asked for: {owed:?}"),
        )),
        Err(error) => Err(Violation::general(Law::Atomic, error.to_string())),
    }
}

/// Whether this is what both logs leave to be done of a child.
fn is_left(tie: &Tie, child: Option<&Account>, state: Option<&ChildState>) -> bool {
    let has_ended = child.is_some_and(|child| ended(child.record.status));
    let is_begun = tie.started.is_some();
    match state {
        None => !is_begun && (tie.is_refused || tie.is_stopped),
        Some(ChildState::Requested { .. }) => !is_begun && !tie.is_refused && !tie.is_stopped,
        _ if !is_begun || tie.is_refused => false,
        Some(ChildState::Awaited) => {
            !tie.is_detached && !tie.is_stopped && tie.ended.is_none() && !has_ended
        }
        Some(ChildState::Ended) => {
            !tie.is_detached && !tie.is_stopped && tie.ended.is_none() && has_ended
        }
        Some(ChildState::Cancelled) => tie.is_stopped,
        Some(ChildState::Settled) if tie.is_stopped => {
            has_ended || child.is_some_and(was_asked_to_end)
        }
        Some(ChildState::Settled) => tie.is_detached || tie.ended.is_some(),
    }
}

fn was_asked_to_end(child: &Account) -> bool {
    let mut log = child.log();
    log.any(|event| matches!(event.kind, EventKind::CancelRequested(_)))
}
