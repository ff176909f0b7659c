//! Executions whose writes conflict with those of others.
//!
//! A conflict concerns the executions that the store names, and those that are linked
//! with them. These are left out of the turn, which is filled anew without them, so that
//! nobody else waits; their own writes come into the next turn, which is due at once.
//! After so many conflicts in a row they rest for a while, and callers are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::{CONFLICTS_IN_A_ROW_MAX, STORE_RETRY_PAUSE};
use crate::store::StoreError;

/// The executions that have met conflicts of late.
#[derive(Debug, Default)]
pub(crate) struct Conflicts {
    executions: BTreeMap<ExecutionId, Conflicting>,
    /// An execution was asked for that is tried again in the next turn.
    was_met: bool,
}

#[derive(Debug)]
struct Conflicting {
    /// How many conflicts there were in a row.
    in_a_row: u32,
    /// What callers are told.
    error: Arc<StoreError>,
    /// Whether it is left out of the turn that is being filled.
    is_left_out: bool,
    /// The monotonic time until which it rests. `None` if it is tried again in the next
    /// turn.
    rests_until: Option<Duration>,
}

impl Conflicts {
    /// A turn begins at this monotonic time: what does not rest is tried again. Says
    /// whether any has rested until now, of which nothing was looked for meanwhile.
    pub(crate) fn begin_turn(&mut self, now: Duration) -> bool {
        let has_rested = self.has_rested(now);
        for it in self.executions.values_mut() {
            it.rests_until = it.rests_until.filter(|until| *until > now);
            it.is_left_out = it.rests_until.is_some();
        }
        has_rested
    }

    /// These executions conflict, for this reason: they are left out of the turn. Answers
    /// what callers are told from now on, of those that have had their tries. `None` if a
    /// turn without them is no other turn: all are left out already, or there are none.
    pub(crate) fn leave_out(
        &mut self,
        executions: &BTreeSet<ExecutionId>,
        now: Duration,
        error: impl Fn(ExecutionId) -> StoreError,
    ) -> Option<Vec<Arc<StoreError>>> {
        let is_progress = executions.iter().any(|id| !self.holds(*id));
        let mut told = Vec::new();
        for id in executions {
            let error = Arc::new(error(*id));
            let it = self.executions.entry(*id).or_insert_with(|| Conflicting {
                in_a_row: 0,
                error: Arc::clone(&error),
                is_left_out: false,
                rests_until: None,
            });
            it.in_a_row = it.in_a_row.saturating_add(1);
            it.is_left_out = true;
            if it.in_a_row >= CONFLICTS_IN_A_ROW_MAX {
                it.rests_until = Some(now.saturating_add(STORE_RETRY_PAUSE));
                told.push(Arc::clone(&error));
            }
            it.error = error;
        }
        is_progress.then_some(told)
    }

    /// A turn is over: whatever was not left out of it has met no conflict.
    pub(crate) fn committed(&mut self) {
        self.executions.retain(|_, it| it.is_left_out);
    }

    /// Whether this execution is left out of the turn.
    pub(crate) fn holds(&self, id: ExecutionId) -> bool {
        self.executions.get(&id).is_some_and(|it| it.is_left_out)
    }

    /// Whether this execution is left out of this turn, and tried again in the next.
    pub(crate) fn is_tried_again(&self, id: ExecutionId) -> bool {
        let it = self.executions.get(&id);
        it.is_some_and(|it| it.is_left_out && it.rests_until.is_none())
    }

    /// Whether any is left out of this turn, and tried again in the next.
    pub(crate) fn try_again(&self) -> bool {
        let mut all = self.executions.values();
        all.any(|it| it.is_left_out && it.rests_until.is_none())
    }

    /// Why this execution cannot come into the turn, if it is left out.
    pub(crate) fn meet(&mut self, id: ExecutionId) -> Option<EngineError> {
        self.was_met |= self.is_tried_again(id);
        let it = self.executions.get(&id).filter(|it| it.is_left_out)?;
        Some(EngineError::Store(Arc::clone(&it.error)))
    }

    /// Whether anything has met an execution that is tried again in the next turn, since
    /// this was last asked.
    pub(crate) fn take_met(&mut self) -> bool {
        std::mem::take(&mut self.was_met)
    }

    /// Whether any has rested until this monotonic time.
    pub(crate) fn has_rested(&self, now: Duration) -> bool {
        self.until_rested(now) == Some(Duration::ZERO)
    }

    /// For how long the first of those that rest does so still.
    pub(crate) fn until_rested(&self, now: Duration) -> Option<Duration> {
        let rests = self.executions.values().filter_map(|it| it.rests_until);
        rests.min().map(|until| until.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(execution: ExecutionId) -> StoreError {
        StoreError::Contended {
            place: "here".to_owned(),
            execution,
            detail: String::new(),
        }
    }

    #[test]
    fn what_conflicts_again_and_again_rests_and_what_is_written_between_begins_anew() {
        let id = ExecutionId::random();
        let group = BTreeSet::from([id]);
        let now = Duration::from_secs(1);
        let mut conflicts = Conflicts::default();
        for _ in 0..2 {
            for _ in 1..CONFLICTS_IN_A_ROW_MAX {
                conflicts.begin_turn(now);
                let told = conflicts.leave_out(&group, now, error);
                assert!(told.is_some_and(|told| told.is_empty()));
                assert!(conflicts.meet(id).is_some() && conflicts.take_met());
                conflicts.committed();
                assert!(conflicts.is_tried_again(id) && conflicts.try_again());
            }
            conflicts.begin_turn(now);
            assert!(conflicts.meet(id).is_none());
            conflicts.committed();
        }
        for n in 1..=CONFLICTS_IN_A_ROW_MAX {
            conflicts.begin_turn(now);
            let told = conflicts.leave_out(&group, now, error);
            let rests = n == CONFLICTS_IN_A_ROW_MAX;
            assert_eq!(told.map(|told| told.len()), Some(usize::from(rests)));
            assert_eq!(conflicts.is_tried_again(id), !rests);
            assert!(conflicts.leave_out(&BTreeSet::new(), now, error).is_none());
        }
        assert!(conflicts.meet(id).is_some() && !conflicts.take_met());
        assert!(!conflicts.begin_turn(now) && conflicts.holds(id));
        assert_eq!(conflicts.until_rested(now), Some(STORE_RETRY_PAUSE));
        let later = now + STORE_RETRY_PAUSE;
        assert!(conflicts.begin_turn(later) && !conflicts.holds(id));
        // It has had its tries: one more conflict, and callers are told again.
        let told = conflicts.leave_out(&group, later, error);
        assert_eq!(told.map(|told| told.len()), Some(1));
    }

    #[test]
    fn who_is_left_out_already_is_no_progress() {
        let group = BTreeSet::from([ExecutionId::random()]);
        let mut conflicts = Conflicts::default();
        assert!(conflicts.leave_out(&group, Duration::ZERO, error).is_some());
        assert!(conflicts.leave_out(&group, Duration::ZERO, error).is_none());
    }
}
