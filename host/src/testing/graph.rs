//! What a workflow's text says of its nodes and edges, as far as tests ask for it.
//!
//! Which edges there are, and how each becomes live, is the scheduler's to say (rules R1,
//! R3 and R7). It tells how many there are, and a test holds this reading to that number.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::model::{instance_of, node_of_run, undone_by};
use crate::resembling::meant;

/// The end of a workflow, which is no node.
pub(super) const END: &str = "end";

/// The kind whose instances workers do, as they are answered under its name.
const MAP: &str = "map";

/// The nodes and edges of a workflow that is valid.
#[derive(Debug)]
pub(super) struct Graph {
    nodes: BTreeMap<String, Kind>,
    /// Sorted by both ends, each edge once.
    pub(super) edges: Vec<Edge>,
}

/// What settles a node.
#[derive(Clone, Debug)]
struct Kind {
    name: String,
    /// Whether its work is done by a worker.
    has_worker: bool,
    /// Whether something undoes it (rule R27).
    is_undone: bool,
}

/// An edge, one inside a kind included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) rule: Rule,
    pub(super) on: On,
}

/// What has to become of the source of an edge (rules R7 and R26).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum On {
    /// It completes.
    #[default]
    Success,
    /// Either of them.
    Always,
    /// It fails for good.
    Failure,
}

/// How an edge becomes live when its source completes without a choice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// It does not.
    Chosen,
    /// If this holds, where it has a condition.
    Ordinary(Option<String>),
    /// It does; a kind names its end.
    Implied,
}

/// A name in a test that the workflow does not bear out.
pub(super) struct WrongName {
    pub(super) message: String,
    pub(super) remedy: String,
}

#[derive(Deserialize)]
struct Text {
    nodes: BTreeMap<String, NodeText>,
    #[serde(default)]
    edges: Option<Vec<EdgeText>>,
}

#[derive(Deserialize)]
struct NodeText {
    kind: Value,
    #[serde(default)]
    run_on: Option<String>,
    #[serde(default)]
    compensate: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct EdgeText {
    from: String,
    to: String,
    #[serde(default)]
    condition: Option<String>,
    #[serde(default)]
    on: Option<On>,
}

impl On {
    /// Its name, where it is not the usual one.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Success => None,
            Self::Always => Some("always"),
            Self::Failure => Some("failure"),
        }
    }
}

impl Graph {
    /// The graph of a workflow's text. `None` if it is not that of a valid workflow.
    pub(super) fn read(workflow: &str) -> Option<Self> {
        let Text { nodes, edges } = serde_json::from_str(workflow).ok()?;
        let mut all: Vec<Edge> = edges
            .unwrap_or_default()
            .into_iter()
            .map(Edge::written)
            .collect();
        for (id, node) in &nodes {
            all.extend(targets(id, &node.kind));
        }
        for edge in &mut all {
            // A branch decides: no edge of such a node is live by itself.
            if nodes
                .get(&edge.from)
                .is_some_and(|node| has_branches(&node.kind))
            {
                edge.rule = Rule::Chosen;
            }
        }
        let runs_at_the_end =
            |node: &NodeText| node.run_on.is_some() || name(&node.kind) == "finalizer";
        let is_finalizer = |id: &str| nodes.get(id).is_some_and(runs_at_the_end);
        // Finalizers run at the end, whatever leads to them (rule R16).
        all.retain(|edge| is_finalizer(&edge.from) || !is_finalizer(&edge.to));
        let nodes = nodes.iter().map(|(id, node)| (id.clone(), Kind::of(node)));
        Some(Self {
            nodes: nodes.collect(),
            edges: merged(all),
        })
    }

    /// There is a node of this name, or a map that may have this instance, or something
    /// that undoes either. Of a map, `m!undo` stands for what undoes each instance.
    pub(super) fn check_node(&self, name: &str) -> Result<(), WrongName> {
        let run = undone_by(name).unwrap_or(name);
        let node = self.nodes.get(node_of_run(name));
        let is_undone = run == name || node.is_some_and(|it| it.is_undone);
        let is_instance = instance_of(run).is_some() && node.is_some_and(|it| it.name == MAP);
        if is_undone && (self.nodes.contains_key(run) || is_instance) {
            return Ok(());
        }
        Err(WrongName {
            message: format!("the workflow has no node `{name}`"),
            remedy: meant(name, "nodes", self.nodes.keys().map(String::as_str)),
        })
    }

