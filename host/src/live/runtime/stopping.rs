//! How own work ends with its engine: it is told to end, and given back when it has (rule
//! R25), so that the next attempt does not run at the same time.
//!
//! ```text
//! told to stop      what ends says so in the inbox, and is given back by turns like any other
//! cannot go on      its end is waited for; each claim is given back in a turn of its own,
//!                   in which nothing else is done
//! ```
//!
//! Both have a bound, after which a claim ends with its lease.

use std::time::{Duration, Instant};

use super::commit::{run_release, undo_turn};
use super::intake::Intake;
use crate::limits::STOP_PATIENCE;
use crate::live::turn::core::Core;
use crate::live::turn::releases::not_given_back;
use crate::live::values::panics::caught;

/// An engine that was told to stop waits for its workers.
#[derive(Debug, Default)]
pub(in crate::live) struct Stopping {
    /// The monotonic time until which it does; `None` if it was not told to stop.
    until: Option<Duration>,
    /// The monotonic time since when nothing can be written, while it comes to its end.
    failing_since: Option<Duration>,
}

impl Stopping {
    /// All own work is told to end.
    pub(in crate::live) fn begin(&mut self, core: &mut Core) {
        core.pool.end_all();
        let until = core.time.monotonic().saturating_add(STOP_PATIENCE);
        self.until.get_or_insert(until);
    }

    /// An engine that comes to its end in peace waits for what its workers do to be
    /// written. Where the store fails for long, it never is: then it is as if it had been
    /// told to stop, and had waited.
    pub(in crate::live) fn note_store(&mut self, core: &mut Core, fails: bool) {
        let now = core.time.monotonic();
        if !fails {
            self.failing_since = None;
            return;
        }
        let since = *self.failing_since.get_or_insert(now);
        if now.saturating_sub(since) >= STOP_PATIENCE && self.until.is_none() {
            core.pool.end_all();
            self.until = Some(now);
        }
    }

    /// How long the engine waits still; `None` if it waits for nothing.
    pub(in crate::live) fn left(&self, core: &Core) -> Option<Duration> {
        let until = self.until.filter(|_| !core.pool.is_idle())?;
        Some(until.saturating_sub(core.time.monotonic()))
    }

    /// Waits no longer, if it has waited long enough.
    pub(in crate::live) fn give_up_in_time(&self, core: &mut Core) {
        if self.left(core) != Some(Duration::ZERO) {
            return;
        }
        for claim in core.pool.running_claims() {
            let why = match core.pool.has_ended(&claim) {
                true => "its release could not be written in time",
                false => "it has not ended in time",
            };
            not_given_back(&claim, &why);
        }
        core.pool.stop_all();
    }
}

/// The engine cannot go on: all own work is told to end, and given back.
///
/// No turn like others is filled: what made the engine end could come again in it, and
/// nobody here is to be given work any more.
pub(in crate::live) fn give_back_at_last(core: &mut Core, intake: &mut Intake) {
    core.pool.close();
    core.pool.end_all();
    let claims = core.pool.running_claims();
    // The engine's own clock may be what has failed.
    let begun = Instant::now();
    let are_running = |core: &Core| claims.iter().any(|claim| !core.pool.has_ended(claim));
    while core.pool.has_tasks() && are_running(core) {
        let left = STOP_PATIENCE.saturating_sub(begun.elapsed());
        if left.is_zero() {
            break;
        }
        // Each that ends says so in the inbox.
        intake.wait(left);
    }
    for claim in &claims {
        if !core.pool.has_ended(claim) {
            not_given_back(claim, &"it has not ended in time");
        } else if core.store.is_here() {
            match caught(|| run_release(core, claim)) {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => not_given_back(claim, &error),
                Err(said) => {
                    undo_turn(core);
                    not_given_back(claim, &format!("it panicked: {said}"));
                }
            }
        }
    }
    core.pool.stop_all();
}
