//! When the next turn is due, and why.

use std::time::Duration;

use crate::clock::milliseconds;
use crate::limits::{ANSWER_RETRY_PAUSE, LOCK_HELD_LONG, STORE_RETRY_PAUSE};
use crate::queues;
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
    /// The last turn held the write lock for long, and the next one is due: others
    /// have to get it in between.
    held_long: bool,
}

impl Schedule {
    /// The schedule of an engine that begins: with a turn.
    pub(in crate::live) fn new() -> Self {
        Self {
            due_at: None,
            due: true,
            failed: false,
            held_long: false,
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

    /// A turn begins.
    pub(in crate::live) fn turn_begins(&mut self) {
        self.due = false;
        self.failed = false;
    }

    /// A turn was carried out. `is_cut`: another one is due at once.
    pub(in crate::live) fn turn_ended(&mut self, core: &mut Core, time: TurnTime, is_cut: bool) {
        let held = core.time.monotonic().saturating_sub(time.real.monotonic);
        self.held_long = is_cut && held > LOCK_HELD_LONG;
        self.due |= is_cut;
    }

    /// Whether others have to get the write lock before the next turn. Asked once
    /// for each turn.
    pub(in crate::live) fn take_held_long(&mut self) -> bool {
        std::mem::take(&mut self.held_long)
    }

    /// Whether a turn is due. Simulated time jumps to it, if it `may_jump`.
    pub(in crate::live) fn is_due(&self, core: &mut Core, may_jump: bool) -> bool {
        if self.due {
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
    /// messages to take; `has_waiting`: there are writes that wait for a turn.
    pub(in crate::live) fn next(&self, core: &Core, is_asked: bool, has_waiting: bool) -> Next {
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
        let expiry = core.waiting_claims.until_expiry(core.time.monotonic());
        let expiry_at = expiry.map(|span| now.saturating_add(milliseconds(rounded_up(span))));
        match self.due_at {
            // Simulated time does not have to be waited for.
            Some(_) if core.settings.simulated => Next::Now,
            Some(due_at) if due_at <= now => Next::Now,
            due_at => match due_at.into_iter().chain(again_at).chain(expiry_at).min() {
                Some(at) => Next::At(at),
                None => Next::WhenAsked,
            },
        }
    }

    /// How long to leave a store alone that failed; `None` if it did not fail.
    pub(in crate::live) fn retry_pause(&self) -> Option<Duration> {
        self.failed.then_some(STORE_RETRY_PAUSE)
    }
}

fn next_due(core: &mut Core, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let simulated = core.settings.simulated;
    // Simulated workers are on every queue, and always free.
    let queues = match simulated {
        true => queues::ALL.map(str::to_owned).to_vec(),
        false => core.free_queues(),
    };
    let stored = core.agenda().next_due(simulated, &queues, now)?;
    let renewal = core
        .pool
        .first_expiry()
        .map(|expiry| expiry.saturating_sub(core.settings.renewal_ms()));
    let monotonic = core.time.monotonic();
    let leases = core.leases.until_end(monotonic).map(|span| {
        let span_ms = milliseconds(rounded_up(span));
        now.saturating_add(span_ms)
    });
    let left = core.backlog.next_due();
    Ok([stored, renewal, leases, left].into_iter().flatten().min())
}

/// The log knows whole milliseconds only.
fn rounded_up(span: Duration) -> Duration {
    span.saturating_add(Duration::from_nanos(999_999))
}
