//! What generated cases came across. That two agree on trivial cases proves
//! little, so the width of the cases is asserted too.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// Each decision that there is.
const DECISIONS: [&str; 15] = [
    "InterruptRaised",
    "NodeCancelled",
    "NodeExhausted",
    "NodeScheduled",
    "NodeSettled",
    "NodeSkipped",
    "NodeTimedOut",
    "RetryScheduled",
    "Stalled",
    "TimerCreated",
    "TimerFired",
    "WorkflowCancelled",
    "WorkflowCompleted",
    "WorkflowFailed",
    "WorkflowTimedOut",
];

/// How often what was seen, by name.
#[derive(Debug, Default)]
pub struct Coverage {
    cases: u64,
    counts: BTreeMap<String, u64>,
}

impl Coverage {
    /// One more case.
    pub fn case(&mut self) {
        self.cases += 1;
    }

    /// One more of what `name` says.
    pub fn count(&mut self, name: &str) {
        *self.counts.entry(name.to_owned()).or_default() += 1;
    }

    /// One more event of this kind, of either side of the contract.
    pub fn event(&mut self, kind: &impl Debug) {
        let text = format!("{kind:?}");
        let name = text.trim_start_matches("EventKind::");
        self.count(name.split('(').next().unwrap_or(name));
    }

    /// Each decision was seen, ten times in a thousand cases.
    ///
    /// # Panics
    /// With all that was seen, if one was not.
    pub fn must_hold_each_decision(&self) {
        for decision in DECISIONS {
            self.must_hold(decision, 10);
        }
    }

    /// `name` was seen, so many times in a thousand cases.
    ///
    /// # Panics
    /// With all that was seen, if it was not.
    pub fn must_hold(&self, name: &str, in_a_thousand: u64) {
        let count = self.counts.get(name).copied().unwrap_or(0);
        assert!(
            count * 1_000 >= self.cases * in_a_thousand && count > 0,
            "too few of {name} for {in_a_thousand} in a thousand cases: {self:#?}"
        );
    }
}
