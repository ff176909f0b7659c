//! What callers and workers asked for is done, in order of arrival.
//!
//! A write to an execution that is owed a step, or whose calls are costly, comes
//! after the others; a write that does not fit into the turn waits for the next.
//! It keeps its place, and is answered when it is written. So does a write to an
//! execution that is left out of the turn because of a conflict.

use crate::error::EngineError;
use crate::limits::COSTLY_CALL_FUEL;

use super::budget::Phase;
use super::open_turn::OpenTurn;
use super::write::Write;

/// Applies the writes from this place on.
pub(in crate::live) fn apply(
    turn: &mut OpenTurn<'_>,
    writes: &mut [Box<dyn Write>],
    from: usize,
) -> Result<(), EngineError> {
    for place in from..writes.len() {
        let phase = Phase::Writes;
        if !turn.transaction.may(phase) || !apply_one(turn, writes, place, phase)? {
            turn.waiting.push(place);
        }
    }
    Ok(())
}

/// Applies writes that had to come after the others, until they have burnt as much as one
/// costly call: whoever else has something to do by then is kept waiting no longer. Says
/// whether there were any.
pub(in crate::live) fn apply_late(
    turn: &mut OpenTurn<'_>,
    writes: &mut [Box<dyn Write>],
) -> Result<bool, EngineError> {
    let fuel_before = turn.transaction.budget.fuel();
    let mut any = false;
    while let Some(place) = turn.waiting.next() {
        let before = turn.transaction.budget.assured();
        let phase = Phase::LateWrites;
        if !turn.transaction.may(phase) {
            break;
        }
        turn.waiting.try_again(place);
        if apply_one(turn, writes, place, phase)? {
            turn.waiting.done(place);
            any = true;
            let burnt = turn.transaction.budget.fuel() - fuel_before;
            // An execution that is owed a step now takes none of the next writes before.
            if burnt >= COSTLY_CALL_FUEL || !turn.backlog.late.is_empty() {
                return Ok(true);
            }
            continue;
        }
        // It took nothing.
        turn.transaction.budget.assure(before);
    }
    if !turn.waiting.is_empty() {
        turn.transaction.budget.cut_off();
    }
    Ok(any)
}

/// Applies a write. Says whether it was done; otherwise it has to wait.
fn apply_one(
    turn: &mut OpenTurn<'_>,
    writes: &mut [Box<dyn Write>],
    place: usize,
    phase: Phase,
) -> Result<bool, EngineError> {
    turn.waiting.begin(phase);
    // What others have met is not this write's.
    turn.transaction.core.conflicts.take_met();
    let applied = writes[place].apply(turn);
    let done = turn.waiting.end() && !turn.transaction.core.conflicts.take_met();
    applied.map(|()| done)
}
