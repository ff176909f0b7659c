//! When the next turn is due, and why.

use std::time::Duration;

use crate::clock::milliseconds;
use crate::limits::{
    ANSWER_RETRY_PAUSE, LOCK_HELD_LONG, LOCK_HELD_LONG_BY_MANY, LOCK_LEFT_ALONE, STORE_RETRY_PAUSE,
};
use crate::store::{StoreError, Timestamp};

use crate::live::turn::core::Core;
use crate::live::turn::engine_time::TurnTime;
use crate::live::turn::report;

/// What comes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more to do: step again.
    Now,
    /// Nothing until this time of the engine's clock, unless someone asks the
    /// engine for something, or others commit to the same store: those are
    /// noticed by the next step, whenever that is.
    At(Timestamp),
    /// Nothing, until someone asks or others commit.
    WhenAsked,
    /// Nothing ever: the engine has come to its end.
    Ended,
}

/// When the next turn is due.
pub(in crate::live) struct Schedule {
    /// When time alone asks for a turn.
    due_at: Option<Timestamp>,
    /// A turn is due for another reason than time or a write.
    due: bool,
    /// The store failed: the next turn comes after a pause.
    failed: bool,
    /// What others have committed could not be read: it is looked at again after a pause.
    looks_again: bool,
    write_lock: WriteLockHeld,
}

impl Schedule {
    /// The schedule of an engine that begins: with a turn.
    pub(in crate::live) fn new() -> Self {
        Self {
            due_at: None,
            due: true,
            failed: false,
            looks_again: false,
            write_lock: WriteLockHeld::default(),
        }
    }

    /// A turn is due at once.
    pub(in crate::live) fn ask(&mut self) {
        self.due = true;
    }

    /// The store failed: a turn is due after a pause.
    pub(in crate::live) fn store_failed(&mut self) {
        self.failed = true;
        self.due = true;
    }

    /// What others have committed could not be read: a turn is due, and another look
    /// after a pause.
    pub(in crate::live) fn look_again(&mut self) {
        self.looks_again = true;
        self.due = true;
    }

    /// What others have committed was read.
    pub(in crate::live) fn looked(&mut self) {
        self.looks_again = false;
    }

    /// A turn begins.
    pub(in crate::live) fn turn_begins(&mut self) {
        self.due = false;
        self.failed = false;
    }

    /// A turn was carried out. `is_cut`: another one is due at once.
    pub(in crate::live) fn turn_ended(&mut self, core: &mut Core, time: TurnTime, is_cut: bool) {
        let ended = core.time.monotonic();
        self.write_lock.held(time.real.monotonic, ended, is_cut);
        self.due |= is_cut;
    }

    /// Whether others have to get the write lock before the next turn. Asked once
    /// for each turn.
    pub(in crate::live) fn take_held_long(&mut self) -> bool {
        self.write_lock.take_held_long()
    }

    /// Whether a turn is due. Simulated time jumps to it, if it `may_jump`.
    pub(in crate::live) fn is_due(&self, core: &mut Core, may_jump: bool) -> bool {
        if self.due || core.conflicts.has_rested(core.time.monotonic()) {
            return true;
        }
        let Some(due_at) = self.due_at else {
            return false;
        };
        if core.settings.simulated && may_jump {
            core.time.jump(due_at);
        }
        due_at <= core.now()
    }

    /// Plans when time alone asks for the next turn, after `now`: the reading up to
    /// which everything due was looked at. A later one would lose what came to be
    /// due in between. Answers that time.
    pub(in crate::live) fn plan(
        &mut self,
        core: &mut Core,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        match next_due(core, now) {
            Ok(due_at) => {
                report::over(core, "due");
                self.due_at = due_at;
                Ok(due_at)
            }
            Err(error) => {
                let text = format!("when the next turn is due cannot be told: {error}");
                report::error(core, "due", &text);
                self.store_failed();
                Err(error)
            }
        }
    }

    /// What comes after an iteration, as far as is known. `is_asked`: there are
    /// messages to take; `has_waiting`: there are writes that wait for a turn;
    /// `until_stopped`: how long workers that were told to end are waited for.
    pub(in crate::live) fn next(
        &self,
        core: &Core,
        is_asked: bool,
        has_waiting: bool,
        until_stopped: Option<Duration>,
    ) -> Next {
        if self.failed {
            let pause_ms = milliseconds(STORE_RETRY_PAUSE);
            return Next::At(core.now().saturating_add(pause_ms));
        }
        if self.due || is_asked || core.pool.is_woken() {
            return Next::Now;
        }
        let now = core.now();
        let again_at = now.saturating_add(milliseconds(ANSWER_RETRY_PAUSE));
        let again_at = has_waiting.then_some(again_at);
        let look_ms = milliseconds(STORE_RETRY_PAUSE);
        let look_at = self.looks_again.then(|| now.saturating_add(look_ms));
        let expiry = core.waiting_claims.until_expiry(core.time.monotonic());
        let after = |span| now.saturating_add(milliseconds(rounded_up(span)));
        let rested = core.conflicts.until_rested(core.time.monotonic());
        let [expiry_at, stopped_at, rested_at] =
            [expiry, until_stopped, rested].map(|span| span.map(after));
        match self.due_at {
            // Simulated time does not have to be waited for.
            Some(_) if core.settings.simulated => Next::Now,
            Some(due_at) if due_at <= now => Next::Now,
            due_at => {
                let all = [due_at, again_at, look_at, expiry_at, stopped_at, rested_at];
                let first = all.into_iter().flatten().min();
                first.map_or(Next::WhenAsked, Next::At)
            }
        }
    }