    /// The edges from this node, each with its place among all.
    pub(super) fn leading_on(&self, node: &str) -> impl Iterator<Item = (usize, &Edge)> {
        let edges = self.edges.iter().enumerate();
        edges.filter(move |(_, edge)| edge.from == node)
    }

    /// A worker does the work of the node of this name.
    pub(super) fn check_worker(&self, name: &str) -> Result<(), WrongName> {
        self.check_node(name)?;
        let kind = &self.nodes[node_of_run(name)];
        if kind.has_worker || undone_by(name).is_some() {
            return Ok(());
        }
        let remedy = match kind.name.as_str() {
            "human_approval" => format!("decide in `acts`: `{{at: 5s, approve: {name}}}`"),
            "wait" => {
                "send what it waits for in `acts`, with `signal`; time passes by itself".to_owned()
            }
            _ => "leave it out: the scheduler settles it itself".to_owned(),
        };
        Err(WrongName {
            message: format!("no worker answers `{name}`, whose kind is `{}`", kind.name),
            remedy,
        })
    }

    /// The node of this name has attempts.
    pub(super) fn check_attempts(&self, name: &str) -> Result<(), WrongName> {
        self.check_node(name)?;
        let kind = &self.nodes[node_of_run(name)];
        // A map has none, its instances have.
        let is_map = kind.name == MAP && instance_of(undone_by(name).unwrap_or(name)).is_none();
        let is_tried = kind.has_worker || undone_by(name).is_some();
        if is_tried && !is_map {
            return Ok(());
        }
        Err(WrongName {
            message: format!("`{name}` has no attempts: its kind is `{}`", kind.name),
            remedy: "remove it; `path` says whether it completed".to_owned(),
        })
    }
}

impl Kind {
    fn of(node: &NodeText) -> Self {
        let kind = &node.kind;
        let settled_by_itself = match name(kind) {
            "parallel" | "wait" | "human_approval" | "limit_exceeded" | "terminate" => true,
            "condition" => has_branches(kind),
            // A custom one is dispatched (rule R6).
            "join" => kind["merge_strategy"].get("custom").is_none(),
            _ => false,
        };
        Self {
            name: name(kind).to_owned(),
            has_worker: !settled_by_itself,
            is_undone: node.compensate.is_some(),
        }
    }
}

impl Edge {
    fn written(edge: EdgeText) -> Self {
        Self {
            from: edge.from,
            to: edge.to,
            rule: Rule::Ordinary(edge.condition),
            on: edge.on.unwrap_or_default(),
        }
    }
}

fn name(kind: &Value) -> &str {
    kind["type"].as_str().unwrap_or_default()
}

fn has_branches(kind: &Value) -> bool {
    let branches = kind["branches"].as_array();
    name(kind) == "condition" && branches.is_some_and(|branches| !branches.is_empty())
}

/// The edges inside a kind.
fn targets(id: &str, kind: &Value) -> Vec<Edge> {
    let edge = |from: &str, to: &str, rule| Edge {
        from: from.to_owned(),
        to: to.to_owned(),
        rule,
        on: On::Success,
    };
    let one = |to: &Value| match to.as_str() {
        Some(to) => vec![edge(id, to, Rule::Chosen)],
        None => Vec::new(),
    };
    let each = |list: &Value| -> Vec<String> {
        let names = list.as_array().into_iter().flatten();
        names
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect()
    };
    match name(kind) {
        "condition" => {
            let branches = kind["branches"].as_array().into_iter().flatten();
            branches.flat_map(|branch| one(&branch["target"])).collect()
        }
        "parallel" => {
            let names = each(&kind["branches"]).into_iter();
            names.map(|to| edge(id, &to, Rule::Implied)).collect()
        }
        "join" => {
            let names = each(&kind["wait_for"]).into_iter();
            names.map(|from| edge(&from, id, Rule::Implied)).collect()
        }
        "human_approval" => one(&kind["fallback_node"]),
        "a2a_task" => one(&kind["on_input_required"]),
        "policy" => one(&kind["on_violation"]["branch"]["target"]),
        _ => Vec::new(),
    }
}

