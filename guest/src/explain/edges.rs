//! Edges in sentences: which are not settled, which are dead, and why.

use alloc::format;
use alloc::vec::Vec;

use super::say;
use crate::contract::{NodeState, Reason, ReasonTopic, SkipReason};
use crate::machine::Machine;
use crate::node::name;
use crate::state::{Dismissal, EdgeFate};
use crate::workflow::plan::{Edge, EdgeRule, NodeIx};

/// Edges that are spelled out for one node; a sentence tells of the rest.
const EDGES_TOLD: usize = 20;

impl Machine {
    /// The incoming edges that are not settled: failed predecessors first.
    pub(super) fn unmet(&self, ix: NodeIx) -> Vec<Reason> {
        let (failed, open): (Vec<&Edge>, Vec<&Edge>) = self
            .incoming(ix)
            .filter(|(_, fate)| *fate == EdgeFate::Unsettled)
            .map(|(edge, _)| edge)
            .partition(|edge| self.record(edge.from).state == NodeState::Failed);
        let mut reasons: Vec<Reason> = failed
            .iter()
            .take(EDGES_TOLD)
            .map(|edge| self.blocked_by(edge))
            .collect();
        reasons.extend(
            open.iter()
                .take(EDGES_TOLD)
                .map(|edge| self.unmet_edge(edge)),
        );
        let untold =
            failed.len().saturating_sub(EDGES_TOLD) + open.len().saturating_sub(EDGES_TOLD);
        if untold > 0 {
            reasons.push(say(
                ReasonTopic::UnmetPredecessor,
                format!("{untold} more predecessors are not settled"),
            ));
        }
        reasons
    }

    fn blocked_by(&self, edge: &Edge) -> Reason {
        let (from, to) = (&self.node(edge.from).id, &self.node(edge.to).id);
        let failure = self.record(edge.from).failure.as_ref();
        let error = failure.map_or("no error given", |failure| failure.error.as_str());
        say(
            ReasonTopic::FailedPredecessor,
            format!("node `{to}` needs node `{from}`, which failed for good: {error}"),
        )
    }

    fn unmet_edge(&self, edge: &Edge) -> Reason {
        let (from, to) = (&self.node(edge.from).id, &self.node(edge.to).id);
        let state = name(self.record(edge.from).state);
        say(
            ReasonTopic::UnmetPredecessor,
            format!("node `{to}` needs node `{from}`, which is {state}"),
        )
    }

    fn incoming(&self, ix: NodeIx) -> impl Iterator<Item = (&Edge, EdgeFate)> {
        let incoming = self.node(ix).incoming.iter();
        incoming.map(|edge| {
            (
                &self.plan.edges[edge.0 as usize],
                self.state.edges[edge.0 as usize],
            )
        })
    }

    pub(super) fn dead_edges(&self, ix: NodeIx) -> Vec<Reason> {
        if self.node(ix).incoming.is_empty() {
            let sentence = format!("nothing leads to node `{}`", self.node(ix).id);
            return [say(ReasonTopic::DeadEdge, sentence)].into();
        }
        let mut reasons: Vec<Reason> = self
            .incoming(ix)
            .take(EDGES_TOLD)
            .map(|(edge, _)| self.why_dead(edge))
            .collect();
        let untold = self.node(ix).incoming.len().saturating_sub(EDGES_TOLD);
        if untold > 0 {
            reasons.push(say(
                ReasonTopic::DeadEdge,
                format!("{untold} more incoming edges are dead"),
            ));
        }
        reasons
    }

    fn why_dead(&self, edge: &Edge) -> Reason {
        let (from, to) = (&self.node(edge.from).id, &self.node(edge.to).id);
        let source = self.record(edge.from);
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
}
