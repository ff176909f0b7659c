//! Within a turn: a guest that fails, or does not take what must be. Its
//! execution is stalled and says so (law 9), and the others go on.

use crate::contract::{EventKind, OperatorNote, Origin, Stalled, Status};
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::TEXT_BYTES_MAX;
use crate::store::{StoreError, ended};

use super::open_turn::OpenTurn;
use crate::live::cache::instances::Failure;
use crate::live::values::shorten::shortened;

impl OpenTurn<'_> {
    /// The guest failed twice at this execution: say so in its log (law 9).
    pub(in crate::live) fn stall(
        &mut self,
        id: ExecutionId,
        reason: &str,
    ) -> Result<(), EngineError> {
        // A turn that is not written is done anew, and comes here anew.
        if let Some(told) = self.core.troubles.happens(&format!("stall {id}"), reason) {
            tracing::error!(refrain.execution = %id, "stalled: {told}");
        }
        // Room for what else the sentence says.
        let reason = shortened(reason, TEXT_BYTES_MAX - 1024);
        let reason = format!(
            "the scheduler could not go on: {reason}; when that is mended, `refrain resume {id}` lifts the stall"
        );
        let event = self.next_event(
            id,
            Origin::Fact,
            EventKind::Stalled(Stalled {
                reason,
                node_id: None,
            }),
        )?;
        self.append(id, event)?;
        let staged = self.open(id)?;
        staged.held = true;
        staged.owed = false;
        staged.record.status = Status::Stalled;
        staged.record.next_wake = None;
        let digest = staged.record.guest_digest.clone();
        self.core.guests.forget(&digest, id);
        Ok(())
    }

    /// Let a stalled execution go on. The guest is not asked: it failed.
    pub(crate) fn lift(&mut self, id: ExecutionId, note: OperatorNote) -> Result<(), EngineError> {
        if !self.open(id)?.held {
            return Err(EngineError::Refused {
                execution: id,
                reason: "it is not stalled by a failing scheduler component; a node that a retry policy stalled on is retried or skipped, \
                    and a pause is ended with unpause"
                    .to_owned(),
            });
        }
        let event = self.next_event(id, Origin::Fact, EventKind::StallLifted(note))?;
        self.append(id, event)?;
        let staged = self.open(id)?;
        staged.held = false;
        staged.record.status = Status::Running;
        self.touch(id);
        Ok(())
    }

    /// A guest's refusal is the caller's answer; its failure is also the
    /// execution's stall.
    pub(in crate::live) fn refused(&mut self, id: ExecutionId, failure: Failure) -> EngineError {
        if let Failure::Store(error @ StoreError::Tampered { .. }) = failure {
            return error.into();
        }
        let Some(staged) = self.staged.get(&id) else {
            return EngineError::UnknownExecution(id);
        };
        let digest = staged.record.guest_digest.clone();
        let reason = match &failure {
            Failure::Broken(reason) => Some(reason.clone()),
            // One that is damaged does not stop the others.
            Failure::Store(error @ StoreError::Corrupt { .. }) => Some(error.to_string()),
            Failure::Store(_) | Failure::Refused(_) => None,
        };
        if let Some(Err(error)) = reason.map(|reason| self.stall_once(id, &reason)) {
            return error;
        }
        failure.into_engine_error(id, &digest)
    }

    /// Stall an execution that has begun, neither ended nor is stalled so already.
    fn stall_once(&mut self, id: ExecutionId, reason: &str) -> Result<(), EngineError> {
        let staged = self.open(id)?;
        let begun = staged.record.head.sequence > 0;
        if begun && !staged.held && !ended(staged.record.status) {
            self.stall(id, reason)?;
        }
        Ok(())
    }

    /// The guest does not take a fact that must be: an item that it ordered is
    /// begun, or ends. The execution says so in its log (law 9), and the others
    /// go on.
    pub(in crate::live) fn must_have_taken(
        &mut self,
        id: ExecutionId,
        error: EngineError,
    ) -> Result<(), EngineError> {
        match error {
            EngineError::Refused { reason, .. } => self.stall_once(id, &reason),
            // That has stalled it already.
            EngineError::Guest { .. } => Ok(()),
            EngineError::Store(error) if error.is_of_one() => Ok(()),
            error => Err(error),
        }
    }
}
