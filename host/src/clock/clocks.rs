//! The clocks that an engine can be given: the machine's, and one that is moved
//! by hand.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::since_boot::SinceBoot;
use super::span::milliseconds;
use crate::machine;
use crate::store::Timestamp;

/// Where an engine gets its time from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock: milliseconds since the Unix epoch. It may be set back.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment. It never goes back.
    fn monotonic(&self) -> Duration;

    /// The machine whose time [`Clock::since_boot`] is, as far as it can be
    /// told: clocks that name the same one, in whatever process, show the same
    /// time since it was started. `None`: nobody else can make anything of it.
    fn machine(&self) -> Option<&str> {
        None
    }

    /// The time since the machine was started, sleep included; the same for all
    /// clocks that name the same machine.
    fn since_boot(&self) -> Duration {
        self.monotonic()
    }

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
    /// `None` where it cannot be told.
    since_boot: Option<SinceBoot>,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            since_boot: SinceBoot::new(wall_ms()),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        wall_ms()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn machine(&self) -> Option<&str> {
        self.since_boot.as_ref().and_then(|_| machine::name())
    }

    fn since_boot(&self) -> Duration {
        match &self.since_boot {
            Some(since_boot) => since_boot.at(wall_ms()),
            None => self.monotonic(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the wall clock is read"
)]
fn wall_ms() -> Timestamp {
    // A machine that believes to live before 1970 is at the epoch.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, milliseconds)
}

/// A clock that stands still until it is moved; for tests. Clones are the same clock.
#[derive(Clone)]
pub struct ManualClock {
    shared: Arc<Mutex<Manual>>,
    machine: Arc<str>,
}

struct Manual {
    now: Timestamp,
    monotonic: Duration,
    wakes: Vec<Arc<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").finish_non_exhaustive()
    }
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        static CLOCKS: AtomicU64 = AtomicU64::new(0);
        let number = CLOCKS.fetch_add(1, Ordering::Relaxed);
        Self {
            machine: format!("manual {}.{number}", std::process::id()).into(),
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

    /// Each is a machine of its own; its clones are the same one.
    fn machine(&self) -> Option<&str> {
        Some(&self.machine)
    }

    fn on_moved(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.with(|manual| manual.wakes.push(Arc::from(wake)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
