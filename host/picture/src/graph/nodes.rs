//! The nodes of a workflow's text: what settles each, and what it starts (rule R22).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::edge::{Edge, EdgeText, Rule, has_branches, merged, name, targets};

/// The end of a workflow, which is no node.
pub const END: &str = "end";

/// The kind that waits for a person.
pub const APPROVAL: &str = "human_approval";

/// The kind of which workers do the instances, as they are answered under its name.
pub const MAP: &str = "map";

/// The nodes and edges of a workflow that is valid.
#[derive(Debug)]
pub struct Graph {
    /// The nodes by their ids.
    pub nodes: BTreeMap<String, Kind>,
    /// Sorted by both ends, each edge once.
    pub edges: Vec<Edge>,
    /// What the workflow's text says of the kinds of its nodes, and of what undoes them, as
    /// it stands there.
    pub written: Value,
}

/// What settles a node.
#[derive(Debug)]
pub struct Kind {
    /// The name of its kind.
    pub name: String,
    /// Whether its work is done by a worker.
    pub has_worker: bool,
    /// What it starts, or each of its instances, if it starts something.
    pub child: Option<Child>,
    /// What undoes it, or each of its instances (rule R27).
    pub undo: Option<Box<Kind>>,
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
    compensate: Option<Value>,
}

impl Graph {
    /// The graph of a workflow's text. `None` if it is not that of a valid workflow.
    #[must_use]
    pub fn read(workflow: &str) -> Option<Self> {
        Self::of(serde_json::from_str(workflow).ok()?)
    }

    fn of(Text { nodes, edges }: Text) -> Option<Self> {
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
        let (mut kinds, mut written) = (BTreeMap::new(), Map::new());
        for (id, node) in nodes {
            kinds.insert(id.clone(), Kind::of_node(&node)?);
            let NodeText {
                kind, compensate, ..
            } = node;
            let fields = [("kind", Some(kind)), ("compensate", compensate)];
            let fields = fields
                .into_iter()
                .filter_map(|(name, json)| Some((name.to_owned(), json?)));
            written.insert(id, fields.collect());
        }
        let nodes: Map<String, Value> =
            [("nodes".to_owned(), written.into())].into_iter().collect();
        Some(Self {
            nodes: kinds,
            edges: merged(all),
            written: nodes.into(),
        })
    }

    /// The edges from this node, each with its place among all.
    pub fn leading_on(&self, node: &str) -> impl Iterator<Item = (usize, &Edge)> {
        let edges = self.edges.iter().enumerate();
        edges.filter(move |(_, edge)| edge.from == node)
    }

    /// What a node, or each of its instances, starts, if it starts something.
    #[must_use]
    pub fn child(&self, node: &str) -> Option<&Child> {
        self.nodes.get(node)?.child.as_ref()
    }

    /// Each node that starts something, with what it starts.
    pub fn children(&self) -> impl Iterator<Item = (&str, &Child)> {
        let nodes = self.nodes.iter();
        nodes.filter_map(|(id, kind)| Some((id.as_str(), kind.child.as_ref()?)))
    }
}

impl Kind {
    /// `None` if it is not that of a valid workflow.
    fn of_node(node: &NodeText) -> Option<Self> {
        let undo = match &node.compensate {
            Some(undo) => Some(Box::new(Self::of(undo)?)),
            None => None,
        };
        let kind = Self::of(&node.kind)?;
        Some(Self { undo, ..kind })
    }

    /// `None` if it is not that of a valid workflow.
    fn of(kind: &Value) -> Option<Self> {
        let settled_by_itself = match name(kind) {
            "parallel" | "wait" | "human_approval" | "limit_exceeded" | "terminate" => true,
            "condition" => has_branches(kind),
            // A custom one is dispatched (rule R6).
            "join" => kind["merge_strategy"].get("custom").is_none(),
            _ => false,
        };
        let child = Child::of_kind(kind)?;
        Some(Self {
            name: name(kind).to_owned(),
            has_worker: !settled_by_itself && child.is_none(),
            child,
            undo: None,
        })
    }
}

/// The kind that starts a child.
const SUBGRAPH: &str = "subgraph";

/// A child of a node, or of each instance of a map.
#[derive(Debug)]
pub struct Child {
    /// Its workflow.
    pub workflow: ChildWorkflow,
    /// Whether the node only starts it.
    pub is_detached: bool,
    /// What the state gets of its final state.
    output: Output,
}

/// The workflow of a child.
#[derive(Debug)]
pub enum ChildWorkflow {
    /// It stands in the node.
    InPlace(Graph),
    /// It is registered by this id and version.
    Named {
        /// The id of the workflow.
        id: String,
        /// Its version.
        version: String,
    },
}

/// What the state gets of a child's final state.
#[derive(Debug)]
enum Output {
    /// Its keys.
    Merged,
    /// All of it, under this key; the node's id unless it is named.
    Under(Option<String>),
}

impl Child {
    /// What the node of a kind starts; the outer `None` if the kind is not that of a valid
    /// workflow, the inner one if it starts nothing.
    fn of_kind(kind: &Value) -> Option<Option<Self>> {
        match name(kind) {
            SUBGRAPH => Self::of(kind).map(Some),
            MAP if name(&kind["body"]) == SUBGRAPH => Self::of(&kind["body"]).map(Some),
            _ => Some(None),
        }
    }

    fn of(kind: &Value) -> Option<Self> {
        let text = |field: &str| kind[field].as_str().map(str::to_owned);
        let workflow = match kind.get("body") {
            Some(body) => {
                ChildWorkflow::InPlace(Graph::of(serde_json::from_value(body.clone()).ok()?)?)
            }
            None => ChildWorkflow::Named {
                id: text("workflow_id")?,
                version: text("version")?,
            },
        };
        let is = |field: &str| kind[field] == Value::Bool(true);
        Some(Self {
            workflow,
            is_detached: is("detached"),
            output: match is("merge") {
                true => Output::Merged,
                false => Output::Under(text("output_key")),
            },
        })
    }

    /// The patch of its node when it ended with this final state, both JSON objects.
    #[must_use]
    pub fn patch(&self, node: &str, final_state: &str) -> String {
        match &self.output {
            Output::Merged => final_state.to_owned(),
            Output::Under(key) => {
                let key = Value::from(key.as_deref().unwrap_or(node));
                format!("{{{key}:{final_state}}}")
            }
        }
    }
}
