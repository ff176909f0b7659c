//! Within a turn: what callers and workers said, in order of arrival.
//!
//! What is said to an execution that is owed a step, or whose calls are costly,
//! comes after the others; what does not fit into the turn waits for the next.
//! What waits keeps its place, and is answered when it is written.

use std::collections::BTreeSet;

use crate::error::EngineError;
use crate::id::ExecutionId;

use super::budget::Phase;
use super::open_turn::OpenTurn;
use super::write::Write;

/// Which of the turn's writes wait.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Their places.
    pub(crate) places: BTreeSet<usize>,
    /// Executions to which one of them is said: what follows it waits, too.
    executions: BTreeSet<ExecutionId>,
    /// How many of the places were tried again.
    tried: usize,
    /// What is done now; none: it is no write.
    now: Option<Phase>,
    /// What is done now has to wait.
    has_to: bool,
}

impl OpenTurn<'_> {
    /// Do what was said, from this place on.
    pub(crate) fn apply(
        &mut self,
        writes: &mut [Box<dyn Write>],
        from: usize,
    ) -> Result<(), EngineError> {
        for place in from..writes.len() {
            if !self.may(Phase::Writes) || !self.apply_one(writes, place, Phase::Writes)? {
                self.waiting.places.insert(place);
            }
        }
        Ok(())
    }

    /// Do one thing that had to come after the others. Says whether there was one.
    pub(crate) fn apply_late(
        &mut self,
        writes: &mut [Box<dyn Write>],
    ) -> Result<bool, EngineError> {
        while let Some(place) = self
            .waiting
            .places
            .range(self.waiting.tried..)
            .next()
            .copied()
        {
            let before = self.budget.assured();
            if !self.may(Phase::LateWrites) {
                break;
            }
            self.waiting.tried = place + 1;
            if self.apply_one(writes, place, Phase::LateWrites)? {
                self.waiting.places.remove(&place);
                return Ok(true);
            }
            // It took nothing.
            self.budget.assure(before);
        }
        self.cut |= !self.waiting.places.is_empty();
        Ok(false)
    }

    /// Says whether it was done; otherwise it has to wait.
    fn apply_one(
        &mut self,
        writes: &mut [Box<dyn Write>],
        place: usize,
        phase: Phase,
    ) -> Result<bool, EngineError> {
        self.waiting.now = Some(phase);
        self.waiting.has_to = false;
        let applied = writes[place].apply(self);
        self.waiting.now = None;
        applied.map(|()| !self.waiting.has_to)
    }

    /// Whether what is done now has to wait: then it is done again.
    pub(in crate::live) fn waits(&self) -> bool {
        self.waiting.has_to
    }

    /// Whether no fact may be appended to this execution now. If that was about
    /// to be done for a caller, the caller waits.
    pub(in crate::live) fn has_to_wait(&mut self, id: ExecutionId) -> Result<bool, EngineError> {
        let owed = self.open(id)?.owed;
        if owed {
            self.late.push(id);
        }
        let waits = owed
            || match self.waiting.now {
                Some(Phase::Writes) => {
                    self.core.costly.contains(id) || self.waiting.executions.contains(&id)
                }
                _ => false,
            };
        if waits && self.waiting.now.is_some() {
            self.waiting.has_to = true;
            self.waiting.executions.insert(id);
        }
        Ok(waits)
    }
}
