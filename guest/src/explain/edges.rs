//! Edges: which are not settled, which are dead, and why.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::reason::{because, retry_or_skip, with};
use super::seen::{Seen, Use, Watched};
use crate::condition::Expression;
use crate::contract::{
    FailedPredecessor, FalseCondition, NodeState, OtherTarget, Predecessor, Reason, ReasonCause,
    SkipReason,
};
use crate::machine::Machine;
use crate::state::{Dismissal, EdgeFate};
use crate::workflow::END;
use crate::workflow::plan::{Branch, Edge, EdgeIx, EdgeRule, Kind, NodeIx, Target};

/// Edges that are told one by one for one node; a reason counts the rest.
const EDGES_TOLD: usize = 20;

/// The incoming edges that are not settled: failed predecessors first.
pub(super) fn unmet(machine: &Machine, ix: NodeIx, seen: &Seen) -> Vec<Reason> {
    type Edges<'a> = Vec<(EdgeIx, &'a Edge)>;
    let (failed, open): (Edges<'_>, Edges<'_>) = incoming(machine, ix)
        .filter(|(ix, _)| is_unsettled(machine, *ix))
        .partition(|(_, edge)| has_failed(machine, edge));
    let mut reasons: Vec<Reason> = failed
        .iter()
        .take(EDGES_TOLD)
        .flat_map(|(ix, edge)| blocked_by(machine, *ix, edge, seen))
        .collect();
    reasons.extend(
        open.iter()
            .take(EDGES_TOLD)
            .map(|(_, edge)| unmet_edge(machine, edge)),
    );
    let untold = failed.len().saturating_sub(EDGES_TOLD) + open.len().saturating_sub(EDGES_TOLD);
    if untold > 0 {
        reasons.push(because(ReasonCause::MorePredecessors(number(untold))));
    }
    reasons
}

fn is_unsettled(machine: &Machine, ix: EdgeIx) -> bool {
    machine.state.edges[ix.0 as usize] == EdgeFate::Unsettled
}

fn has_failed(machine: &Machine, edge: &Edge) -> bool {
    machine.record(edge.from).state == NodeState::Failed
}

/// Its source failed, and if the edge was judged on that, its condition was false.
fn blocked_by(machine: &Machine, ix: EdgeIx, edge: &Edge, seen: &Seen) -> Vec<Reason> {
    let failed = with(failed(machine, edge), retry_or_skip(machine, edge.from));
    let condition = refused_condition(machine, edge);
    let condition = condition.map(|it| because(was_false(machine, ix, edge, it, seen)));
    [failed].into_iter().chain(condition).collect()
}

fn failed(machine: &Machine, edge: &Edge) -> ReasonCause {
    let failure = machine.record(edge.from).failure.as_ref();
    ReasonCause::FailedPredecessor(FailedPredecessor {
        node_id: machine.node_id(edge.from),
        cause: failure.map(|failure| failure.cause.clone()),
    })
}

/// The condition that was false when the failure of the edge's source was judged, and
/// leaves the edge as it is (rule R26).
fn refused_condition<'a>(machine: &Machine, edge: &'a Edge) -> Option<&'a Expression> {
    let is_judged = has_failed(machine, edge) && edge.on.judges_failure();
    match &edge.rule {
        EdgeRule::Ordinary(condition) if is_judged => condition.as_ref(),
        EdgeRule::Ordinary(_) | EdgeRule::Chosen => None,
    }
}

fn was_false(
    machine: &Machine,
    ix: EdgeIx,
    edge: &Edge,
    condition: &Expression,
    seen: &Seen,
) -> ReasonCause {
    ReasonCause::FalseCondition(FalseCondition {
        node_id: machine.node_id(edge.from),
        condition: condition.text().to_string(),
        seen: seen.at(Use::Edge(ix)),
    })
}

fn unmet_edge(machine: &Machine, edge: &Edge) -> Reason {
    because(ReasonCause::UnmetPredecessor(Predecessor {
        node_id: machine.node_id(edge.from),
        state: machine.record(edge.from).state,
    }))
}

fn incoming(machine: &Machine, ix: NodeIx) -> impl Iterator<Item = (EdgeIx, &Edge)> {
    let incoming = machine.node(ix).incoming.iter();
    incoming.map(|ix| (*ix, &machine.plan.edges[ix.0 as usize]))
}

/// A join that waits for so many live edges may have some, and too few (rule R24).
fn is_dead(machine: &Machine, ix: EdgeIx) -> bool {
    machine.state.edges[ix.0 as usize] == EdgeFate::Dead
}

/// Whether the node's dead edges are why it did not run.
fn is_unreached(machine: &Machine, ix: NodeIx) -> bool {
    machine.record(ix).dismissal == Some(Dismissal::Skipped(SkipReason::Unreached))
}

