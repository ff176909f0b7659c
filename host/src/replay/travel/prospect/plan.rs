//! What is tried to make a node run: which conditions hold, and what happens to which node.

use std::collections::{BTreeMap, HashSet};

use super::unknowns::Condition;
use crate::graph::{APPROVAL, Edge, Graph, On, Rule};

/// What is tried. By default, no condition holds, and all goes well.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) holds: Holds,
    /// The nodes that fail.
    pub(super) fails: HashSet<String>,
    /// The nodes whose time runs out.
    pub(super) expires: HashSet<String>,
    /// The targets that workers choose.
    pub(super) choices: BTreeMap<String, String>,
    /// Whether what has failed is tried again.
    pub(super) retries: bool,
    /// Whether something happens only to nodes that lead to the one that is to run.
    pub(super) is_narrow: bool,
}

/// Which conditions hold.
#[derive(Clone, Debug)]
pub(super) enum Holds {
    /// Those of edges with these ends.
    Of(HashSet<(String, String)>),
    /// All.
    All,
}

impl Default for Holds {
    fn default() -> Self {
        Self::Of(HashSet::new())
    }
}

impl Plan {
    /// Whether a condition holds.
    pub(super) fn makes_hold(&self, condition: &Condition) -> bool {
        match &self.holds {
            Holds::All => true,
            Holds::Of(edges) => edges.contains(&(condition.from.clone(), condition.to.clone())),
        }
    }

    /// The same, and what these edges ask for.
    pub(super) fn along(&self, graph: &Graph, way: &[usize]) -> Self {
        let mut plan = self.clone();
        let mut held = match &self.holds {
            Holds::Of(edges) => edges.clone(),
            Holds::All => HashSet::new(),
        };
        for edge in way.iter().map(|place| &graph.edges[*place]) {
            held.insert((edge.from.clone(), edge.to.clone()));
            plan.ask(graph, edge);
        }
        if let Holds::Of(edges) = &mut plan.holds {
            *edges = held;
        }
        plan
    }

    fn ask(&mut self, graph: &Graph, edge: &Edge) {
        let kind = graph.nodes.get(&edge.from);
        match (&edge.rule, edge.on) {
            (_, On::Failure) => {
                self.fails.insert(edge.from.clone());
            }
            (Rule::Chosen, _) if kind.is_some_and(|kind| kind.name == APPROVAL) => {
                self.expires.insert(edge.from.clone());
            }
            (Rule::Chosen, _) if kind.is_some_and(|kind| kind.has_worker) => {
                self.choices.insert(edge.from.clone(), edge.to.clone());
            }
            _ => {}
        }
    }

    /// The same, with all conditions between these nodes true.
    pub(super) fn with_all_between(&self, graph: &Graph, nodes: &HashSet<&str>) -> Self {
        let mut plan = self.clone();
        if let Holds::Of(edges) = &mut plan.holds {
            let between = graph.edges.iter();
            let between = between.filter(|it| nodes.contains(it.to.as_str()));
            edges.extend(between.map(|it| (it.from.clone(), it.to.clone())));
        }
        plan
    }
}
