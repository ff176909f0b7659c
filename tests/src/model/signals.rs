//! External events, and which wait each of them serves (rule R19).

use super::fill;
use super::graph::Graph;
use super::past::Past;
use super::record::Stage;

/// An external event that came.
#[derive(Clone, Debug)]
pub(super) struct Signal {
    pub(super) sequence: u64,
    pub(super) key: String,
    pub(super) payload: String,
}

impl Past {
    /// R19: a wait that completes before its time has consumed the external
    /// event that served it.
    pub(super) fn consume(&mut self, graph: &Graph, node: usize) {
        let timed = matches!(&self.nodes[node].stage, Stage::Waiting(wait) if wait.fired);
        if let Some(place) = self.serving(graph, node).filter(|_| !timed) {
            self.signals.remove(place);
        }
    }

    /// R19: which of the kept external events is the node's. First come, first
    /// served: those that have waited longer go first.
    pub(super) fn serving(&self, graph: &Graph, node: usize) -> Option<usize> {
        let own = fill::key(graph, self, node)?;
        let since = |node: usize| match &self.nodes[node].stage {
            Stage::Waiting(wait) if !wait.fired => Some(wait.since),
            _ => None,
        };
        let takes_kept = |node: usize| graph.nodes[node].flag("keep") != Some(false);
        let places = (0..).zip(&self.signals);
        let mut open: Vec<(usize, &Signal)> = places.filter(|(_, it)| it.key == own).collect();
        let mut waiting: Vec<(u64, usize)> = (0..graph.nodes.len())
            .filter_map(|other| Some((since(other)?, other)))
            .filter(|(_, other)| fill::key(graph, self, *other).as_ref() == Some(&own))
            .collect();
        waiting.sort_unstable();
        for (since, other) in waiting {
            let may_take = |(_, it): &(usize, &Signal)| takes_kept(other) || it.sequence > since;
            let taken = open
                .iter()
                .position(may_take)
                .map(|place| open.remove(place));
            if other == node {
                return taken.map(|(place, _)| place);
            }
        }
        let first = open.first().filter(|_| takes_kept(node));
        first.map(|(place, _)| *place)
    }
}
