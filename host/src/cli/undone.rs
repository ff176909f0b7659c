//! Which executions of a session are not done yet, and when to judge one anew.
//!
//! What an execution waits for changes with its log, and besides only at times
//! that are known beforehand. So nobody need judge all of them again and again.

use std::collections::BTreeSet;

use refrain::id::ExecutionId;
use refrain::store::Timestamp;

/// The executions that are not done.
#[derive(Default)]
pub(super) struct Undone {
    undone: BTreeSet<ExecutionId>,
    /// When to judge which anew, in that order.
    again: BTreeSet<(Timestamp, ExecutionId)>,
}

impl Undone {
    /// This is the judgement on an execution, and `again` is when it changes
    /// without news, if it does.
    pub(super) fn judged(&mut self, id: ExecutionId, done: bool, again: Option<Timestamp>) {
        if done {
            self.undone.remove(&id);
        } else {
            self.undone.insert(id);
        }
        self.again.extend(again.map(|at| (at, id)));
    }

    /// Whether all are done.
    pub(super) fn are_none(&self) -> bool {
        self.undone.is_empty()
    }

    /// When the next is to be judged anew.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.again.first().map(|(at, _)| *at)
    }

    /// Those that are to be judged anew at `now`, taken out.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<ExecutionId> {
        let mut due = Vec::new();
        while let Some((at, id)) = self.again.first().copied()
            && at <= now
        {
            self.again.pop_first();
            due.push(id);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_judged_again_at_its_time_and_not_before() {
        let [one, two] = [1, 2].map(|byte| ExecutionId::from_bytes([byte; 16]));
        let mut undone = Undone::default();
        undone.judged(one, false, Some(20));
        undone.judged(two, false, Some(10));
        assert_eq!(undone.next_due(), Some(10));
        assert_eq!(undone.due(9), []);
        assert_eq!(undone.due(20), [two, one]);
        assert_eq!(undone.due(1000), [], "each once");
        undone.judged(one, true, None);
        assert!(!undone.are_none());
        undone.judged(two, true, None);
        assert!(undone.are_none());
    }
}
