//! A fork goes its own way (law 11).

use alloc::vec::Vec;

use super::attempt::take_back_claim;
use super::child::request_anew;
use super::wait::wait_anew;
use crate::contract::NodeState;
use crate::guards::active_runs;
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::time::Timestamp;
use crate::workflow::plan::Kind;

/// The workers, and the people who were asked, are those of the execution that this
/// one was forked from, and none of them will answer here: what was in flight waits
/// again, and waits begin anew. What has come already stays, and so does all that
/// operators and the host have asked for. Each deadline counts from now.
pub(super) fn forked(machine: &mut Machine, at: Timestamp, sequence: u64) {
    machine.state.forked = Some((sequence, at));
    let active = machine.agenda.active.iter();
    let active = active.flat_map(|ix| active_runs(machine, ix));
    let undo = machine.agenda.undos.active.map(RunIx::undo);
    let active: Vec<RunIx> = active.chain(undo).collect();
    for run in active {
        let record = machine.record(run);
        let is_map = run.is_own() && matches!(machine.node(run).kind, Kind::Map(_));
        match record.state {
            NodeState::Running => take_back_claim(machine, run),
            NodeState::Waiting if machine.subgraph(run).is_some() => request_anew(machine, run),
            // A map waits for its instances, and its elements stay what they are.
            NodeState::Waiting if record.wait_result.is_none() && !is_map => {
                wait_anew(machine, run.node);
            }
            NodeState::Pending
            | NodeState::Ready
            | NodeState::Scheduled
            | NodeState::Failing
            | NodeState::BackingOff
            | NodeState::Waiting
            | NodeState::Completed
            | NodeState::Failed
            | NodeState::Skipped
            | NodeState::Cancelled => {}
        }
    }
}
