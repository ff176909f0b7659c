//! What happens in a turn, and in which order.

use crate::error::EngineError;
use crate::store::Turn;

use super::child_rows::look;
use super::children::carry_out;
use super::claim_requests::claim_for_all;
use super::core::Core;
use super::due::{look_again_at_past_wakes, wake_due};
use super::late_steps::{step_all, step_late};
use super::leases::{expire, expire_gone, renew_own};
use super::lost_slots::free_lost_slots;
use super::open_turn::{Effects, OpenTurn};
use super::releases::release;
use super::report;
use super::simulation::simulate;
use super::snapshots::take_snapshots;
use super::tampered;
use super::write::Write;
use super::writes::{apply, apply_late};
use crate::live::values::work::ClaimId;

/// Fills a turn: first what callers and workers asked for, then what time brings,
/// then steps and claims until nothing moves, and nothing more was asked for; then
/// those that come after the others. Each as far as the turn's budget reaches.
/// `None` if the turn is to be done anew, without what was set aside.
pub(in crate::live) fn fill(
    core: &mut Core,
    writes: &mut Vec<Box<dyn Write>>,
    writes_max: usize,
    more: &mut dyn FnMut() -> Option<Box<dyn Write>>,
) -> Result<Option<(Turn, Effects)>, EngineError> {
    let simulated = core.settings.simulated;
    let mut open_turn = open(core)?;
    let time = open_turn.transaction.time;
    let turn = &mut open_turn;
    renew_own(turn)?;
    apply(turn, writes, 0)?;
    let nothing_due = &turn.transaction.core.known.nothing_due;
    let may_be_due = nothing_due.may_be_due(time.at);
    if may_be_due {
        expire(turn)?;
    }
    expire_gone(turn)?;
    if may_be_due {
        wake_due(turn)?;
    }
    loop {
        step_all(turn)?;
        if carry_out(turn)? {
            continue;
        }
        free_lost_slots(turn);
        let moved = if simulated {
            simulate(turn)?
        } else {
            claim_for_all(turn, None)?
        };
        if moved {
            continue;
        }
        // Workers answer one after another. Each answer in a turn of its own would
        // cost each of them a commit.
        let before = writes.len();
        while writes.len() < writes_max
            && let Some(write) = more()
        {
            writes.push(write);
        }
        apply(turn, writes, before)?;
        let moved = writes.len() > before || step_late(turn)? || apply_late(turn, writes)?;
        if !moved {
            break;
        }
    }
    look_again_at_past_wakes(turn);
    take_snapshots(&mut turn.transaction)?;
    // A worker that lost its claim only now leaves its slot to the next turn.
    if free_lost_slots(turn) {
        turn.transaction.budget.cut_off();
    }
    Ok(closed(open_turn))
}

/// Fills a turn with the release of one claim, and with nothing else: of an engine that
/// comes to its end because it cannot go on.
pub(in crate::live) fn fill_with_release(
    core: &mut Core,
    claim: &ClaimId,
) -> Result<Option<(Turn, Effects)>, EngineError> {
    let worker_id = core.settings.worker_id.clone();
    let mut turn = open(core)?;
    match release(&mut turn, claim, Some(&worker_id)) {
        // What it held was settled or lost before.
        Ok(_) | Err(EngineError::Stale { .. }) => {}
        Err(error) => return Err(error),
    }
    step_all(&mut turn)?;
    Ok(closed(turn))
}

/// A turn of now, with nothing in it.
fn open(core: &mut Core) -> Result<OpenTurn<'_>, EngineError> {
    let version = core.store.get().version()?;
    core.known.as_of(version);
    core.set_aside.as_of(version);
    look(core, version)?;
    core.waiting_claims.begin_turn(version);
    let time = core.turn_time()?;
    report::set_time(core, time.real.monotonic);
    Ok(OpenTurn::new(core, time))
}

/// The turn as one write; `None` if it is to be done anew.
fn closed(mut turn: OpenTurn<'_>) -> Option<(Turn, Effects)> {
    if turn.transaction.is_undone {
        return None;
    }
    tampered::mark(&mut turn.transaction);
    Some(turn.close())
}
