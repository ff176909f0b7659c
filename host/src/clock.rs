//! Time. Only the host reads a clock, once a turn (law 5).
//!
//! [`Clock`] is what an engine is given; `TurnClock` makes of it the one
//! reading of a turn, which never goes back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::store::Timestamp;

/// Where an engine gets its time from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock: milliseconds since the Unix epoch. It may be set back.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment. It never goes back.
    fn monotonic(&self) -> Duration;

    /// Call `wake` whenever the clock is moved by hand. A clock that goes by
    /// itself has no need of it.
    fn on_moved(&self, wake: Box<dyn Fn() + Send + Sync>) {
        drop(wake);
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A machine that believes to live before 1970 is at the epoch.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, milliseconds)
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// A clock that stands still until it is moved; for tests. Clones are the same clock.
#[derive(Clone)]
pub struct ManualClock {
    shared: Arc<Mutex<Manual>>,
}

struct Manual {
    now: Timestamp,
    monotonic: Duration,
    wakes: Vec<Arc<dyn Fn() + Send + Sync>>,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Manual {
                now,
                monotonic: Duration::ZERO,
                wakes: Vec::new(),
            })),
        }
    }

    /// Let `span` pass.
    pub fn advance(&self, span: Duration) {
        self.change(|manual| {
            manual.now = manual.now.saturating_add(milliseconds(span));
            manual.monotonic = manual.monotonic.saturating_add(span);
        });
    }

    /// Set the wall clock, forward or back. The monotonic clock stands.
    pub fn set(&self, now: Timestamp) {
        self.change(|manual| manual.now = now);
    }

    fn change(&self, change: impl FnOnce(&mut Manual)) {
        let wakes = self.with(|manual| {
            change(manual);
            manual.wakes.clone()
        });
        for wake in wakes {
            wake();
        }
    }

    fn with<T>(&self, read: impl FnOnce(&mut Manual) -> T) -> T {
        // The values are plain numbers: a panic elsewhere leaves them whole.
        read(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.with(|manual| manual.now)
    }

    fn monotonic(&self) -> Duration {
        self.with(|manual| manual.monotonic)
    }

    fn on_moved(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.with(|manual| manual.wakes.push(Arc::from(wake)));
    }
}

/// The readings of an engine's turns: never less than what any log says.
pub(crate) struct TurnClock {
    clock: Arc<dyn Clock>,
    previous: Option<(Timestamp, Duration)>,
    lagging: bool,
}

impl TurnClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            previous: None,
            lagging: false,
        }
    }

    /// The reading of a turn, where `last_at` is the greatest `at` in the store.
    ///
    /// While the wall clock lags behind, because it was set back or because
    /// another machine's was ahead, time goes on from where it was, at the
    /// pace of the monotonic clock.
    pub(crate) fn read(&mut self, last_at: Timestamp) -> Timestamp {
        let wall = self.clock.now();
        let monotonic = self.clock.monotonic();
        let (previous_at, previous_monotonic) = self.previous.unwrap_or((0, monotonic));
        let floor = last_at.max(previous_at);
        let at = if wall >= floor {
            wall
        } else {
            let passed = milliseconds(monotonic.saturating_sub(previous_monotonic));
            floor.max(previous_at.saturating_add(passed))
        };
        self.warn_once(wall, floor);
        self.previous = Some((at, monotonic));
        at
    }

    /// The clock's time that never goes back.
    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn warn_once(&mut self, wall: Timestamp, floor: Timestamp) {
        let lagging = wall < floor;
        if lagging && !self.lagging {
            tracing::warn!(
                refrain.behind_ms = floor - wall,
                "the wall clock is behind the log: it was set back; time goes on with the monotonic clock until the wall clock has caught up"
            );
        }
        self.lagging = lagging;
    }
}

/// A span in whole milliseconds.
pub(crate) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law5_time_never_goes_back() {
        let manual = ManualClock::new(1_000);
        let mut clock = TurnClock::new(Arc::new(manual.clone()));
        assert_eq!(clock.read(0), 1_000, "the wall clock");
        manual.advance(Duration::from_millis(50));
        assert_eq!(clock.read(1_000), 1_050);
        manual.set(200);
        assert_eq!(clock.read(1_050), 1_050, "set back: stands where it was");
        manual.advance(Duration::from_millis(30));
        assert_eq!(
            clock.read(1_050),
            1_080,
            "and goes on with the monotonic clock"
        );
        assert_eq!(clock.read(5_000), 5_000, "never behind what a log says");
        manual.set(6_000);
        assert_eq!(
            clock.read(5_000),
            6_000,
            "until the wall clock has caught up"
        );
    }

    #[test]
    fn a_moved_clock_wakes() {
        let manual = ManualClock::new(0);
        let (sender, receiver) = std::sync::mpsc::channel();
        manual.on_moved(Box::new(move || {
            sender.send(()).expect("the receiver is there");
        }));
        manual.advance(Duration::from_secs(1));
        manual.set(3);
        assert_eq!(receiver.try_iter().count(), 2);
    }
}
