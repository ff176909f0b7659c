//! Within a turn: what is damaged leaves it, and the others go on.

use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::store::{ExecutionChange, ExecutionRecord, StoreError, Tampering};

use super::open_turn::OpenTurn;
use crate::live::execution::checked;
use crate::live::execution::staged::Staged;

impl OpenTurn<'_> {
    /// What concerns this execution alone ends nothing else: none, and it is
    /// set aside.
    pub(in crate::live) fn others_go_on<T>(
        &mut self,
        id: ExecutionId,
        done: Result<T, EngineError>,
    ) -> Result<Option<T>, EngineError> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(EngineError::Store(error)) if error.is_of_one() => {
                self.core.set_aside.add(id, &error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A guest was about to read this execution's log, and it is not what was
    /// written. Nothing of it stays in the turn; where the turn holds something
    /// of it already, that is done anew, so that nobody is told of what is not
    /// written.
    pub(in crate::live) fn found_tampered(&mut self, id: ExecutionId, error: &StoreError) {
        let StoreError::Tampered {
            sequence, message, ..
        } = error
        else {
            return;
        };
        let tampering = Tampering {
            sequence: *sequence,
            message: message.clone(),
        };
        let error = Arc::new(self.core.tampered(id, tampering.clone()));
        self.core.set_aside.mark(id, tampering, &error);
        self.dirty.remove(&id);
        if let Some(staged) = self.staged.remove(&id) {
            self.undone |= staged.has_changed();
            let digest = &staged.record.guest_digest;
            self.core.guests.forget(digest, id);
        }
    }

    /// The marks that are to be written with this turn.
    pub(crate) fn mark_tampered(&mut self) {
        for (id, tampering) in self.core.set_aside.unmarked.clone() {
            // Where not even the record can be read, no mark can be made.
            if let Ok(Some(record)) = self.core.store.get().execution(id)
                && record.tampering.as_ref() != Some(&tampering)
            {
                self.core.known.take(id);
                self.marks.push(ExecutionChange {
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

    /// Check the whole log of an execution anew, and lift its mark if it holds.
    pub(crate) fn check_anew(&mut self, id: ExecutionId) -> Result<(), EngineError> {
        if self.staged.contains_key(&id) {
            return Ok(());
        }
        self.core.set_aside.forget(id);
        let record = self.core.record(id)?;
        let marked = record.tampering.is_some();
        if let Some(tampering) = checked::tampering(self.core.store.get(), &record)? {
            let error = Arc::new(self.core.tampered(id, tampering.clone()));
            self.core.set_aside.mark(id, tampering, &error);
            return Err(EngineError::Store(error));
        }
        if !marked {
            return self.open(id).map(drop);
        }
        let mut known = self.core.execution(id)?;
        known.record.tampering = None;
        tracing::info!(refrain.execution = %id, "its log holds; it is no longer set aside");
        self.staged.insert(id, Box::new(Staged::lifted(known)));
        self.touch(id);
        // What waits for workers is found when the mark is gone.
        self.cut = true;
        Ok(())
    }
}