/// Whether the edge is one of those that what became of its source is judged by (rules
/// R7 and R26).
fn is_judged(machine: &Machine, edge: &Edge) -> bool {
    match machine.record(edge.from).state {
        NodeState::Failed => edge.on.judges_failure(),
        _ => edge.on.judges_success(),
    }
}

pub(super) fn dead_edges(machine: &Machine, ix: NodeIx, seen: &Seen) -> Vec<Reason> {
    if machine.node(ix).incoming.is_empty() {
        return [because(ReasonCause::NoEdge)].into();
    }
    let dead = |(ix, _): &(EdgeIx, &Edge)| is_dead(machine, *ix);
    let mut reasons: Vec<Reason> = incoming(machine, ix)
        .filter(dead)
        .take(EDGES_TOLD)
        .flat_map(|(ix, edge)| why_dead(machine, ix, edge, seen))
        .map(because)
        .collect();
    let count = incoming(machine, ix).filter(dead).count();
    let untold = count.saturating_sub(EDGES_TOLD);
    if untold > 0 {
        reasons.push(because(ReasonCause::MoreDeadEdges(number(untold))));
    }
    reasons
}

fn why_dead(machine: &Machine, ix: EdgeIx, edge: &Edge, seen: &Seen) -> Vec<ReasonCause> {
    let (source, node_id) = (machine.record(edge.from), machine.node_id(edge.from));
    let first = match (&source.chosen_target, &edge.rule) {
        _ if is_unreached(machine, edge.from) => Some(ReasonCause::SkippedPredecessor(node_id)),
        _ if !is_judged(machine, edge) && has_failed(machine, edge) => Some(failed(machine, edge)),
        _ if !is_judged(machine, edge) => Some(ReasonCause::DeadEdge(node_id)),
        (Some(target), _) => Some(ReasonCause::OtherTarget(OtherTarget {
            node_id,
            chosen_target: target.clone(),
        })),
        (None, EdgeRule::Chosen) => Some(ReasonCause::NoTarget(node_id)),
        (None, EdgeRule::Ordinary(None)) => Some(ReasonCause::DeadEdge(node_id)),
        (None, EdgeRule::Ordinary(Some(_))) => None,
    };
    let condition = false_condition(machine, edge);
    let condition = condition.map(|it| was_false(machine, ix, edge, it, seen));
    first.into_iter().chain(condition).collect()
}

/// The condition that was false where this edge died, if one was: its own, or
/// that of the branch that leads there.
fn false_condition<'a>(machine: &'a Machine, edge: &'a Edge) -> Option<&'a Expression> {
    if is_unreached(machine, edge.from) || !is_judged(machine, edge) {
        return None;
    }
    let source = machine.record(edge.from);
    if let Kind::Condition(branches) = &machine.node(edge.from).kind {
        return false_branch(machine, branches, source.chosen_target.as_deref(), edge.to);
    }
    match (&source.chosen_target, &edge.rule) {
        (None, EdgeRule::Ordinary(condition)) => condition.as_ref(),
        (Some(_), _) | (None, EdgeRule::Chosen) => None,
    }
}

/// Rule R7: the first true branch is taken, so those before it were false; where
/// none is taken, all were.
fn false_branch<'a>(
    machine: &Machine,
    branches: &'a [Branch],
    chosen: Option<&str>,
    to: NodeIx,
) -> Option<&'a Expression> {
    let is_chosen = |branch: &Branch| match branch.target {
        Target::Node(ix) => chosen == Some(machine.node(ix).id.as_str()),
        Target::End => chosen == Some(END),
    };
    branches
        .iter()
        .take_while(|branch| !is_chosen(branch))
        .find(|branch| branch.target == Target::Node(to))
        .and_then(|branch| branch.condition.as_ref())
}

/// The conditions of the edges to a node of which [`dead_edges`] and [`unmet`] tell.
pub(super) fn false_conditions(machine: &Machine, node_id: &str) -> Vec<Watched> {
    let Some(ix) = machine.plan.find(node_id) else {
        return Vec::new();
    };
    let is_open = machine.record(ix).state == NodeState::Pending;
    let is_told = is_open || is_unreached(machine, ix);
    let condition = |(ix, edge): (EdgeIx, &'_ Edge)| {
        let condition = match is_unsettled(machine, ix) {
            true => refused_condition(machine, edge).filter(|_| is_open),
            false if is_dead(machine, ix) && !is_open => false_condition(machine, edge),
            false => None,
        };
        condition.map(|condition| Watched::new(Use::Edge(ix), condition))
    };
    let edges = incoming(machine, ix).filter(|_| is_told);
    edges.filter_map(condition).take(EDGES_TOLD).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
