//! What one execution has ordered of another is carried out: children are started and
//! cancelled, and parents are told of their ends (law 3, rule R22).
//!
//! It is done in the turn in which it was ordered, as long as that has something left,
//! else in the next. Who has to wait, or is left out of the turn, keeps what it is owed.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::{CancelRequested, ChildEnded, Digest, EventKind, RefusalCode};
use crate::store::{ChildEnd, ChildRecord, ChildState, ended};

use super::believed_rows::{contradiction, misnamed, set_aside};
use super::budget::Phase;
use super::child_rows::{keep, leave, load, may_be_any, row, stays_unproven};
use super::child_start::start;
use super::open_turn::OpenTurn;
use super::stall::stall;
use super::transaction::Transaction;

/// Carries out what is owed, as far as the turn reaches. Says whether anything was.
pub(in crate::live) fn carry_out(turn: &mut OpenTurn<'_>) -> Result<bool, EngineError> {
    if !may_be_any(&turn.transaction) {
        return Ok(false);
    }
    load(&mut turn.transaction)?;
    let mut moved = false;
    while let Some(child) = turn.transaction.children.next_owed() {
        let Some(record) = row(&mut turn.transaction, child)?.filter(ChildRecord::is_owed) else {
            continue;
        };
        if !is_ours(&turn.transaction, &record) {
            stays_unproven(&mut turn.transaction);
            continue;
        }
        if !turn.transaction.may(Phase::Steps) {
            leave(&mut turn.transaction);
            turn.transaction.budget.cut_off();
            break;
        }
        if !is_believed(turn, &record)? {
            continue;
        }
        let done = match record.state {
            ChildState::Requested { .. } => match waits(turn, record.parent) {
                Ok(false) => start(turn, record),
                waits => waits.map(|_| false),
            },
            ChildState::Cancelled => cancel(turn, record),
            ChildState::Ended => tell(turn, record),
            ChildState::Awaited | ChildState::Settled => Ok(true),
        };
        match done {
            Ok(true) => moved = true,
            Ok(false) => {
                leave(&mut turn.transaction);
                turn.transaction.budget.cut_off();
            }
            // An execution that is damaged or left out does not stop the others.
            Err(EngineError::Store(error)) if !error.is_of_one() => {
                return Err(EngineError::Store(error));
            }
            Err(error) => {
                tracing::warn!(refrain.execution = %child, "what is owed of a child waits: {error}");
                leave(&mut turn.transaction);
            }
        }
    }
    Ok(moved)
}

/// Whether the engine works on one of both: as it does on what began in this turn.
fn is_ours(transaction: &Transaction<'_>, record: &ChildRecord) -> bool {
    [record.parent, record.child].into_iter().any(|id| {
        let staged = transaction.staged.get(&id);
        transaction.core.scope.includes(id)
            || staged.is_some_and(|staged| staged.status_before.is_none())
    })
}

/// Whether what is stored as owed is what the logs say. One that it is not is set aside, and
/// all others go on. Of what this engine has written, only the names are asked about.
fn is_believed(turn: &mut OpenTurn<'_>, record: &ChildRecord) -> Result<bool, EngineError> {
    let transaction = &mut turn.transaction;
    let is_own = transaction.children.changed.contains_key(&record.child)
        || !transaction.children.is_unproven;
    let found = match misnamed(record) {
        None if is_own => return Ok(true),
        None => contradiction(transaction, record),
        misnamed => Ok(misnamed),
    };
    match found {
        Ok(None) => Ok(true),
        Ok(Some(detail)) => {
            set_aside(transaction, record, detail)?;
            Ok(false)
        }
        // It is told where it is carried out.
        Err(EngineError::Store(error)) if !error.is_of_one() => Err(EngineError::Store(error)),
        Err(_) => Ok(true),
    }
}

/// Whether this execution can be told nothing in this turn.
fn waits(turn: &mut OpenTurn<'_>, id: ExecutionId) -> Result<bool, EngineError> {
    if turn.comes_next_turn(id) {
        return Ok(true);
    }
    turn.catch_up(id)?;
    turn.has_to_wait(id)
}

/// Asks for the end of a child that nobody waits for any more.
fn cancel(turn: &mut OpenTurn<'_>, record: ChildRecord) -> Result<bool, EngineError> {
    let child = record.child;
    if !ended(turn.transaction.open(child)?.record.status) {
        if waits(turn, child)? {
            return Ok(false);
        }
        turn.transaction.links.link(record.parent, child);
        let fact = EventKind::CancelRequested(CancelRequested {
            reason: None,
            by: None,
        });
        match turn.offer(child, fact) {
            // It ended meanwhile, or somebody has asked for it already.
            Ok(_) | Err(EngineError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let state = ChildState::Settled;
    keep(&mut turn.transaction, ChildRecord { state, ..record });
    Ok(true)
}

/// Tells a parent that its child has ended.
fn tell(turn: &mut OpenTurn<'_>, record: ChildRecord) -> Result<bool, EngineError> {
    let (parent, child) = (record.parent, record.child);
    if waits(turn, parent)? {
        return Ok(false);
    }
    let transaction = &mut turn.transaction;
    let head = transaction.open(child)?.record.head;
    let last = transaction
        .events(child, head.sequence, 1)?
        .into_iter()
        .next();
    let end = last.and_then(|stored| ChildEnd::of(&stored.event.kind));
    let Some(end) = end else {
        let detail =
            "it says that the child has ended, and the child's log does not end".to_owned();
        set_aside(transaction, &record, detail)?;
        return Ok(false);
    };
    let fact = EventKind::ChildEnded(ChildEnded {
        node_id: record.node_id.clone(),
        attempt: record.attempt,
        iteration: record.iteration,
        child_id: child.to_string(),
        status: end.status,
        sequence: head.sequence,
        head: Digest(head.hash),
        output: end.output,
        error: end.error,
    });
    transaction.links.link(parent, child);
    match turn.offer(parent, fact) {
        Ok(_) => {}
        Err(EngineError::Refused {
            code: RefusalCode::Ended,
            ..
        }) => {}
        // A scheduler that does not take what it waits for has failed.
        Err(EngineError::Refused { reason, .. }) if !turn.transaction.open(parent)?.held => {
            stall(&mut turn.transaction, parent, &reason)?;
            return Err(EngineError::Refused {
                execution: parent,
                code: RefusalCode::Held,
                reason,
            });
        }
        Err(error) => return Err(error),
    }
    // The parent may have asked for the next child of this node meanwhile: that is another.
    let state = ChildState::Settled;
    keep(&mut turn.transaction, ChildRecord { state, ..record });
    Ok(true)
}
