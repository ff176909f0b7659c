//! A fork goes its own way (law 11).

use alloc::vec::Vec;

use super::attempt::take_back_claim;
use super::wait::wait_anew;
use crate::contract::NodeState;
use crate::machine::Machine;
use crate::time::Timestamp;
use crate::workflow::plan::NodeIx;

/// The workers, and the people who were asked, are those of the execution that this
/// one was forked from, and none of them will answer here: what was in flight waits
/// again, and waits begin anew. What has come already stays, and so does all that
/// operators and the host have asked for. Each deadline counts from now.
pub(super) fn forked(machine: &mut Machine, at: Timestamp, sequence: u64) {
    machine.state.forked = Some((sequence, at));
    let active: Vec<NodeIx> = machine.agenda.active.iter().collect();
    for ix in active {
        let record = machine.record(ix);
        match record.state {
            NodeState::Running => take_back_claim(machine, ix),
            NodeState::Waiting if record.wait_result.is_none() => wait_anew(machine, ix),
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