/// Makes one edge of what is one: exact repeats, an implied edge and the one written for
/// it, a choice and the edge written for it. What the latter says of a failure stays an
/// edge of its own.
fn merged(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort();
    let mut merged: Vec<Edge> = Vec::with_capacity(edges.len());
    let mut choice = None;
    for mut edge in edges {
        let ends = (edge.from.clone(), edge.to.clone());
        let is_chosen = choice.as_ref() == Some(&ends);
        if is_chosen && edge.on == On::Always {
            edge.on = On::Failure;
        }
        let before = merged
            .last()
            .filter(|before| (&before.from, &before.to) == (&edge.from, &edge.to));
        let is_told = match (&edge.rule, before) {
            (Rule::Chosen, _) => is_chosen,
            (Rule::Implied, before) => before.is_some(),
            (Rule::Ordinary(_), before) => {
                (is_chosen && edge.on == On::Success) || before == Some(&edge)
            }
        };
        if is_told {
            continue;
        }
        if edge.rule == Rule::Chosen {
            choice = Some(ends);
        }
        merged.push(edge);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workflow;
    use crate::testing::TestFile;
    use serde_json::json;

    /// The scheduler counts the edges between nodes; those to the end are not among them.
    fn check(workflow: &str) {
        let file = TestFile::new(Workflow::from_json(workflow).expect("JSON")).expect("valid");
        let graph = Graph::read(workflow).expect("a graph");
        let edges = graph.edges.iter().filter(|edge| edge.to != END).count();
        assert_eq!(edges, file.edges_between_nodes(), "{:#?}", graph.edges);
    }

    #[test]
    fn r1_there_are_as_many_edges_as_the_scheduler_counts() {
        for workflow in [
            include_str!("../../examples/approval.json"),
            include_str!("../../examples/claims.json"),
            include_str!("../../examples/files.json"),
            include_str!("../../examples/retry.json"),
        ] {
            check(workflow);
        }
        let tool = || json!({ "kind": { "type": "tool", "tool_ref": "t" } });
        let kind = |kind: Value| json!({ "kind": kind });
        let policy = json!({ "type": "policy", "policy_ref": "p",
            "on_violation": { "branch": { "target": "b" } } });
        let task = json!({ "type": "a2a_task", "remote_agent": "a", "skill": "s",
            "on_input_required": "c" });
        let branches = json!([{ "condition": "state.x", "target": "b" },
            { "condition": null, "target": "end" }]);
        let finalizer = json!({ "type": "finalizer", "tool_ref": "t", "run_on": "always" });
        check(
            &json!({
                "workflow_id": "w", "version": "1.0.0", "start_node": "s",
                "nodes": {
                    "s": kind(json!({ "type": "parallel", "branches": ["p", "t", "q"] })),
                    "p": kind(policy), "t": kind(task), "a": tool(), "b": tool(), "c": tool(),
                    "q": kind(json!({ "type": "condition", "branches": branches })),
                    "j": kind(json!({ "type": "join", "wait_for": ["a", "b", "c"] })),
                    "f": kind(finalizer),
                    "g": { "kind": { "type": "task", "queue": "mail" }, "run_on": "always" },
                },
                "edges": [
                    { "from": "s", "to": "p" }, { "from": "p", "to": "a" },
                    { "from": "p", "to": "b" },
                    { "from": "t", "to": "c", "condition": "state.y" },
                    { "from": "t", "to": "a", "condition": "state.y" },
                    { "from": "t", "to": "a", "condition": "state.z" },
                    { "from": "q", "to": "b" }, { "from": "q", "to": "a" },
                    { "from": "a", "to": "j" }, { "from": "j", "to": "f" },
                    { "from": "j", "to": "g" }, { "from": "f", "to": "g" },
                    { "from": "p", "to": "b", "on": "always", "condition": "error.attempts > 1" },
                    { "from": "p", "to": "b", "on": "failure", "condition": "error.attempts > 1" },
                    { "from": "t", "to": "b", "on": "failure" }, { "from": "t", "to": "b" },
                    { "from": "b", "to": "j", "on": "failure" },
                    { "from": "a", "to": "end", "on": "failure" },
                    { "from": "f", "to": "end" }, { "from": "j", "to": "end" },
                ],
            })
            .to_string(),
        );
    }
}
