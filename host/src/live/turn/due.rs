//! Executions whose time has come are stepped, one after the other and all round
//! again.
//!
//! A turn takes a bounded number of them, and as many as its budget lets it. The
//! next turn goes on behind the last that was taken, so that each has its turn
//! however many there are: those whose scheduler asks to be woken at times that
//! have passed come first in the order of time, and would hide all others for ever.
//!
//! A wake that has passed counts as one that is due now. An execution that was
//! stepped just now, and still asks for one, is looked at again after a pause:
//! at the same reading of the clock it would decide the same.

use crate::error::EngineError;
use crate::id::ExecutionId;

use super::agenda::Agenda;
use super::backlog::DueRounds;
use super::budget::Phase;
use super::damaged::{look, or_set_aside};
use super::late_steps::step_now;
use super::open_turn::OpenTurn;

/// Wakes the executions whose time has come.
pub(in crate::live) fn wake_due(turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
    let now = turn.transaction.now();
    let core = &mut *turn.transaction.core;
    let simulated = core.settings.simulated;
    let max = core.settings.turn_limits.wakes;
    let after = turn.backlog.due.after();
    let ask = |agenda: &mut Agenda<'_>, max| agenda.due(now, after, max);
    let due = look(core, max, ask, |wake| Some(wake.execution))?;
    let mut is_cut = due.len() == max;
    let mut last = after;
    for wake in due {
        if !wake_one(turn, wake.execution)? {
            is_cut = true;
            break;
        }
        last = Some(wake);
    }
    if is_cut {
        turn.transaction.budget.cut_off();
        // What is left out of this turn for a conflict may stand before the last one, and
        // comes into the next turn: that begins where this one did.
        let conflicts = &turn.transaction.core.conflicts;
        let behind = if conflicts.try_again() { after } else { last };
        turn.backlog.due = DueRounds::cut_behind(behind);
        return Ok(());
    }
    turn.backlog.due = DueRounds::done();
    // An execution that came to be due before the place where this turn began is
    // found in the next round.
    if after.is_some() && !simulated {
        turn.backlog.due.look_again_after(now);
    }
    Ok(())
}

/// An execution is due: it goes on, or comes after the others. Says whether the
/// turn's budget let it.
fn wake_one(turn: &mut OpenTurn<'_>, id: ExecutionId) -> Result<bool, EngineError> {
    let transaction = &mut turn.transaction;
    let now = transaction.now();
    let opened = transaction
        .open(id)
        .map(|staged| (staged.owed || staged.is_due(now)).then_some(staged.owed));
    match or_set_aside(transaction.core, id, opened)?.flatten() {
        // It was set aside, or it has caught up because it was told something.
        None => {}
        Some(owed) if owed || transaction.core.costly.contains(id) => turn.backlog.late.push(id),
        Some(_) if !transaction.may(Phase::Time) => return Ok(false),
        Some(_) => {
            transaction.budget.took_fact();
            transaction.to_step.remove(&id);
            step_now(turn, id)?;
        }
    }
    Ok(true)
}

/// Remembers executions that have been stepped as far as they go and still ask for
/// a wake that has passed. In simulated time there is nothing to wait for: it stands
/// still until something is due.
pub(in crate::live) fn look_again_at_past_wakes(turn: &mut OpenTurn<'_>) {
    let now = turn.transaction.now();
    if turn.transaction.core.settings.simulated {
        return;
    }
    let asks_for_the_past = turn.transaction.staged.values().any(|staged| {
        let record = &staged.record;
        !staged.owed && record.next_wake.is_some_and(|wake| wake <= now)
    });
    if asks_for_the_past {
        turn.backlog.due.look_again_after(now);
    }
}
