//! Whether a lease that is over may be taken from its holder.
//!
//! A lease is a promise about time, and clocks jump, machines sleep, locks are
//! held by third parties. So its end on the clock is not enough: its holder must
//! also have been able to renew it. A turn ends leases only if
//!
//! * for the length of a whole lease, as this engine has seen it, the log's time
//!   went as the monotonic clock went, and the store could be written (an engine
//!   that has just begun has seen nothing yet); and
//! * the store could be written a moment before this turn, too: a holder that
//!   waits for the write lock as we do has had its chance.
//!
//! Leases of processes that are gone end without all that: nobody holds them.

use std::time::Duration;

use crate::clock::milliseconds;
use crate::limits::{HEARTBEATS_PER_LEASE, LEASE_MOMENTS};

/// The time in which holders could renew, as far as an engine has seen it.
pub(crate) struct LeaseWatch {
    lease: Duration,
    /// Since when all holders could renew; `None` if they cannot now.
    fair_since: Option<Duration>,
    /// How far the log's time is ahead of the monotonic clock, at the least since then.
    ahead_ms: i128,
    /// When this engine had the write lock last.
    had: Option<Duration>,
    /// Since when this engine had it again and again: no further apart than heartbeats,
    /// or whenever it looked at leases that are over.
    had_since: Duration,
    /// Leases are over that could not be ended yet.
    waiting: bool,
}

impl LeaseWatch {
    pub(crate) fn new(lease: Duration) -> Self {
        Self {
            lease,
            fair_since: None,
            ahead_ms: 0,
            had: None,
            had_since: Duration::ZERO,
            waiting: false,
        }
    }

    /// This engine asked for the write lock, and got it. A holder that had to wait as
    /// long may have missed its heartbeat.
    pub(crate) fn lock_had(&mut self, asked: Duration, had: Duration) {
        let heartbeat = self.lease / HEARTBEATS_PER_LEASE;
        if had.saturating_sub(asked) >= heartbeat {
            self.fair_since = None;
        }
        let again = self
            .had
            .is_some_and(|before| had.saturating_sub(before) <= heartbeat);
        // An engine that has looked once, because of leases that are over, looks for
        // the second time now, however late.
        if !again && !self.waiting {
            self.had_since = had;
        }
        self.had = Some(had);
    }

    /// This engine did not get the write lock.
    pub(crate) fn lock_missed(&mut self) {
        self.fair_since = None;
        self.had = None;
    }

    /// A turn reads the clocks, which shows whether the log's time has jumped ahead.
    pub(crate) fn read(&mut self, at: u64, monotonic: Duration) {
        let ahead_ms = i128::from(at) - i128::from(milliseconds(monotonic));
        let jump_ms = i128::from(milliseconds(self.moment()));
        match self.fair_since {
            Some(_) if ahead_ms <= self.ahead_ms + jump_ms => {
                self.ahead_ms = self.ahead_ms.min(ahead_ms);
            }
            _ => {
                self.fair_since = Some(monotonic);
                self.ahead_ms = ahead_ms;
            }
        }
    }

    /// Whether leases that are over may be ended.
    pub(crate) fn may_end(&self, monotonic: Duration) -> bool {
        self.from().is_some_and(|from| from <= monotonic)
    }

    /// Whether there are leases that are over and could not be ended.
    pub(crate) fn are_waiting(&mut self, waiting: bool) {
        self.waiting = waiting;
    }

    /// How long until the leases that wait for it may be ended; `None` if none does.
    pub(crate) fn until_end(&self, monotonic: Duration) -> Option<Duration> {
        let from = self.from().filter(|_| self.waiting)?;
        Some(from.saturating_sub(monotonic))
    }

    /// The time from which on leases may be ended, if nothing comes in between.
    fn from(&self) -> Option<Duration> {
        let fair = self.fair_since?.saturating_add(self.lease);
        Some(fair.max(self.had_since.saturating_add(self.moment())))
    }

    /// How long a holder that waits for the write lock needs to get it, and the
    /// jump of a clock that no lease depends on.
    fn moment(&self) -> Duration {
        self.lease / LEASE_MOMENTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A turn at this time of the log and of the monotonic clock, in seconds.
    fn turn(watch: &mut LeaseWatch, at: u64, asked: u64, had: u64) -> bool {
        watch.lock_had(seconds(asked), seconds(had));
        watch.read(at * 1000, seconds(had));
        watch.are_waiting(true);
        watch.may_end(seconds(had))
    }

    #[test]
    fn leases_end_after_a_lease_of_fair_time() {
        let mut watch = LeaseWatch::new(LEASE);
        for second in 0..10 {
            assert!(!turn(&mut watch, 100 + second, second, second), "{second}");
        }
        assert!(turn(&mut watch, 110, 10, 10));
    }

    #[test]
    fn a_clock_that_jumps_ahead_ends_none() {
        let mut watch = LeaseWatch::new(LEASE);
        for second in 0..20 {
            turn(&mut watch, 100 + second, second, second);
        }
        assert!(!turn(&mut watch, 3_720, 20, 20));
        assert_eq!(watch.until_end(seconds(20)), Some(LEASE));
        for second in 21..30 {
            assert!(
                !turn(&mut watch, 3_700 + second, second, second),
                "{second}"
            );
        }
        assert!(turn(&mut watch, 3_730, 30, 30));
        // Many small jumps are one large one.
        for second in 31..40 {
            turn(
                &mut watch,
                3_700 + second + (second - 30) / 2,
                second,
                second,
            );
        }
        assert!(!turn(&mut watch, 3_746, 40, 40));
    }

    #[test]
    fn a_lock_that_nobody_else_could_have_ends_none() {
        let mut watch = LeaseWatch::new(LEASE);
        for second in 0..20 {
            turn(&mut watch, 100 + second, second, second);
        }
        assert!(!turn(&mut watch, 125, 20, 25), "five seconds' waiting");
        for second in 26..35 {
            turn(&mut watch, 100 + second, second, second);
        }
        assert!(turn(&mut watch, 135, 35, 35));
        watch.lock_missed();
        assert!(!turn(&mut watch, 136, 36, 36));
    }

    #[test]
    fn who_has_not_looked_for_long_looks_twice() {
        let mut watch = LeaseWatch::new(LEASE);
        turn(&mut watch, 100, 0, 0);
        watch.are_waiting(false);
        assert!(
            !turn(&mut watch, 160, 60, 60),
            "who knows who held the lock until now?"
        );
        assert_eq!(watch.until_end(seconds(60)), Some(seconds(1)));
        assert!(turn(&mut watch, 180, 80, 80), "it may come late itself");
    }
}
