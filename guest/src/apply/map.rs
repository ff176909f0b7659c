//! Maps: their elements are fixed, and what becomes of a map is no more than what has
//! become of its instances (rule R21).

use alloc::format;

use super::refusal::{Refusal, check_own, check_step, refuse};
use crate::contract::{MapExpanded, NodeFailure, NodeState, RefusalCode as Code};
use crate::guards::{MapItems, map_items};
use crate::json::elements;
use crate::limits::JSON_DEPTH_MAX;
use crate::machine::Machine;
use crate::node::Step;
use crate::state::Instances;
use crate::time::Timestamp;
use crate::verdict::Verdict;
use crate::workflow::plan::{Kind, NodeIx};

/// The elements are fixed, and the map waits for its instances.
pub(super) fn expanded(
    machine: &mut Machine,
    at: Timestamp,
    decision: &MapExpanded,
) -> Result<(), Refusal> {
    let id = &decision.node_id;
    let run = check_step(machine, id, Step::Wait)?;
    let ix = check_own(machine, run)?;
    let Kind::Map(map) = &machine.node(ix).kind else {
        return refuse(Code::WrongState, format!("node `{id}` is no map"));
    };
    let list = match map_items(machine, map) {
        MapItems::List(list, count) if count == decision.count => list,
        MapItems::List(_, count) => {
            return refuse(
                Code::Unfounded,
                format!(
                    "the map `{id}` is over {count} elements, not {}",
                    decision.count
                ),
            );
        }
        MapItems::Fault(_) => {
            return refuse(
                Code::Unfounded,
                format!("what the map `{id}` is over is no list that it may be over"),
            );
        }
    };
    let instances = Instances::new(elements(&list), machine.node(ix).retry.max_attempts);
    machine.state.instances.insert(ix, instances);
    machine.agenda.maps.insert(ix, Default::default());
    machine.change(ix, |node| {
        node.take(Step::Wait);
        node.started_at = Some(at);
        node.ended_at = None;
    });
    Ok(())
}

/// Whether a map can fail for good, for this reason.
pub(super) fn map_may_fail(machine: &Machine, ix: NodeIx, cause: &NodeFailure) -> bool {
    let Kind::Map(map) = &machine.node(ix).kind else {
        return false;
    };
    match (machine.record(ix).state, machine.verdict(ix)) {
        (NodeState::Ready, _) => {
            matches!(map_items(machine, map), MapItems::Fault(found) if found == *cause)
        }
        (_, Some(Verdict::TooManyFailed)) => matches!(cause, NodeFailure::InstancesFailed(_)),
        (_, Some(Verdict::TooLarge | Verdict::Complete)) => {
            matches!(cause, NodeFailure::TooLarge(_))
        }
        (_, None) => false,
    }
}

/// An instance has completed with this output, which is kept while its map waits.
pub(super) fn keep_output(machine: &mut Machine, ix: NodeIx, index: u32, output: &str) {
    if machine.record(ix).state != NodeState::Waiting {
        return;
    }
    let output = output.trim_ascii();
    let Some(instances) = machine.state.instances.get_mut(&ix) else {
        return;
    };
    // The comma counts, too.
    instances.output_bytes += output.len() as u64 + 1;
    instances.is_too_deep |= is_too_deep(output);
    instances.touch(index).output = Some(output.into());
}

/// Whether a value cannot stand in a list that is a value in an object.
fn is_too_deep(json: &str) -> bool {
    const LEVELS: usize = 2;
    let opened = json.bytes().filter(|byte| matches!(byte, b'[' | b'{'));
    opened.count() + LEVELS > JSON_DEPTH_MAX && crate::json::check(&format!("[[{json}]]")).is_err()
}

/// A map that has completed needs neither its elements any more nor the outputs.
pub(super) fn shed(machine: &mut Machine, ix: NodeIx) {
    let are_undone = machine.node(ix).compensation.is_some();
    if let Some(instances) = machine.state.instances.get_mut(&ix) {
        instances.shed(are_undone);
    }
}

/// A map that is settled passes over what was asked for its instances: they are
/// stopped, or go on and change nothing.
pub(super) fn forget_skips(machine: &mut Machine, ix: NodeIx) {
    machine
        .state
        .skips
        .retain(|asked| asked.node != ix || asked.is_own());
}

/// Rule R20, for a failed map: its failed instances and those that were stopped are
/// ready once more, with fresh budgets of attempts, and so are those under way.
pub(super) fn reopen(machine: &mut Machine, ix: NodeIx) {
    machine.change(ix, |node| node.take(Step::Wait));
    let budget = machine.node(ix).retry.max_attempts;
    let count = machine.instances(ix).runs.len();
    for index in (0..).take(count) {
        let run = crate::instance::RunIx::of_instance(ix, index);
        let Some(found) = machine.instances(ix).touched(index) else {
            continue;
        };
        let reopens = match found.record.state {
            NodeState::Failed => true,
            NodeState::Cancelled => !crate::agenda::counts_as_skipped(&found.record),
            NodeState::Completed | NodeState::Skipped => continue,
            NodeState::Pending
            | NodeState::Ready
            | NodeState::Scheduled
            | NodeState::Running
            | NodeState::Failing
            | NodeState::BackingOff
            | NodeState::Waiting => false,
        };
        machine.change(run, |node| {
            node.max_attempts = node.attempt.saturating_add(budget);
            if reopens {
                node.take(Step::Reopen);
                node.ended_at = None;
                node.dismissal = None;
            }
        });
    }
}
