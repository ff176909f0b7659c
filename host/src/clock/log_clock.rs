//! The time of a store's logs (law 5): one function of the wall clock, the
//! monotonic clock and what is stored, so that all who work on a store agree.
//!
//! ```text
//! now = max(wall clock, reading of the last written turn + machine time since then)
//! ```
//!
//! While the wall clock is right, that is the wall clock. While it lags behind
//! the log (it was set back, or another machine's was ahead), time goes on from
//! the last reading that was *written*. A reading that nobody wrote binds
//! nobody, this clock included; otherwise one process would live in a later time
//! than the others, who cannot know of it. Processes of one machine share the
//! time since it was started (sleep included, as in the wall clock), so the second term is the same for all of them; on another
//! machine, or after a new start of this one, it counts from the moment at which
//! the reading was first seen.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock, milliseconds};
use crate::store::{ClockReading, Reader, StoreError, Timestamp};
use crate::trouble::Troubles;

/// The shard whose time it is. Each store has all of its executions in one.
const SHARD: [u8; 2] = [0, 0];

/// Less than that behind, a wall clock is right: several processes tell a
/// machine's time to some milliseconds.
const LAG_TOLD_MS: u64 = 1_000;

/// What time it is, as the logs of a store have it.
pub struct LogClock {
    clock: Arc<dyn Clock>,
    /// `None`: nothing was written yet, and there is nothing to lag behind.
    last: Option<Last>,
    lagging: bool,
    troubles: Troubles,
}

/// What is told of a wall clock that lags.
const LAGS: &str = "the wall clock is behind the log: it was set back, or another machine's was ahead; \
     time goes on with the monotonic clock until the wall clock has caught up";

/// The last reading that was written, and the machine's time that belongs to it.
#[derive(Clone, Copy)]
struct Last {
    at: Timestamp,
    since_boot: Duration,
}

/// What time it is by the log, and the monotonic time of that moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogTime {
    pub(crate) at: Timestamp,
    pub(crate) monotonic: Duration,
    /// The machine's time at which it became that: so that no part of a
    /// millisecond is lost, however often is written.
    since_boot: Duration,
}

impl fmt::Debug for LogClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogClock")
            .field("lagging", &self.lagging)
            .finish_non_exhaustive()
    }
}

