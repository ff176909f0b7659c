//! What becomes of a node's edges when it is settled (rules R3 and R7).
//!
//! Settling a node costs its own edges: each counts down its target, and the
//! target whose last edge this was is filed anew.

use alloc::vec::Vec;

use crate::condition::Expression;
use crate::contract::NodeState;
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::node::Step;
use crate::state::{EdgeFate, NodeRecord, is_finalizer};
use crate::workflow::plan::{EdgeIx, EdgeRule, Kind, NodeIx};

/// Judge what leads on from a node that completed (rule R7), each edge on the state
/// just after it: settling an edge changes nothing that a condition sees.
pub(super) fn judge_edges(machine: &mut Machine, ix: NodeIx, chosen_target: Option<&str>) {
    machine.reads.begin();
    for edge in machine.node(ix).outgoing.clone().map(EdgeIx) {
        let is_live = is_live(machine, edge, chosen_target);
        settle_edge(machine, edge, is_live);
    }
}

fn is_live(machine: &Machine, edge: EdgeIx, chosen_target: Option<&str>) -> bool {
    let edge = &machine.plan.edges[edge.0 as usize];
    match (chosen_target, &edge.rule) {
        _ if !edge.on.judges_success() => false,
        (Some(target), _) => machine.node(edge.to).id == target,
        (None, EdgeRule::Ordinary(None)) => true,
        (None, EdgeRule::Ordinary(Some(condition))) => {
            condition.is_true(&machine.scope().reading(&machine.reads))
        }
        (None, EdgeRule::Chosen) => false,
    }
}

/// Judge what leads on from a node that failed for good (rule R26): whether one of its
/// edges handles that. If none does, all of them stay unsettled and block (rule R15).
pub(super) fn judge_failure(machine: &mut Machine, ix: NodeIx) -> bool {
    let node = machine.node(ix);
    let edge = |ix: &EdgeIx| &machine.plan.edges[ix.0 as usize];
    let outgoing = node.outgoing.clone().map(EdgeIx);
    let mut judged = outgoing.clone().filter(|ix| edge(ix).on.judges_failure());
    if node.failure_ends.is_empty() && judged.next().is_none() {
        return false;
    }
    let Some(error) = machine.error(ix) else {
        return false;
    };
    let scope = machine.scope().reading(machine.reads.begin());
    let scope = scope.with_error(&error);
    let holds = |condition: &Option<Expression>| {
        let condition = condition.as_ref();
        condition.is_none_or(|condition| condition.is_true(&scope))
    };
    let is_live = |ix: &EdgeIx| match &edge(ix).rule {
        EdgeRule::Ordinary(condition) => edge(ix).on.judges_failure() && holds(condition),
        EdgeRule::Chosen => false,
    };
    let live: Vec<EdgeIx> = outgoing.clone().filter(is_live).collect();
    if live.is_empty() && !node.failure_ends.iter().any(holds) {
        return false;
    }
    for edge in outgoing {
        settle_edge(machine, edge, live.contains(&edge));
    }
    true
}

/// Rule R9: what an unreached node leads to is unreached.
pub(super) fn kill_edges(machine: &mut Machine, ix: NodeIx) {
    for edge in machine.node(ix).outgoing.clone() {
        settle_edge(machine, EdgeIx(edge), false);
    }
}

/// A finalizer's edges only order: whatever became of it, the next may run
/// (rule R16). Of any other node they stay unsettled and block (rule R15).
pub(super) fn release_finalizers(machine: &mut Machine, ix: NodeIx) {
    if is_finalizer(&machine.node(ix).kind) {
        kill_edges(machine, ix);
    }
}

fn settle_edge(machine: &mut Machine, edge: EdgeIx, is_live: bool) {
    let fate = &mut machine.state.edges[edge.0 as usize];
    if *fate != EdgeFate::Unsettled {
        return;
    }
    *fate = if is_live {
        EdgeFate::Live
    } else {
        EdgeFate::Dead
    };
    let to = machine.plan.edges[edge.0 as usize].to;
    machine.change(to, |node| {
        node.unsettled -= 1;
        node.live += u32::from(is_live);
    });
    if is_reached(machine.record(to), &machine.node(to).kind) {
        reach(machine, to);
    }
}

/// Make a pending node, or compensation, ready; any other is left as it is.
pub(super) fn reach(machine: &mut Machine, run: impl Into<RunIx>) {
    let run = run.into();
    if machine.record(run).state == NodeState::Pending {
        machine.change(run, |node| node.take(Step::Reach));
    }
}

/// Rules R3, R6 and R24. A finalizer is reached by the end alone (rule R16).
fn is_reached(record: &NodeRecord, kind: &Kind) -> bool {
    match kind {
        Kind::Join(join) if let Some(needed) = join.needed() => record.live >= needed,
        _ => record.unsettled == 0 && record.live > 0 && !is_finalizer(kind),
    }
}
