//! The ways through a workflow's graph that lead to a node.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use crate::graph::{Edge, Graph, On, Rule};

/// The edges of a graph, by where they lead.
pub(super) struct Map<'g> {
    graph: &'g Graph,
    /// The places of edges.
    leading_to: HashMap<&'g str, Vec<usize>>,
}

impl<'g> Map<'g> {
    pub(super) fn of(graph: &'g Graph) -> Self {
        let mut leading_to: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, edge) in graph.edges.iter().enumerate() {
            leading_to.entry(&edge.to).or_default().push(place);
        }
        Self { graph, leading_to }
    }

    fn to(&self, node: &str) -> impl Iterator<Item = (usize, &'g Edge)> {
        let places = self.leading_to.get(node).into_iter().flatten();
        let graph = self.graph;
        places.map(move |place| (*place, &graph.edges[*place]))
    }

    /// The node, and all from which it can be reached.
    pub(super) fn before(&self, node: &'g str) -> HashSet<&'g str> {
        let mut before = HashSet::from([node]);
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            for (_, edge) in self.to(node) {
                if before.insert(&edge.from) {
                    open.push(&edge.from);
                }
            }
        }
        before
    }

    /// The way to a node that asks for the least: the places of its edges in their order. It
    /// comes from a node that is under way, or that nothing open leads to; the banned edges lead
    /// nowhere. `None` if there is none.
    pub(super) fn way_to(
        &self,
        node: &'g str,
        is_open: impl Fn(&str) -> bool,
        is_under_way: impl Fn(&str) -> bool,
        banned: &HashSet<usize>,
    ) -> Option<Vec<usize>> {
        // Dijkstra's algorithm, from the end; of equal ways, the one that comes first by id.
        let mut queue = BinaryHeap::from([Reverse((0, node))]);
        let mut onwards: HashMap<&str, usize> = HashMap::new();
        let mut done: HashSet<&str> = HashSet::new();
        let mut costs: HashMap<&str, u64> = HashMap::from([(node, 0)]);
        while let Some(Reverse((cost, at))) = queue.pop() {
            if !done.insert(at) {
                continue;
            }
            let mut open = self
                .to(at)
                .filter(|(_, edge)| is_open(&edge.from))
                .peekable();
            if is_under_way(at) || open.peek().is_none() {
                return Some(self.way_from(at, &onwards));
            }
            for (place, edge) in open.filter(|(place, _)| !banned.contains(place)) {
                let cost = cost + weight(edge);
                let known = costs.get(edge.from.as_str());
                if known.is_none_or(|known| cost < *known) {
                    costs.insert(&edge.from, cost);
                    onwards.insert(&edge.from, place);
                    queue.push(Reverse((cost, &edge.from)));
                }
            }
        }
        None
    }

    fn way_from(&self, from: &str, onwards: &HashMap<&str, usize>) -> Vec<usize> {
        let mut way = Vec::new();
        let mut at = from;
        while let Some(place) = onwards.get(at) {
            way.push(*place);
            at = &self.graph.edges[*place].to;
        }
        way
    }
}

/// How much an edge asks for: what has to be assumed counts more than what happens anyhow,
/// and failures count most.
fn weight(edge: &Edge) -> u64 {
    let of_rule = match &edge.rule {
        Rule::Implied | Rule::Ordinary(None) => 2,
        Rule::Ordinary(Some(_)) => 3,
        Rule::Chosen => 4,
    };
    match edge.on {
        On::Failure => of_rule + 100,
        On::Success | On::Always => of_rule,
    }
}