    /// How long to leave a store alone that failed; `None` if it did not fail.
    pub(in crate::live) fn retry_pause(&self) -> Option<Duration> {
        self.failed.then_some(STORE_RETRY_PAUSE)
    }
}

fn next_due(core: &mut Core, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let tenant = core.settings.tenant.clone();
    // Simulated workers are on every queue, and always free.
    let queues = match core.settings.simulated {
        true => core.agenda().waiting_queues(&tenant)?,
        false => core.free_queues(),
    };
    let stored = core.agenda().next_due(&tenant, &queues, now)?;
    let renewal = core.pool.first_renewal();
    let monotonic = core.time.monotonic();
    let leases = core.leases.until_end(monotonic).map(|span| {
        let span_ms = milliseconds(rounded_up(span));
        now.saturating_add(span_ms)
    });
    let left = core.backlog.next_due();
    // What is past and not done belongs to executions that rest, and is done after that.
    let rests = core.conflicts.until_rested(monotonic).is_some();
    let [renewal, left] = [renewal, left].map(|at| at.filter(|at| !rests || *at > now));
    Ok([stored, renewal, leases, left].into_iter().flatten().min())
}

/// For how long an engine has held the store's write lock without leaving it alone.
///
/// Who waits for the lock looks at it now and then. Gaps between turns that are each too
/// short for that let him in by chance only, so they count for as much as they are
/// together.
#[derive(Debug, Default)]
struct WriteLockHeld {
    /// All turns together since the lock was last left alone.
    held: Duration,
    /// All gaps between these turns together.
    free: Duration,
    /// When the last turn ended.
    ended: Duration,
    /// Whether the last turn was cut off.
    is_cut: bool,
}

impl WriteLockHeld {
    /// A turn has held the lock from one time to another. `is_cut`: it was cut off.
    fn held(&mut self, began: Duration, ended: Duration, is_cut: bool) {
        self.free = self.free.saturating_add(began.saturating_sub(self.ended));
        if self.free >= LOCK_LEFT_ALONE {
            (self.held, self.free) = (Duration::ZERO, Duration::ZERO);
        }
        self.held = self.held.saturating_add(ended.saturating_sub(began));
        self.ended = ended;
        self.is_cut = is_cut;
    }

    /// Whether the lock was held for long; it is to be left alone then.
    fn take_held_long(&mut self) -> bool {
        let long = match self.is_cut {
            true => LOCK_HELD_LONG,
            false => LOCK_HELD_LONG_BY_MANY,
        };
        let held_long = self.held >= long;
        if held_long {
            (self.held, self.free) = (Duration::ZERO, Duration::ZERO);
        }
        held_long
    }
}

/// The log knows whole milliseconds only.
fn rounded_up(span: Duration) -> Duration {
    span.saturating_add(Duration::from_nanos(999_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns of this length follow one another after gaps of this length, for so long.
    /// How often the lock is left alone.
    fn left_alone(turn: Duration, gap: Duration, is_cut: bool, turns: u32) -> u32 {
        let mut lock = WriteLockHeld::default();
        let (mut now, mut left_alone) = (Duration::from_secs(1), 0);
        for _ in 0..turns {
            lock.held(now, now + turn, is_cut);
            now += turn + gap;
            if lock.take_held_long() {
                left_alone += 1;
                now += LOCK_LEFT_ALONE;
            }
        }
        left_alone
    }

    /// Turns that are each a little too short to be noticed must not keep others
    /// from the lock for ever.
    #[test]
    fn law3_turns_that_together_hold_the_lock_for_long_leave_it_alone() {
        let short = LOCK_HELD_LONG.mul_f64(0.9);
        assert_eq!(left_alone(short, Duration::ZERO, true, 10), 5);
        let long = LOCK_HELD_LONG_BY_MANY / 4;
        let moment = LOCK_LEFT_ALONE / 100;
        assert_eq!(left_alone(long, moment, false, 40), 10);
        // A workflow alone on a slow disk, which waits for its worker a moment each time.
        assert_eq!(left_alone(LOCK_HELD_LONG, moment, false, 100), 10);
    }

    /// An engine that leaves it alone now and then anyway need not wait on purpose.
    #[test]
    fn law3_gaps_in_which_others_find_the_lock_free_count() {
        let short = LOCK_HELD_LONG.mul_f64(0.9);
        assert_eq!(left_alone(short, LOCK_LEFT_ALONE, true, 100), 0);
        // Quick turns on a quick disk, a fifth of the time free.
        let quick = Duration::from_micros(40);
        assert_eq!(left_alone(quick, quick / 4, false, 100_000), 0);
    }
}
