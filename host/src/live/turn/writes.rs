//! What callers and workers asked for is done, in order of arrival.
//!
//! A write to an execution that is owed a step, or whose calls are costly, comes
//! after the others; a write that does not fit into the turn waits for the next.
//! It keeps its place, and is answered when it is written. So does a write to an
//! execution that is left out of the turn because of a conflict.

use crate::error::EngineError;

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

/// Applies one write that had to come after the others. Says whether there was one.
pub(in crate::live) fn apply_late(
    turn: &mut OpenTurn<'_>,
    writes: &mut [Box<dyn Write>],
) -> Result<bool, EngineError> {
    while let Some(place) = turn.waiting.next() {
        let before = turn.transaction.budget.assured();
        let phase = Phase::LateWrites;
        if !turn.transaction.may(phase) {
            break;
        }
        turn.waiting.try_again(place);
        if apply_one(turn, writes, place, phase)? {
            turn.waiting.done(place);
            return Ok(true);
        }
        // It took nothing.
        turn.transaction.budget.assure(before);
    }
    if !turn.waiting.is_empty() {
        turn.transaction.budget.cut_off();
    }
    Ok(false)
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
