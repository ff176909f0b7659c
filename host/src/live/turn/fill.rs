//! What happens in a turn, and in which order.

use crate::error::EngineError;
use crate::store::Turn;

use super::core::Core;
use super::open_turn::{Effects, OpenTurn};
use super::write::Write;

impl Core {
    /// The order within a turn: what was said, then what time brings, then
    /// ticks and claims until nothing moves, and nothing more was said; then those
    /// that come after the others. Each as far as the turn's budget reaches. None:
    /// it is to be done anew, without what was set aside.
    pub(in crate::live) fn fill(
        &mut self,
        writes: &mut Vec<Box<dyn Write>>,
        writes_max: usize,
        more: &mut dyn FnMut() -> Option<Box<dyn Write>>,
    ) -> Result<Option<(Turn, Effects)>, EngineError> {
        let version = self.store.get().version()?;
        self.known.as_of(version);
        self.set_aside.as_of(version);
        let time = self.turn_time()?;
        self.tells_at(time.real.monotonic);
        let simulated = self.settings.simulated;
        let mut turn = OpenTurn::new(self, time);
        turn.renew_own()?;
        turn.apply(writes, 0)?;
        let may_be_due = turn.core.known.nothing_due.may_be_due(time.of(simulated));
        if may_be_due {
            turn.expire()?;
        }
        turn.expire_gone()?;
        if may_be_due {
            turn.wake_due()?;
        }
        loop {
            turn.tick_all()?;
            turn.free_lost_slots();
            let moved = if simulated {
                turn.simulate()?
            } else {
                turn.claim_for_groups()?
            };
            if moved {
                continue;
            }
            // Workers answer one after another. Each answer in a turn of its
            // own would cost each of them a commit.
            let said = writes.len();
            while writes.len() < writes_max
                && let Some(write) = more()
            {
                writes.push(write);
            }
            turn.apply(writes, said)?;
            let moved = writes.len() > said || turn.serve_late()? || turn.apply_late(writes)?;
            if !moved {
                break;
            }
        }
        turn.look_again_at_past_wakes();
        turn.take_snapshots()?;
        // Whoever lost a claim only now leaves a slot to the next turn.
        turn.cut |= turn.free_lost_slots();
        if turn.undone {
            return Ok(None);
        }
        turn.mark_tampered();
        Ok(Some(turn.close()))
    }
}
