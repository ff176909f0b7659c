//! Edges in sentences: which are not settled, which are dead, and why.

use alloc::format;
use alloc::vec::Vec;

use super::reason::say;
use crate::contract::{NodeState, Reason, ReasonTopic, SkipReason};
use crate::machine::Machine;
use crate::node::name;
use crate::state::{Dismissal, EdgeFate};
use crate::workflow::plan::{Edge, EdgeRule, NodeIx};

/// Edges that are spelled out for one node; a sentence tells of the rest.
const EDGES_TOLD: usize = 20;

/// The incoming edges that are not settled: failed predecessors first.
pub(super) fn unmet(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let (failed, open): (Vec<&Edge>, Vec<&Edge>) = incoming(machine, ix)
        .filter(|(_, fate)| *fate == EdgeFate::Unsettled)
        .map(|(edge, _)| edge)
        .partition(|edge| machine.record(edge.from).state == NodeState::Failed);
    let mut reasons: Vec<Reason> = failed
        .iter()
        .take(EDGES_TOLD)
        .map(|edge| blocked_by(machine, edge))
        .collect();
    reasons.extend(
        open.iter()
            .take(EDGES_TOLD)
            .map(|edge| unmet_edge(machine, edge)),
    );
    let untold = failed.len().saturating_sub(EDGES_TOLD) + open.len().saturating_sub(EDGES_TOLD);
    if untold > 0 {
        reasons.push(say(
            ReasonTopic::UnmetPredecessor,
            format!("{untold} more predecessors are not settled"),
        ));
    }
    reasons
}

fn blocked_by(machine: &Machine, edge: &Edge) -> Reason {
    let (from, to) = (&machine.node(edge.from).id, &machine.node(edge.to).id);
    let failure = machine.record(edge.from).failure.as_ref();
    let error = failure.map_or("no error given", |failure| failure.error.as_str());
    say(
        ReasonTopic::FailedPredecessor,
        format!("node `{to}` needs node `{from}`, which failed for good: {error}"),
    )
}

fn unmet_edge(machine: &Machine, edge: &Edge) -> Reason {
    let (from, to) = (&machine.node(edge.from).id, &machine.node(edge.to).id);
    let state = name(machine.record(edge.from).state);
    say(
        ReasonTopic::UnmetPredecessor,
        format!("node `{to}` needs node `{from}`, which is {state}"),
    )
}

fn incoming(machine: &Machine, ix: NodeIx) -> impl Iterator<Item = (&Edge, EdgeFate)> {
    let incoming = machine.node(ix).incoming.iter();
    incoming.map(|edge| {
        (
            &machine.plan.edges[edge.0 as usize],
            machine.state.edges[edge.0 as usize],
        )
    })
}

pub(super) fn dead_edges(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    if machine.node(ix).incoming.is_empty() {
        let sentence = format!("nothing leads to node `{}`", machine.node(ix).id);
        return [say(ReasonTopic::DeadEdge, sentence)].into();
    }
    let mut reasons: Vec<Reason> = incoming(machine, ix)
        .take(EDGES_TOLD)
        .map(|(edge, _)| why_dead(machine, edge))
        .collect();
    let untold = machine.node(ix).incoming.len().saturating_sub(EDGES_TOLD);
    if untold > 0 {
        reasons.push(say(
            ReasonTopic::DeadEdge,
            format!("{untold} more incoming edges are dead"),
        ));
    }
    reasons
}

fn why_dead(machine: &Machine, edge: &Edge) -> Reason {
    let (from, to) = (&machine.node(edge.from).id, &machine.node(edge.to).id);
    let source = machine.record(edge.from);
    match (source.state, &source.chosen_target, &edge.rule) {
        (NodeState::Skipped, ..)
            if source.dismissal == Some(Dismissal::Skipped(SkipReason::Unreached)) =>
        {
            say(
                ReasonTopic::DeadEdge,
                format!("node `{to}` comes after node `{from}`, which was skipped"),
            )
        }
        (_, Some(target), _) => say(
            ReasonTopic::DeadEdge,
            format!("node `{from}` chose `{target}`, not `{to}`"),
        ),
        (_, None, EdgeRule::Chosen) => say(
            ReasonTopic::DeadEdge,
            format!("node `{from}` chose no target, and `{to}` runs only when chosen"),
        ),
        (_, None, EdgeRule::Ordinary(Some(condition))) => {
            let sentence = format!(
                "the condition `{}` from `{from}` to `{to}` was false when node `{from}` was settled",
                condition.text()
            );
            say(ReasonTopic::FalseCondition, sentence)
        }
        (_, None, EdgeRule::Ordinary(None)) => say(
            ReasonTopic::DeadEdge,
            format!("the edge from `{from}` to `{to}` is dead"),
        ),
    }
}
