//! Within a turn: executions whose time has come, one after the other and all
//! round again.
//!
//! A turn takes a bounded number of them, and as many as its budget lets it. The next one goes on behind the last
//! that was taken, so that each has its turn however many there are: those
//! whose scheduler asks to be woken at times that have passed come first in the
//! order of time, and would hide all others for ever.
//!
//! A wake that has passed counts as one that is due now. An execution that was
//! ticked just now, and still asks for one, is looked at again after a pause:
//! at the same reading of the clock it would decide the same.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::PAST_WAKE_PAUSE_MS;
use crate::store::{DueWake, Timestamp};

use super::budget::Phase;
use super::open_turn::OpenTurn;
use super::scope::Agenda;

/// How far the engine has come with those that are due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rounds {
    /// Behind which to go on; none: from the beginning.
    after: Option<DueWake>,
    /// When to look again, though nothing new is due then.
    again_at: Option<Timestamp>,
}

impl Rounds {
    /// When to look again, though nothing new is due then.
    pub(crate) fn again_at(&self) -> Option<Timestamp> {
        self.again_at
    }
}

impl OpenTurn<'_> {
    /// Executions whose time has come are to be ticked.
    pub(crate) fn wake_due(&mut self) -> Result<(), EngineError> {
        let simulated = self.core.settings.simulated;
        let now = self.now();
        let max = self.core.settings.turn_limits.wakes;
        let after = self.rounds.after;
        let ask = |agenda: &mut Agenda<'_>, max| agenda.due(simulated, now, after, max);
        let (due, _) = self.core.look(max, ask, |wake| Some(wake.execution))?;
        let mut is_cut = due.len() == max;
        let mut last = after;
        for wake in due {
            if !self.wake(wake.execution)? {
                is_cut = true;
                break;
            }
            last = Some(wake);
        }
        self.cut |= is_cut;
        // What came to be due before the place where this turn began is found
        // in the next round.
        let next_round = !is_cut && after.is_some() && !simulated;
        self.rounds = Rounds {
            after: last.filter(|_| is_cut),
            again_at: next_round.then(|| pause_after(now)),
        };
        Ok(())
    }

    /// An execution is due: it goes on, or comes after the others. Says whether
    /// the turn's budget let it.
    fn wake(&mut self, id: ExecutionId) -> Result<bool, EngineError> {
        let opened = self.open(id).map(|staged| staged.owed);
        match self.others_go_on(id, opened)? {
            None => {}
            Some(owed) if owed || self.core.costly.contains(id) => self.late.push(id),
            Some(_) if !self.may(Phase::Time) => return Ok(false),
            Some(_) => {
                self.facts += 1;
                self.dirty.remove(&id);
                let ticked = self.tick(id);
                self.others_go_on(id, ticked)?;
            }
        }
        Ok(true)
    }

    /// When all that is to be ticked has been: who still asks for a wake that
    /// has passed is not forgotten. Not in simulated time, which stands until
    /// something is due: there is nothing to wait for.
    pub(crate) fn look_again_at_past_wakes(&mut self) {
        let now = self.now();
        if self.core.settings.simulated {
            return;
        }
        let asks_for_the_past = self.staged.values().any(|staged| {
            let record = &staged.record;
            !record.simulated && !staged.owed && record.next_wake.is_some_and(|wake| wake <= now)
        });
        if asks_for_the_past {
            self.rounds.again_at.get_or_insert(pause_after(now));
        }
    }
}

fn pause_after(now: Timestamp) -> Timestamp {
    now.saturating_add(PAST_WAKE_PAUSE_MS)
}