impl LogClock {
    /// The time of logs, by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            last: None,
            lagging: false,
            troubles: Troubles::default(),
        }
    }

    /// The time of logs, by the machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock::default()))
    }

    /// Look at what is stored: others may have written. Simulated executions, of which
    /// each is at a time of its own, say nothing of what time it is.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn look(&mut self, store: &mut dyn Reader) -> Result<(), StoreError> {
        if store.is_simulated() {
            return Ok(());
        }
        let at = store.last_at(SHARD)?;
        let reading = store.last_reading(SHARD)?;
        self.follow(at, reading.as_ref());
        Ok(())
    }

    /// What time it is, by what was stored at the last look.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.read().at
    }

    /// The reading of a turn, which warns where the wall clock lags behind.
    pub(crate) fn read_aloud(&mut self) -> LogTime {
        let reading = self.read();
        let wall = self.clock.now();
        let lagging = wall.saturating_add(LAG_TOLD_MS) < reading.at;
        if lagging || self.lagging {
            self.troubles.at(reading.monotonic);
            let told = match lagging {
                true => self.troubles.says(LAGS),
                false => self.troubles.ends(LAGS),
            };
            if let Some(told) = told {
                let behind_ms = reading.at.saturating_sub(wall);
                tracing::warn!(refrain.behind_ms = behind_ms, "{told}");
            }
        }
        self.lagging = lagging;
        reading
    }

    /// This reading was written.
    pub(crate) fn wrote(&mut self, reading: LogTime) {
        self.last = Some(Last {
            at: reading.at,
            since_boot: reading.since_boot,
        });
    }

    /// A reading, as a turn writes it.
    pub(crate) fn written(&self, reading: LogTime) -> ClockReading {
        ClockReading {
            at: reading.at,
            machine: self.clock.machine().map(str::to_owned),
            since_boot_ns: u64::try_from(reading.since_boot.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// The clock's time that never goes back.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn read(&self) -> LogTime {
        let monotonic = self.clock.monotonic();
        let since_boot = self.clock.since_boot();
        let wall = LogTime {
            at: self.clock.now(),
            monotonic,
            since_boot,
        };
        let Some(last) = self.last else {
            return wall;
        };
        let passed_ms = milliseconds(since_boot.saturating_sub(last.since_boot));
        let at = last.at.saturating_add(passed_ms);
        if wall.at >= at {
            return wall;
        }
        let passed = Duration::from_millis(passed_ms);
        LogTime {
            at,
            monotonic,
            since_boot: last.since_boot.saturating_add(passed),
        }
    }

    fn follow(&mut self, at: Timestamp, reading: Option<&ClockReading>) {
        let own = reading.filter(|reading| {
            reading.at == at
                && reading.machine.is_some()
                && reading.machine.as_deref() == self.clock.machine()
        });
        let since_boot = match (own, self.last) {
            (Some(reading), _) => Duration::from_nanos(reading.since_boot_ns),
            (None, Some(last)) if last.at == at => last.since_boot,
            // A store in which nothing has been written says no time.
            (None, None) if at == 0 => return,
            (None, _) => self.clock.since_boot(),
        };
        self.last = Some(Last { at, since_boot });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const SECOND: Duration = Duration::from_secs(1);

    fn by(clock: &ManualClock) -> LogClock {
        LogClock::new(Arc::new(clock.clone()))
    }

    #[test]
    fn law5_time_never_goes_back() {
        let manual = ManualClock::new(1_000);
        let mut clock = by(&manual);
        assert_eq!(clock.now(), 1_000, "the wall clock");
        manual.advance(Duration::from_millis(50));
        let reading = clock.read();
        assert_eq!(reading.at, 1_050);
        clock.wrote(reading);
        manual.set(200);
        assert_eq!(clock.now(), 1_050, "set back: stands where it was written");
        manual.advance(Duration::from_millis(30));
        assert_eq!(clock.now(), 1_080, "and goes on with the monotonic clock");
        clock.follow(5_000, None);
        assert_eq!(clock.now(), 5_000, "never behind what a log says");
        manual.advance(Duration::from_millis(20));
        clock.follow(5_000, None);
        assert_eq!(
            clock.now(),
            5_020,
            "whose time goes on from when it was first seen"
        );
        manual.set(6_000);
        assert_eq!(clock.now(), 6_000, "until the wall clock has caught up");
    }

    #[test]
    fn law5_processes_of_one_machine_agree_however_late_they_come() {
        let manual = ManualClock::new(100_000);
        let mut first = by(&manual);
        let reading = first.read();
        first.wrote(reading);
        let stored = first.written(reading);
        manual.set(1_000);
        manual.advance(13 * SECOND);
        // The first wrote nothing meanwhile, and the second begins only now.
        let mut second = by(&manual);
        second.follow(stored.at, Some(&stored));
        assert_eq!((first.now(), second.now()), (113_000, 113_000));
    }

    #[test]
    fn law5_on_another_machine_time_counts_from_when_it_was_seen() {
        let (here, there) = (ManualClock::new(100_000), ManualClock::new(1_000));
        here.advance(50 * SECOND);
        let mut first = by(&here);
        let reading = first.read();
        first.wrote(reading);
        let stored = first.written(reading);
        let mut second = by(&there);
        second.follow(stored.at, Some(&stored));
        there.advance(2 * SECOND);
        second.follow(stored.at, Some(&stored));
        assert_eq!(second.now(), stored.at + 2_000);
    }

    #[test]
    fn law5_time_goes_on_however_often_is_written() {
        let manual = ManualClock::new(100_000);
        let (mut one, mut two) = (by(&manual), by(&manual));
        let reading = one.read();
        one.wrote(reading);
        let mut stored = one.written(reading);
        manual.set(1_000);
        for _ in 0..1_000 {
            manual.advance(Duration::from_micros(300));
            for clock in [&mut one, &mut two] {
                clock.follow(stored.at, Some(&stored));
                let reading = clock.read();
                clock.wrote(reading);
                stored = clock.written(reading);
            }
        }
        assert_eq!((one.now(), two.now()), (100_300, 100_300));
    }

    /// A process that was there before the machine slept, and one that came later:
    /// the clocks of processes stand meanwhile, the machine's does not.
    #[test]
    fn law5_a_machine_that_slept_is_no_later_than_its_wall_clock() {
        #[derive(Clone)]
        struct Slept(ManualClock, Duration);
        impl Clock for Slept {
            fn now(&self) -> Timestamp {
                self.0.now() + milliseconds(self.1)
            }
            fn monotonic(&self) -> Duration {
                self.0.monotonic()
            }
            fn machine(&self) -> Option<&str> {
                self.0.machine()
            }
            fn since_boot(&self) -> Duration {
                self.0.monotonic() + self.1
            }
        }
        let manual = ManualClock::new(1_000);
        let mut before = LogClock::new(Arc::new(Slept(manual.clone(), Duration::ZERO)));
        let reading = before.read();
        before.wrote(reading);
        let stored = before.written(reading);
        let slept = 8 * 3600 * SECOND;
        let mut after = LogClock::new(Arc::new(Slept(manual, slept)));
        after.follow(stored.at, Some(&stored));
        assert_eq!(after.now(), 1_000 + milliseconds(slept));
    }

    /// Such a clock stands at the epoch.
    #[test]
    fn law5_time_goes_on_by_a_clock_of_before_1970() {
        let manual = ManualClock::new(0);
        let mut clock = by(&manual);
        let reading = clock.read();
        clock.wrote(reading);
        let stored = clock.written(reading);
        manual.advance(SECOND);
        manual.set(0);
        let mut other = by(&manual);
        other.follow(stored.at, Some(&stored));
        assert_eq!((clock.now(), other.now()), (1_000, 1_000));
    }

    #[test]
    fn law5_a_reading_that_nobody_wrote_binds_nobody() {
        let manual = ManualClock::new(1_000);
        let mut clock = by(&manual);
        let reading = clock.read();
        clock.wrote(reading);
        manual.set(3_600_000);
        assert_eq!(clock.now(), 3_600_000);
        manual.set(1_000);
        manual.advance(SECOND);
        assert_eq!(
            clock.now(),
            2_000,
            "the clock was wrong for a moment, and nothing came of it"
        );
    }
}
