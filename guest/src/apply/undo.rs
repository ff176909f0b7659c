//! Compensations: what is kept for them, and when they may begin (rule R27).

use alloc::format;

use super::refusal::{Refusal, refuse};
use super::wait::check_state_room;
use crate::contract::RefusalCode as Code;
use crate::guards::next_compensation;
use crate::instance::RunIx;
use crate::json::Object;
use crate::limits::STATE_BYTES_MAX;
use crate::machine::Machine;
use crate::state::UndoRecord;

/// The bytes of an output that are kept, if the run has a compensation.
fn kept_bytes(machine: &Machine, run: RunIx, output: &str) -> usize {
    let is_undone = machine.node(run).compensation.is_some() && !run.is_undo();
    if is_undone {
        output.trim_ascii().len()
    } else {
        0
    }
}

/// Refuse an output for which there is no room besides the state.
pub(super) fn check_room(
    machine: &Machine,
    run: RunIx,
    output: &str,
    patch: &Object,
) -> Result<(), Refusal> {
    let kept = kept_bytes(machine, run, output);
    let patched = (run.is_own() || kept > 0).then(|| match run.is_own() {
        true => machine.state.data.bytes_with(patch),
        false => machine.state.data.bytes_with(&Object::new()),
    });
    patched.map_or(Ok(()), |bytes| check_state_room(machine, bytes + kept))
}

/// Whether there is room for a state of so many bytes and this output.
pub(super) fn has_room(machine: &Machine, run: RunIx, output: &str, state_bytes: usize) -> bool {
    let kept = kept_bytes(machine, run, output) as u64;
    let all = (state_bytes as u64).saturating_add(machine.state.kept_bytes);
    all.saturating_add(kept) <= STATE_BYTES_MAX as u64
}

/// A worker, or a child, has completed a run with this output: what undoes it is there from
/// now on, if anything does.
pub(super) fn keep(machine: &mut Machine, run: RunIx, output: &str) {
    let node = machine.node(run);
    if node.compensation.is_none() {
        return;
    }
    let max_attempts = node.retry.max_attempts;
    let completed = machine.state.sequence + 1;
    let output = output.trim_ascii();
    machine.state.kept_bytes += output.len() as u64;
    machine.add_undo(run, UndoRecord::new(completed, output, max_attempts));
}

/// Whether it is this compensation's time: nothing is under way, and all that was completed
/// later is undone.
pub(super) fn check_turn(machine: &Machine, run: RunIx) -> Result<(), Refusal> {
    if next_compensation(machine) == Some(run) {
        return Ok(());
    }
    refuse(
        Code::TooEarly,
        format!(
            "the time of the compensation `{}` has not come",
            machine.node_id(run)
        ),
    )
}

/// From the first compensation on, the execution does not complete any more.
pub(super) fn enter(machine: &mut Machine, run: RunIx) {
    machine.state.compensating |= run.is_undo();
}
