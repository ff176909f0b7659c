//! A workflow's text becomes a picture.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::{error, fmt};

use serde_json::Value;

use crate::data::{Compensation, END_KIND, Edge, Node, On, Picture, When};
use crate::graph;

/// A text is not that of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoWorkflow;

impl fmt::Display for NoWorkflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not the text of a valid workflow; validate it to see why")
    }
}

impl error::Error for NoWorkflow {}

/// The picture of a workflow's text, in JSON.
///
/// # Errors
/// [`NoWorkflow`] if it is not that of a valid workflow.
pub fn of_workflow(text: &str) -> Result<Picture, NoWorkflow> {
    read(text).ok_or(NoWorkflow)
}

fn read(text: &str) -> Option<Picture> {
    let workflow: Value = serde_json::from_str(text).ok()?;
    let graph = graph::Graph::read(text)?;
    let id = workflow["workflow_id"].as_str().unwrap_or_default();
    let version = workflow["version"].as_str().unwrap_or_default();
    let title = format!("{id} {version}").trim().to_owned();
    Some(picture(title, &workflow, graph))
}

/// The depth is that of JSON, which is bounded.
fn picture(title: String, workflow: &Value, graph: graph::Graph) -> Picture {
    let edges_in_text = graph.edges;
    let mut nodes = Vec::with_capacity(graph.nodes.len() + 1);
    for (id, kind) in graph.nodes {
        nodes.push(node(id, kind, workflow));
    }
    if edges_in_text.iter().any(|edge| edge.to == graph::END) {
        nodes.push(end());
    }
    let places: BTreeMap<&str, usize> = nodes
        .iter()
        .enumerate()
        .map(|(place, node)| (node.id.as_str(), place))
        .collect();
    let edges = edges_in_text.iter().filter_map(|edge| {
        Some(Edge {
            from: *places.get(edge.from.as_str())?,
            to: *places.get(edge.to.as_str())?,
            on: on(edge.on),
            when: when(edge, &workflow["nodes"][&edge.from]["kind"]),
        })
    });
    let edges = edges.collect();
    Picture {
        title,
        nodes,
        edges,
    }
}

fn node(id: String, kind: graph::Kind, workflow: &Value) -> Node {
    let text = &workflow["nodes"][&id];
    let own = &text["kind"];
    let place_of_child = match kind.name == graph::MAP {
        true => &own["body"],
        false => own,
    };
    let detail = detail(&kind, own);
    let inner = match kind.child.map(|child| child.workflow) {
        Some(graph::ChildWorkflow::InPlace(graph)) => Some(Box::new(picture(
            String::new(),
            &place_of_child["body"],
            graph,
        ))),
        Some(graph::ChildWorkflow::Named { .. }) | None => None,
    };
    let compensation = kind.undo.map(|undo| Compensation {
        kind: undo.name,
        state: None,
    });
    Node {
        id,
        is_finalizer: text["run_on"].is_string() || kind.name == "finalizer",
        kind: kind.name,
        detail,
        description: text["description"].as_str().map(str::to_owned),
        state: None,
        instances: None,
        iterations: 0,
        compensation,
        inner,
    }
}

/// The end of a workflow, as a node.
fn end() -> Node {
    Node {
        id: graph::END.to_owned(),
        kind: END_KIND.to_owned(),
        detail: None,
        description: None,
        is_finalizer: false,
        state: None,
        instances: None,
        iterations: 0,
        compensation: None,
        inner: None,
    }
}

/// What is special about a node, in a few words.
fn detail(kind: &graph::Kind, text: &Value) -> Option<String> {
    let field = |name: &str| text[name].as_str().map(str::to_owned);
    if kind.name == graph::MAP {
        let body = text["body"]["type"].as_str().unwrap_or_default();
        let child = kind
            .child
            .as_ref()
            .map(|child| started(child, &text["body"]));
        return Some(match child {
            Some(child) => format!("each {child}"),
            None => format!("each a {body}"),
        });
    }
    if let Some(child) = &kind.child {
        return Some(started(child, text));
    }
    match kind.name.as_str() {
        "task" => field("queue").map(|queue| format!("queue {queue}")),
        "tool" | "finalizer" => field("tool_ref"),
        "model" => field("model"),
        "terminate" => field("status"),
        "join" => join(&text["merge_strategy"]),
        "wait" => field("correlation_key").map(|key| format!("for {key}")),
        _ => None,
    }
}

/// What a node starts, in a few words.
fn started(child: &graph::Child, text: &Value) -> String {
    let mut words = match &child.workflow {
        graph::ChildWorkflow::InPlace(_) => "in place".to_owned(),
        graph::ChildWorkflow::Named { id, version } => format!("{id} {version}"),
    };
    if let Some(max) = text["repeat"]["max"].as_u64() {
        words.push_str(&format!(", up to {max} times"));
    }
    if child.is_detached {
        words.push_str(", detached");
    }
    words
}

fn join(strategy: &Value) -> Option<String> {
    let count = strategy["count"].as_u64();
    let name = strategy.as_str().map(str::to_owned);
    count.map(|count| format!("of {count}")).or(name)
}

fn on(on: graph::On) -> On {
    match on {
        graph::On::Success => On::Success,
        graph::On::Failure => On::Failure,
        graph::On::Always => On::Always,
    }
}

/// What has to be so for an edge, which comes from a node of this kind.
fn when(edge: &graph::Edge, kind: &Value) -> When {
    let condition = match &edge.rule {
        graph::Rule::Implied | graph::Rule::Ordinary(None) => return When::Always,
        graph::Rule::Ordinary(Some(condition)) => return When::Condition(condition.clone()),
        graph::Rule::Chosen => branches_to(&edge.to, kind),
    };
    if let Some(when) = condition {
        return when;
    }
    match kind["type"].as_str().unwrap_or_default() {
        "human_approval" => When::Chosen("if nobody answers"),
        "a2a_task" => When::Chosen("if input is required"),
        "policy" => When::Chosen("if violated"),
        _ => When::Never,
    }
}

/// The conditions of the branches that lead there, joined.
fn branches_to(target: &str, kind: &Value) -> Option<When> {
    let branches = kind["branches"].as_array()?;
    let mut conditions = Vec::new();
    for branch in branches.iter().filter(|it| it["target"] == *target) {
        match branch["condition"].as_str() {
            Some(condition) => conditions.push(condition.to_owned()),
            None => return Some(When::Otherwise),
        }
    }
    (!conditions.is_empty()).then(|| When::Condition(conditions.join(" || ")))
}
