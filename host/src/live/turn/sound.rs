//! What is read of executions, without those that are set aside.

use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::store::{ItemRecord, Many, StoreError, Tampering};

use super::core::Core;
use super::scope::Agenda;
use crate::live::execution::cached::CachedExecution;
use crate::live::execution::checked;

impl Core {
    /// An execution and all its work items, unless it is set aside.
    pub(crate) fn sound(&mut self, id: ExecutionId) -> Result<CachedExecution, EngineError> {
        if let Some(error) = self.set_aside.why(id) {
            return Err(error);
        }
        let found = self
            .execution(id)
            .and_then(|known| match known.record.tampering.clone() {
                Some(tampering) => Err(self.tampered(id, tampering).into()),
                None => Ok(known),
            });
        if let Err(EngineError::Store(error)) = &found
            && error.is_of_one()
        {
            self.set_aside.add(id, error);
        }
        found
    }

    pub(in crate::live) fn tampered(
        &mut self,
        id: ExecutionId,
        tampering: Tampering,
    ) -> StoreError {
        checked::error(self.store.get().place(), id, tampering)
    }

    /// A turn could not be written because of this execution. If its log is to
    /// blame it will be marked; a mark that cannot be written is left out.
    /// Says whether the turn can be tried without it.
    pub(crate) fn damaged_at_commit(&mut self, id: ExecutionId, error: StoreError) -> bool {
        let error = Arc::new(error);
        if self.set_aside.unmarked.remove(&id).is_some() {
            return true;
        }
        let record = self.store.get().execution(id);
        if let Ok(Some(record)) = record
            && let Ok(Some(tampering)) = checked::tampering(self.store.get(), &record)
        {
            let error = Arc::new(self.tampered(id, tampering.clone()));
            let news = !self.set_aside.holds(id);
            self.set_aside.mark(id, tampering, &error);
            return news;
        }
        self.set_aside.add(id, &error)
    }

    /// Look for `max` of many that there are to do, of executions that are not set aside:
    /// asked for anew where these hide others. Says whether those are all.
    pub(crate) fn look<T>(
        &mut self,
        max: usize,
        mut ask: impl FnMut(&mut Agenda<'_>, usize) -> Result<Many<T>, StoreError>,
        of: impl Fn(&T) -> Option<ExecutionId>,
    ) -> Result<(Vec<T>, bool), StoreError> {
        let mut page = max;
        loop {
            let many = ask(&mut self.agenda(), page)?;
            let is_last = many.found.len() < page;
            let mut found = self.set_aside.named(many);
            found.retain(|row| !of(row).is_some_and(|id| self.set_aside.holds(id)));
            if is_last || found.len() >= max {
                let all = is_last && found.len() <= max;
                found.truncate(max);
                return Ok((found, all));
            }
            page = page.saturating_mul(2);
        }
    }
}

/// The execution that a work item is of.
pub(in crate::live) fn execution_of(record: &ItemRecord) -> Option<ExecutionId> {
    record.item.execution_id.parse().ok()
}
