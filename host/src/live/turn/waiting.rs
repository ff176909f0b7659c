//! Which of a turn's writes have to wait.

use std::collections::BTreeSet;

use crate::id::ExecutionId;

use super::budget::Phase;
use super::costly::Costly;

/// The writes of a turn that have to wait for executions which come after the
/// others, or for the next turn.
#[derive(Debug, Default)]
pub(crate) struct WaitingWrites {
    /// Their places.
    places: BTreeSet<usize>,
    /// The executions that they wait for: what follows for these waits, too.
    executions: BTreeSet<ExecutionId>,
    /// How many of the places were tried again.
    tried: usize,
    /// The phase of the write that is being applied; `None` between writes.
    applied_in: Option<Phase>,
    /// The write that is being applied has to wait.
    has_to_wait: bool,
}

impl WaitingWrites {
    /// A write of this phase is about to be applied.
    pub(in crate::live) fn begin(&mut self, phase: Phase) {
        self.applied_in = Some(phase);
        self.has_to_wait = false;
    }

    /// The write has been applied. Says whether it was done; otherwise it has to
    /// wait.
    pub(in crate::live) fn end(&mut self) -> bool {
        self.applied_in = None;
        !self.has_to_wait
    }

    /// The phase of the write that is being applied; `None` between writes.
    pub(in crate::live) fn applied_in(&self) -> Option<Phase> {
        self.applied_in
    }

    /// Whether a write waits for this execution.
    fn wait_for(&self, id: ExecutionId) -> bool {
        self.executions.contains(&id)
    }

    /// Whether the write that is being applied may tell this execution nothing yet,
    /// because it comes after the others.
    pub(in crate::live) fn comes_later(&self, costly: &Costly, id: ExecutionId) -> bool {
        self.applied_in == Some(Phase::Writes) && (costly.contains(id) || self.wait_for(id))
    }

    /// The write that is being applied comes after the others: nothing came of it. One
    /// that did already is not asked again.
    pub(in crate::live) fn come_later(&mut self) {
        self.has_to_wait |= self.applied_in == Some(Phase::Writes);
    }

    /// The write that is being applied has to wait for this execution.
    pub(in crate::live) fn block(&mut self, id: ExecutionId) {
        self.has_to_wait = true;
        self.executions.insert(id);
    }

    /// Whether the write that is being applied has to wait: it is applied again
    /// then.
    pub(in crate::live) fn is_blocked(&self) -> bool {
        self.has_to_wait
    }

    /// The write of this place waits.
    pub(in crate::live) fn push(&mut self, place: usize) {
        self.places.insert(place);
    }

    /// The first place that was not tried again yet.
    pub(in crate::live) fn next(&self) -> Option<usize> {
        self.places.range(self.tried..).next().copied()
    }

    /// The write of this place is tried again now.
    pub(in crate::live) fn try_again(&mut self, place: usize) {
        self.tried = place + 1;
    }

    /// The write of this place was done.
    pub(in crate::live) fn done(&mut self, place: usize) {
        self.places.remove(&place);
    }

    pub(in crate::live) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The places of the writes that go into the next turn.
    pub(in crate::live) fn into_places(self) -> BTreeSet<usize> {
        self.places
    }
}
