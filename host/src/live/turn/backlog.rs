//! What one turn leaves to the next: who comes first there.
//!
//! A turn works on a copy, so that a turn which is not written changes nothing.

use std::collections::BTreeSet;

use hashlink::LinkedHashMap;

use crate::id::ExecutionId;
use crate::limits::PAST_WAKE_PAUSE_MS;
use crate::store::{DueWake, Timestamp};

use crate::live::values::work::ClaimId;

/// What one turn leaves to the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backlog {
    /// How far the engine has come with executions that are due.
    pub(in crate::live) due: DueRounds,
    /// Executions that come after the others.
    pub(in crate::live) late: LateQueue,
    /// The group of workers that claims first.
    pub(in crate::live) first_group: usize,
    /// The claims of simulated workers, and when each is to be answered.
    pub(in crate::live) simulated: BTreeSet<(Timestamp, ClaimId)>,
}

impl Backlog {
    /// When time alone asks for a turn because of what is left.
    pub(in crate::live) fn next_due(&self) -> Option<Timestamp> {
        let answer = self.simulated.first().map(|(at, _)| *at);
        answer.into_iter().chain(self.due.again_at).min()
    }
}

/// How far the engine has come with executions that are due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DueRounds {
    /// The wake behind which the next turn goes on; `None`: from the beginning.
    after: Option<DueWake>,
    /// When to look again, though nothing new is due then.
    again_at: Option<Timestamp>,
}

impl DueRounds {
    /// The wake behind which this turn begins.
    pub(in crate::live) fn after(self) -> Option<DueWake> {
        self.after
    }

    /// A turn was cut off behind `last`.
    pub(in crate::live) fn cut_behind(last: Option<DueWake>) -> Self {
        Self {
            after: last,
            again_at: None,
        }
    }

    /// A round has come to its end.
    pub(in crate::live) fn done() -> Self {
        Self::default()
    }

    /// The engine looks again after a pause: at the same reading of the clock an
    /// execution that was just stepped would decide the same.
    pub(in crate::live) fn look_again_after(&mut self, now: Timestamp) {
        let at = now.saturating_add(PAST_WAKE_PAUSE_MS);
        self.again_at.get_or_insert(at);
    }
}

/// Executions that come after the others, one after another: those that are owed
/// a step, and those that are due and costly.
#[derive(Clone, Debug, Default)]
pub(crate) struct LateQueue(LinkedHashMap<ExecutionId, ()>);

impl LateQueue {
    /// Puts an execution at the end of the queue, unless it is in it already.
    pub(in crate::live) fn push(&mut self, id: ExecutionId) {
        if !self.0.contains_key(&id) {
            self.0.insert(id, ());
        }
    }

    /// Takes the first one, unless it is one of these.
    pub(in crate::live) fn pop_unless(
        &mut self,
        served: &BTreeSet<ExecutionId>,
    ) -> Option<ExecutionId> {
        let first = *self.0.front()?.0;
        if served.contains(&first) {
            return None;
        }
        self.0.pop_front().map(|(id, ())| id)
    }

    pub(in crate::live) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
