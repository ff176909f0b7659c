//! Logs that were tampered with, within a turn: they leave it, are marked, and
//! are checked anew. Those that are newer than this program leave it too, and
//! nothing is marked: nothing is wrong with them.

use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::store::{ExecutionChange, ExecutionRecord, StoreError, Tampering};

use super::damaged::{may_come_in, set_aside_as_newer, set_aside_as_tampered};
use super::stored;
use super::transaction::Transaction;
use crate::live::execution::checked;
use crate::live::execution::staged::Staged;

/// Takes an execution out of the turn, if this error says that its log is not
/// what was written, or is newer than this program. Where the turn holds a part of it already, the turn is done
/// anew, so that nobody is told of anything that is not written.
pub(in crate::live) fn leave_out(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    error: &StoreError,
) {
    match error {
        StoreError::Tampered {
            sequence, message, ..
        } => {
            let tampering = Tampering {
                sequence: *sequence,
                message: message.clone(),
            };
            set_aside_as_tampered(transaction.core, id, tampering);
        }
        StoreError::NewerEvent { sequence, kind, .. } => {
            let error = StoreError::NewerEvent {
                place: transaction.core.store.get().place(),
                execution: id,
                sequence: *sequence,
                kind: kind.clone(),
            };
            set_aside_as_newer(transaction.core, id, error);
        }
        StoreError::NoCompiler { .. } => {
            // A guest that the turn has just handed it to gives it back.
            let staged = transaction.staged.get(&id);
            if staged.is_some_and(|staged| staged.is_handed_over()) {
                return;
            }
            let error = StoreError::NoCompiler {
                place: transaction.core.store.get().place(),
                execution: id,
            };
            set_aside_as_newer(transaction.core, id, error);
        }
        StoreError::NewerThanGuest {
            sequence,
            what,
            version,
            ..
        } => {
            // A guest that the turn has just handed it to gives it back.
            let staged = transaction.staged.get(&id);
            if staged.is_some_and(|staged| staged.is_handed_over()) {
                return;
            }
            let error = StoreError::NewerThanGuest {
                place: transaction.core.store.get().place(),
                execution: id,
                sequence: *sequence,
                what: what.clone(),
                version,
            };
            set_aside_as_newer(transaction.core, id, error);
        }
        _ => return,
    }
    transaction.to_step.remove(&id);
    if let Some(staged) = transaction.staged.remove(&id) {
        transaction.is_undone |= staged.has_changed();
        let digest = &staged.record.guest_digest;
        transaction.core.guests.forget(digest, id);
    }
}

/// Takes an execution out of the turn of which a row of the children is damaged. The turn is
/// done anew without it: what it holds of it cannot be written as a whole.
pub(in crate::live) fn leave_out_for_rows(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    error: &StoreError,
) {
    let damage = StoreError::Corrupt {
        place: transaction.core.store.get().place(),
        detail: format!("what is kept of its children, or of it as a child: {error}"),
    };
    transaction.core.set_aside.add(id, &Arc::new(damage));
    transaction.to_step.remove(&id);
    transaction.is_undone = true;
    if let Some(staged) = transaction.staged.remove(&id) {
        let digest = &staged.record.guest_digest;
        transaction.core.guests.forget(digest, id);
    }
}

/// Writes the marks of tampered logs with this turn.
pub(in crate::live) fn mark(transaction: &mut Transaction<'_>) {
    let core = &mut *transaction.core;
    for (id, tampering) in core.set_aside.unmarked.clone() {
        if core.conflicts.holds(id) {
            continue;
        }
        // Where not even the record can be read, no mark can be made.
        if let Ok(Some(record)) = core.store.get().execution(id)
            && record.tampering.as_ref() != Some(&tampering)
        {
            core.known.take(id);
            transaction.besides.executions.push(ExecutionChange {
                expected: record.head,
                events: Vec::new(),
                record: ExecutionRecord {
                    tampering: Some(tampering),
                    ..record
                },
                items: Vec::new(),
            });
        }
    }
}

/// Checks the whole log of an execution anew, and lifts its mark if it holds.
pub(in crate::live) fn check_anew(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
) -> Result<(), EngineError> {
    if transaction.staged.contains_key(&id) {
        return Ok(());
    }
    let core = &mut *transaction.core;
    may_come_in(core, id)?;
    core.set_aside.forget(id);
    let record = stored::record(core, id)?;
    let marked = record.tampering.is_some();
    if let Some(tampering) = checked::tampering(core.store.get(), &record)? {
        let error = set_aside_as_tampered(core, id, tampering);
        return Err(EngineError::Store(error));
    }
    if !marked {
        return transaction.open(id).map(drop);
    }
    let mut known = stored::execution(core, id)?;
    known.record.tampering = None;
    tracing::info!(refrain.execution = %id, "its log holds; it is no longer set aside");
    let staged = Box::new(Staged::lifted(known, transaction.core.random.salts()));
    transaction.staged.insert(id, staged);
    transaction.step_later(id);
    // What waits for workers is found when the mark is gone.
    transaction.budget.cut_off();
    Ok(())
}
