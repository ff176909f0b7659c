//! The time since the machine was started, sleep included: the one monotonic
//! time that all its processes share and that the kernel tells without a
//! system call of its own making.
//!
//! It is read once, and then counted on by the process's own clock. That one
//! stands while the machine sleeps; after a sleep the wall clock is further ahead
//! of it than before, and only then the kernel is asked again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::machine;

/// What is told to a hundredth of a second differs by less than this from itself.
const NOISE: Duration = Duration::from_millis(50);

/// The time since the machine was started.
#[derive(Debug)]
pub(super) struct SinceBoot {
    origin: Instant,
    counted: Mutex<Counted>,
}

#[derive(Debug)]
struct Counted {
    /// How long the machine had been up at the origin; more after each sleep.
    at_origin: Duration,
    /// How far the wall clock was ahead of the process's clock, in milliseconds.
    wall_ahead_ms: i128,
}

impl SinceBoot {
    /// `None` where it cannot be told. `wall_ms` is the wall clock's time.
    pub(super) fn new(wall_ms: u64) -> Option<Self> {
        let (up, origin) = machine::up()?;
        Some(Self {
            origin,
            counted: Mutex::new(Counted {
                at_origin: up,
                wall_ahead_ms: ahead_ms(wall_ms, origin.elapsed()),
            }),
        })
    }

    /// Where the wall clock shows this.
    pub(super) fn at(&self, wall_ms: u64) -> Duration {
        let elapsed = self.origin.elapsed();
        let wall_ahead_ms = ahead_ms(wall_ms, elapsed);
        // Plain numbers: a panic elsewhere leaves them whole.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let moved_ms = wall_ahead_ms - counted.wall_ahead_ms;
        if moved_ms.unsigned_abs() > NOISE.as_millis() {
            counted.wall_ahead_ms = wall_ahead_ms;
            if let Some((up, now)) = machine::up() {
                let at_origin = up.saturating_sub(now.saturating_duration_since(self.origin));
                if at_origin.abs_diff(counted.at_origin) > NOISE {
                    counted.at_origin = at_origin;
                }
            }
        }
        counted.at_origin + elapsed
    }
}

fn ahead_ms(wall_ms: u64, elapsed: Duration) -> i128 {
    i128::from(wall_ms) - i128::from(super::span::milliseconds(elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_whatever_becomes_of_the_wall_clock() {
        let Some(since) = SinceBoot::new(1_000_000) else {
            // Nothing can be told here; and nothing is.
            assert!(machine::up().is_none());
            return;
        };
        let begun = since.at(1_000_000);
        for wall_ms in [1_000_000, 9_000_000, 0, 1_000_000] {
            let now = since.at(wall_ms);
            assert!(now.abs_diff(begun) < Duration::from_secs(5), "{now:?}");
        }
    }
}
