//! What the workflow's JSON says: nodes in the order of rule R2, and edges.

use std::collections::{BTreeMap, BTreeSet};

use refrain_guest::condition::{Expression, Roots};
use serde_json::Value;
use serde_json::value::RawValue;

use super::lines::{Line, lines, rank};
use super::node::Node;
use super::times::{milliseconds, milliseconds_of};

/// A valid workflow.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) json: Value,
    /// In the order of rule R2.
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// Edges to the terminal: from where, what has to become of it, the condition.
    pub(super) ends: Vec<(usize, String, Option<String>)>,
}

/// An edge between two nodes by their places in [`Graph::nodes`].
#[derive(Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The text of its condition.
    pub(super) condition: Option<String>,
    /// Live only if chosen: the target of a branch, a fallback, a violation.
    pub(super) chosen: bool,
    /// What has to become of its source (rule R26): `success`, `failure`, `always`.
    pub(super) on: String,
}

/// What of the workflow is wanted verbatim.
#[derive(serde::Deserialize)]
struct Texts {
    nodes: BTreeMap<String, KindText>,
}

#[derive(serde::Deserialize)]
struct KindText {
    kind: Box<RawValue>,
    #[serde(default)]
    compensate: Option<Box<RawValue>>,
}

impl Graph {
    pub(super) fn read(workflow: &str) -> Self {
        let json: Value = serde_json::from_str(workflow).expect("a workflow is JSON");
        let texts: Texts = serde_json::from_str(workflow).expect("a workflow has nodes");
        let node = |(id, text): (String, KindText)| {
            let of_node = json["nodes"][&id].clone();
            let compensate = text.compensate.map(|text| text.get().to_owned());
            Node::of_workflow(id, of_node, text.kind.get().to_owned(), compensate)
        };
        let mut nodes: Vec<Node> = texts.nodes.into_iter().map(node).collect();
        let (lines, ends) = lines(&json, &nodes);
        rank(&mut nodes, &lines);
        nodes.sort_by(|a, b| (a.rank, a.id.as_bytes()).cmp(&(b.rank, b.id.as_bytes())));
        let place = |id: &str| nodes.iter().position(|node| node.id == id);
        let edge = |line: Line| Edge {
            from: place(&line.from).expect("an edge comes from a node"),
            to: place(&line.to).expect("an edge leads to a node"),
            condition: line.condition,
            chosen: line.chosen,
            on: line.on,
        };
        let edges = lines.into_iter().map(edge).collect();
        let end = |line: Line| Some((place(&line.from)?, line.on, line.condition));
        let ends = ends.into_iter().filter_map(end).collect();
        Self {
            json,
            nodes,
            edges,
            ends,
        }
    }

    /// Instances become nodes, right behind their map.
    pub(super) fn insert(&mut self, map: usize, instances: Vec<Node>) {
        let count = instances.len();
        let later = |node: usize| if node > map { node + count } else { node };
        for edge in &mut self.edges {
            (edge.from, edge.to) = (later(edge.from), later(edge.to));
        }
        for (from, _, _) in &mut self.ends {
            *from = later(*from);
        }
        for node in &mut self.nodes {
            if let Some(instance) = &mut node.instance {
                instance.map = later(instance.map);
            }
        }
        self.nodes.splice(map + 1..map + 1, instances);
    }

    pub(super) fn place(&self, id: &str) -> usize {
        let place = self.nodes.iter().position(|node| node.id == id);
        place.expect("an event names a node of the workflow")
    }

    /// The workflow's own narrowing of a limit (rule R4).
    pub(super) fn limit(&self, name: &str) -> Option<u32> {
        let limit = self.json["limits"][name].as_u64()?;
        Some(u32::try_from(limit).expect("a limit is a u32"))
    }

    /// The edges into a node; an edge from another kind to a finalizer means
    /// nothing (rule R16).
    pub(super) fn incoming(&self, node: usize) -> impl Iterator<Item = (usize, &Edge)> {
        let edges = self.edges.iter().enumerate();
        edges.filter(move |(_, edge)| edge.to == node && self.counts(edge))
    }

    fn counts(&self, edge: &Edge) -> bool {
        let [from, to] = [edge.from, edge.to].map(|node| self.nodes[node].run_on().is_some());
        from == to
    }

    /// The workflow's timeout in milliseconds (rule R14).
    pub(super) fn timeout_ms(&self) -> Option<u64> {
        milliseconds(&self.json["timeouts"]["workflow_timeout"])
    }

    /// A node's timeout for one attempt in milliseconds (rule R14).
    pub(super) fn node_timeout_ms(&self, node: usize) -> Option<u64> {
        let own = milliseconds(&self.nodes[node].json["node_timeout_secs"]);
        // A child has the time that its node gives it, and no other (R14).
        let all = || milliseconds(&self.json["timeouts"]["node_timeout"]);
        own.or_else(|| all().filter(|_| self.nodes[node].name() != "subgraph"))
    }

    /// When a wait or an approval that begins at `now` ends by itself (rule R19).
    pub(super) fn ends_at(&self, node: usize, now: u64) -> Option<u64> {
        if let Some(until) = self.nodes[node].text("until") {
            return Some(milliseconds_of(until).expect("it is written as here"));
        }
        let patience = self.patience_ms(node)?;
        Some(now.saturating_add(patience))
    }

    /// R24: the nodes that lead to nothing but this join, finalizers excepted.
    pub(super) fn rest(&self, join: usize) -> BTreeSet<usize> {
        let mut rest = BTreeSet::new();
        for _ in &self.nodes {
            for node in 0..self.nodes.len() {
                let own = |edge: &&Edge| edge.from == node && self.counts(edge);
                let mut edges = self.edges.iter().filter(own).peekable();
                let leads_on = edges.peek().is_some();
                let leads_there = edges.all(|edge| edge.to == join || rest.contains(&edge.to));
                let leads_to_end = self.ends.iter().any(|(from, _, _)| *from == node);
                let is_finalizer = self.nodes[node].run_on().is_some();
                if leads_on && leads_there && !leads_to_end && !is_finalizer {
                    rest.insert(node);
                }
            }
        }
        rest
    }

    /// How long a wait or an approval may last, in milliseconds (rule R19).
    pub(super) fn patience_ms(&self, node: usize) -> Option<u64> {
        let own = milliseconds(&self.nodes[node].kind()["timeout_secs"]);
        match self.nodes[node].name() {
            "human_approval" => {
                own.or_else(|| milliseconds(&self.json["timeouts"]["approval_timeout"]))
            }
            _ => own,
        }
    }
}

impl Graph {
    /// Whether it waits for an external event (rule R19).
    pub(super) fn waits_for_event(&self, node: usize) -> bool {
        let it = &self.nodes[node];
        it.name() == "wait" && it.text("condition") != Some("timer")
    }
}

/// A condition of a valid workflow.
pub(super) fn expression(text: &str) -> Expression {
    Expression::parse_over(text, Roots::OF_FAILURES).expect("a valid workflow's conditions parse")
}
