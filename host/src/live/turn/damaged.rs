//! Executions that are damaged are set aside, and all others go on.

use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::RefusalCode;
use crate::store::{Many, StoreError, Tampering};

use super::agenda::Agenda;
use super::core::Core;
use super::stored::execution;
use crate::live::execution::cached::CachedExecution;
use crate::live::execution::checked;

/// An execution and all its work items, unless it is set aside, or left out of the turn.
pub(in crate::live) fn undamaged(
    core: &mut Core,
    id: ExecutionId,
) -> Result<CachedExecution, EngineError> {
    may_come_in(core, id)?;
    if let Some(error) = core.set_aside.why(id) {
        return Err(error);
    }
    let found = execution(core, id).and_then(|known| match known.record.tampering.clone() {
        Some(tampering) => Err(tampered(core, id, tampering).into()),
        None => Ok(known),
    });
    if let Err(EngineError::Store(error)) = &found
        && error.is_of_one()
    {
        core.set_aside.add(id, error);
    }
    found
}

/// Fails if this execution is left out of the turn, because writes to it conflict.
pub(in crate::live) fn may_come_in(core: &mut Core, id: ExecutionId) -> Result<(), EngineError> {
    core.conflicts.meet(id).map_or(Ok(()), Err)
}

/// The error of an execution whose log was tampered with.
pub(in crate::live) fn tampered(
    core: &mut Core,
    id: ExecutionId,
    tampering: Tampering,
) -> StoreError {
    checked::error(core.store.get().place(), id, tampering)
}

/// Sets an execution aside whose log was tampered with; the next turn that is
/// written marks it in the store.
pub(in crate::live) fn set_aside_as_tampered(
    core: &mut Core,
    id: ExecutionId,
    tampering: Tampering,
) -> Arc<StoreError> {
    let error = Arc::new(tampered(core, id, tampering.clone()));
    core.set_aside.mark(id, tampering, &error);
    error
}

/// Sets an execution aside whose log holds what this program does not know, or what
/// its guest cannot. Nothing of it is written.
pub(in crate::live) fn set_aside_as_newer(core: &mut Core, id: ExecutionId, error: StoreError) {
    core.set_aside.add(id, &Arc::new(error));
}

/// Ends nothing because of an error that concerns this execution alone: `None`,
/// and it is set aside. One that has ended, or is erased since somebody remembered it,
/// is left as it is: nothing follows on it.
pub(in crate::live) fn or_set_aside<T>(
    core: &mut Core,
    id: ExecutionId,
    done: Result<T, EngineError>,
) -> Result<Option<T>, EngineError> {
    let has_ended = |error: &EngineError| {
        let code = match error {
            EngineError::Refused { code, .. } => Some(*code),
            _ => None,
        };
        code == Some(RefusalCode::Ended)
    };
    if done.as_ref().is_err_and(has_ended) {
        return Ok(None);
    }
    core.set_aside.others_go_on(id, done)
}

/// A turn could not be written because of this execution. If its log is to blame
/// it will be marked; a mark that cannot be written is left out. Says whether the
/// turn can be tried without it.
pub(in crate::live) fn damaged_at_commit(
    core: &mut Core,
    id: ExecutionId,
    error: StoreError,
) -> bool {
    let error = Arc::new(error);
    if core.set_aside.unmarked.remove(&id).is_some() {
        return true;
    }
    let record = core.store.get().execution(id);
    if let Ok(Some(record)) = record
        && let Ok(Some(tampering)) = checked::tampering(core.store.get(), &record)
    {
        let news = !core.set_aside.holds(id);
        set_aside_as_tampered(core, id, tampering);
        return news;
    }
    core.set_aside.add(id, &error)
}

/// Looks for the first `max` of what there is to do, of executions that are neither
/// set aside nor left out of the turn: the question is repeated with a larger `max` where these hide others.
pub(in crate::live) fn look<T>(
    core: &mut Core,
    max: usize,
    mut ask: impl FnMut(&mut Agenda<'_>, usize) -> Result<Many<T>, StoreError>,
    of: impl Fn(&T) -> Option<ExecutionId>,
) -> Result<Vec<T>, StoreError> {
    let mut page = max;
    loop {
        let many = ask(&mut core.agenda(), page)?;
        let is_last = many.found.len() < page;
        let mut found = core.set_aside.named(many);
        let (set_aside, conflicts) = (&core.set_aside, &core.conflicts);
        let is_left_alone = |id| set_aside.holds(id) || conflicts.holds(id);
        found.retain(|row| !of(row).is_some_and(is_left_alone));
        if is_last || found.len() >= max {
            found.truncate(max);
            return Ok(found);
        }
        page = page.saturating_mul(2);
    }
}
