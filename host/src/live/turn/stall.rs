//! Stalls: a guest fails, or does not take a fact that must be taken. Its
//! execution says so in its log (law 9), and the others go on.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::TEXT_BYTES_MAX;
use crate::model::{EventKind, HostStalled, OperatorNote, Origin, RefusalCode, Status};
use crate::store::{StoreError, ended};

use super::guest_call::engine_error;
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::shorten::shortened;
use crate::trouble::IN_THE_LOG;

/// Stalls an execution whose guest failed twice: its log says so (law 9). The guest
/// is not asked.
pub(in crate::live) fn stall(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    reason: &str,
) -> Result<(), EngineError> {
    let stalled = stalled(transaction, id, reason);
    let event = transaction.next_event(id, Origin::Fact, stalled)?;
    transaction.append(id, event)?;
    let staged = transaction.open(id)?;
    staged.hold();
    let digest = staged.record.guest_digest.clone();
    transaction.core.guests.forget(&digest, id);
    Ok(())
}

/// The fact that a guest failed twice.
pub(in crate::live) fn stalled(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    reason: &str,
) -> EventKind {
    // A turn that is not written is done anew, and comes here anew.
    let troubles = &mut transaction.core.troubles;
    if let Some(told) = troubles.happens(&format!("stall {id}"), reason) {
        tracing::error!(target: IN_THE_LOG, { refrain.execution = %id }, "stalled: {told}");
    }
    let reason = shortened(reason, TEXT_BYTES_MAX).into_owned();
    EventKind::HostStalled(HostStalled { reason })
}

/// Lets a stalled execution go on. The guest is not asked, because it failed.
pub(in crate::live) fn lift(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    note: OperatorNote,
) -> Result<(), EngineError> {
    if !transaction.open(id)?.held {
        return Err(EngineError::Refused {
            execution: id,
            code: RefusalCode::NotHeld,
            reason: "it is not stalled by a failing scheduler component; a node that a retry policy stalled on is retried or skipped, \
                and a pause is ended with unpause"
                .to_owned(),
        });
    }
    let event = transaction.next_event(id, Origin::Fact, EventKind::StallLifted(note))?;
    transaction.append(id, event)?;
    let now = transaction.now();
    let staged = transaction.open(id)?;
    staged.held = false;
    staged.record.status = Status::Running;
    // What came to be due meanwhile is decided before it is told anything.
    staged.record.next_wake = Some(now);
    transaction.step_later(id);
    Ok(())
}

/// Answers a call that failed. A guest's refusal is the caller's answer; its
/// failure is also the execution's stall.
pub(in crate::live) fn refused(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    failure: Failure,
) -> EngineError {
    if let Failure::Store(
        error @ (StoreError::Tampered { .. }
        | StoreError::NewerEvent { .. }
        | StoreError::NewerThanGuest { .. }
        | StoreError::NoCompiler { .. }),
    ) = failure
    {
        return error.into();
    }
    let Some(staged) = transaction.staged.get(&id) else {
        return EngineError::UnknownExecution(id);
    };
    let digest = staged.record.guest_digest.clone();
    let reason = match &failure {
        Failure::Broken(reason) => Some(reason.clone()),
        // An execution that is damaged does not stop the others.
        Failure::Store(error @ StoreError::Corrupt { .. }) => Some(error.to_string()),
        Failure::Store(_) | Failure::Refused(_) => None,
    };
    if let Some(Err(error)) = reason.map(|reason| stall_once(transaction, id, &reason)) {
        return error;
    }
    engine_error(failure, id, &digest)
}

/// The guest does not take a fact that must be taken: an item that it ordered is
/// begun, or ends. The execution says so in its log (law 9), and the others go on.
pub(in crate::live) fn must_have_taken(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    error: EngineError,
) -> Result<(), EngineError> {
    match error {
        EngineError::Refused { reason, .. } => stall_once(transaction, id, &reason),
        // That has stalled it already.
        EngineError::Guest { .. } => Ok(()),
        error if error.is_of_one() => Ok(()),
        error => Err(error),
    }
}

/// Stalls an execution that has begun, and neither has ended nor is stalled already.
fn stall_once(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    reason: &str,
) -> Result<(), EngineError> {
    let staged = transaction.open(id)?;
    let begun = staged.record.head.sequence > 0;
    if begun && !staged.held && !ended(staged.record.status) {
        stall(transaction, id, reason)?;
    }
    Ok(())
}
