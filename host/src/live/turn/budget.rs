//! How much a turn may do, and one execution within it.
//!
//! A turn holds the store's write lock, and everybody waits for it. A call's
//! own fuel bounds one call; this bounds how many calls follow one another
//! before the turn is written and the lock given up. Work that does not fit goes on
//! in the next turn, which is due at once. The point at which a turn ends changes
//! nothing in a log, so that the clock may decide it; nothing is stalled by it.

use std::time::Duration;

use crate::limits::{TURN_CALLS_BETWEEN_LOOKS, TURN_FUEL_BETWEEN_LOOKS, TURN_TIME_MAX, TurnLimits};

/// The phases of a turn, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Writes of callers and workers.
    #[default]
    Writes,
    /// Leases that are over, and wakes that are due.
    Time,
    /// Executions to which something was appended go on.
    Steps,
    /// Own workers claim.
    Claims,
    /// Executions that come after the others go on.
    LateSteps,
    /// Writes to executions that come after the others.
    LateWrites,
}

impl Phase {
    /// The next phase; after the last one, the first.
    pub(in crate::live) fn next(self) -> Self {
        match self {
            Self::Writes => Self::Time,
            Self::Time => Self::Steps,
            Self::Steps => Self::Claims,
            Self::Claims => Self::LateSteps,
            Self::LateSteps => Self::LateWrites,
            Self::LateWrites => Self::Writes,
        }
    }
}

/// How much a turn has left.
///
/// A turn that is over does nothing more, except one thing of one phase, which is
/// another phase in each such turn. So there is always progress, and no phase can
/// keep another from it.
#[derive(Debug)]
pub(in crate::live) struct TurnBudget {
    fuel_max: u64,
    bytes_max: usize,
    fuel: u64,
    bytes: usize,
    /// The monotonic time at which the turn began.
    began: Duration,
    /// The fuel and the number of calls at which the clock is read again.
    look_at_fuel: u64,
    calls_until_look: u32,
    over: bool,
    /// A limit cut something off: another turn is due at once.
    cut: bool,
    /// How many facts the turn has taken, wakes included.
    facts: usize,
    /// The phase that is served even if the turn is over; `None` once it was.
    assured: Option<Phase>,
}

impl TurnBudget {
    /// A turn begins at this monotonic time.
    pub(in crate::live) fn new(limits: TurnLimits, began: Duration, assured: Phase) -> Self {
        Self {
            fuel_max: limits.fuel,
            bytes_max: limits.bytes,
            fuel: 0,
            bytes: 0,
            began,
            look_at_fuel: TURN_FUEL_BETWEEN_LOOKS,
            calls_until_look: TURN_CALLS_BETWEEN_LOOKS,
            over: false,
            cut: false,
            facts: 0,
            assured: Some(assured),
        }
    }

    /// Whether the next thing of this phase may be done. It is to be done then.
    pub(in crate::live) fn may(&mut self, phase: Phase) -> bool {
        let assured = self.assured == Some(phase);
        if assured {
            self.assured = None;
        }
        let may = assured || !self.over;
        self.cut |= !may;
        may
    }

    /// Something did not fit into the turn: another one is due at once.
    pub(in crate::live) fn cut_off(&mut self) {
        self.cut = true;
    }

    /// Whether something did not fit into the turn.
    pub(in crate::live) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The turn has taken a fact, or woken an execution.
    pub(in crate::live) fn took_fact(&mut self) {
        self.facts += 1;
    }

    /// How many facts the turn has taken, wakes included.
    pub(in crate::live) fn facts(&self) -> usize {
        self.facts
    }

    /// The phase that is served even if the turn is over; `None` once it was.
    pub(in crate::live) fn assured(&self) -> Option<Phase> {
        self.assured
    }

    /// Assures this phase again, because nothing came of what it was to do.
    pub(in crate::live) fn assure(&mut self, phase: Option<Phase>) {
        self.assured = phase;
    }

    /// A call burnt this much fuel. The clock is read only now and then, because that
    /// costs more than the rest of this.
    pub(in crate::live) fn burnt(&mut self, fuel: u64, now: impl FnOnce() -> Duration) {
        self.fuel = self.fuel.saturating_add(fuel);
        self.calls_until_look -= 1;
        if self.calls_until_look == 0 || self.fuel >= self.look_at_fuel {
            self.calls_until_look = TURN_CALLS_BETWEEN_LOOKS;
            self.look_at_fuel = self.fuel.saturating_add(TURN_FUEL_BETWEEN_LOOKS);
            self.over |= now().saturating_sub(self.began) > TURN_TIME_MAX;
        }
        self.over |= self.fuel > self.fuel_max;
    }

    /// This many bytes of payload were appended or ordered.
    pub(in crate::live) fn took(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.over |= self.bytes > self.bytes_max;
    }

    /// Ends the turn, because somebody waits for that.
    pub(in crate::live) fn end(&mut self) {
        self.over = true;
    }

    pub(in crate::live) fn is_over(&self) -> bool {
        self.over
    }

    /// The fuel that has been burnt so far.
    pub(in crate::live) fn fuel(&self) -> u64 {
        self.fuel
    }
}

/// How much of a turn the steps of one execution may take together: so much that few
/// executions are cut off by their shares, and so little that one execution which
/// goes on and on leaves room for others.
#[derive(Debug)]
pub(in crate::live) struct Share {
    fuel_left: u64,
    bytes_left: usize,
}

impl Share {
    /// A quarter of the turn.
    pub(in crate::live) fn of(limits: TurnLimits) -> Self {
        Self {
            fuel_left: limits.fuel / 4,
            bytes_left: limits.bytes / 4,
        }
    }

    /// A step took this much. Says whether anything is left.
    pub(in crate::live) fn spend(&mut self, fuel: u64, bytes: usize) -> bool {
        self.fuel_left = self.fuel_left.saturating_sub(fuel);
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.fuel_left > 0 && self.bytes_left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TurnLimits = TurnLimits {
        facts: 1,
        claims: 1,
        wakes: 1,
        expiries: 1,
        fuel: 1_000,
        bytes: 100,
    };

    fn budget(assured: Phase) -> TurnBudget {
        TurnBudget::new(LIMITS, Duration::ZERO, assured)
    }

    fn still() -> Duration {
        Duration::ZERO
    }

    #[test]
    fn fuel_bytes_and_time_end_a_turn_each() {
        let mut hot = budget(Phase::Time);
        hot.burnt(1_000, still);
        assert!(hot.may(Phase::Writes), "nothing is left, and nothing owed");
        hot.burnt(1, still);
        assert!(!hot.may(Phase::Writes));

        let mut large = budget(Phase::Time);
        large.took(100);
        assert!(large.may(Phase::Writes));
        large.took(1);
        assert!(!large.may(Phase::Writes));

        let mut slow = budget(Phase::Time);
        let late = || TURN_TIME_MAX + Duration::from_millis(1);
        (0..TURN_CALLS_BETWEEN_LOOKS - 1).for_each(|_| slow.burnt(0, late));
        assert!(slow.may(Phase::Writes), "the clock was not looked at");
        slow.burnt(0, late);
        assert!(!slow.may(Phase::Writes));
    }

    /// Whatever the turns are spent on, each phase is served in one of them.
    #[test]
    fn each_phase_has_its_turn() {
        let all = [
            Phase::Writes,
            Phase::Time,
            Phase::Steps,
            Phase::Claims,
            Phase::LateSteps,
            Phase::LateWrites,
        ];
        let mut assured = Phase::default();
        for expected in all {
            assert_eq!(assured, expected);
            let mut over = budget(assured);
            over.end();
            for phase in all {
                assert_eq!(over.may(phase), phase == assured, "{phase:?}, {assured:?}");
                assert!(!over.may(phase), "once");
            }
            assured = assured.next();
        }
        assert_eq!(assured, Phase::default());
    }

    /// What a phase did before the turn was over counts.
    #[test]
    fn who_was_served_is_not_served_beyond_the_end() {
        let mut budget = budget(Phase::Writes);
        assert!(budget.may(Phase::Writes));
        budget.end();
        assert!(!budget.may(Phase::Writes));
    }

    #[test]
    fn a_share_is_a_part_of_the_turn() {
        let mut fuel = Share::of(LIMITS);
        assert!(fuel.spend(249, 0));
        assert!(!fuel.spend(1, 0));
        let mut bytes = Share::of(LIMITS);
        assert!(bytes.spend(0, 24));
        assert!(!bytes.spend(0, 1));
    }
}
