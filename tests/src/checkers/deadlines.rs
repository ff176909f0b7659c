//! What a workflow says that a fold of its logs has to know: how long things may take, and
//! what children come to.

use std::collections::{BTreeMap, BTreeSet};

use refrain::model::{ChildEnded, node_of_run};
use refrain_guest::condition::{Expression, Roots, Scope};
use refrain_guest::json::Object;
use serde_json::{Value, json};

/// How long things may take, as a workflow says, in milliseconds; and what else of it
/// decides how an execution stands.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    nodes: BTreeMap<String, u64>,
    every_node: Option<u64>,
    /// That of the whole execution.
    pub(super) workflow: Option<u64>,
    /// The nodes that end the execution: then no budget holds it any more (rule R28).
    pub(super) terminates: BTreeSet<String>,
    /// The nodes that start children, and maps whose instances do.
    children: BTreeMap<String, Child>,
}

impl Deadlines {
    /// Those of this workflow. One that is no JSON has none.
    #[must_use]
    pub fn of_workflow(text: &str) -> Self {
        let workflow: Value = serde_json::from_str(text).unwrap_or_default();
        let nodes = workflow["nodes"].as_object();
        let of_nodes = nodes.into_iter().flatten().filter_map(|(id, node)| {
            let timeout = span_ms(&node["node_timeout_secs"])?;
            Some((id.clone(), timeout))
        });
        let ends = |(_, node): &(&String, &Value)| node["kind"]["type"] == "terminate";
        let terminates = nodes.into_iter().flatten().filter(ends);
        let child = |(id, node): (&String, &Value)| {
            let kind = &node["kind"];
            let body = &kind["body"];
            let of_map = (kind["type"] == "map").then(|| Child::of(body)).flatten();
            Some((id.clone(), Child::of(kind).or(of_map)?))
        };
        let children = nodes.into_iter().flatten().filter_map(child);
        Self {
            children: children.collect(),
            terminates: terminates.map(|(id, _)| id.clone()).collect(),
            nodes: of_nodes.collect(),
            every_node: span_ms(&workflow["timeouts"]["node_timeout"]),
            workflow: span_ms(&workflow["timeouts"]["workflow_timeout"]),
        }
    }

    /// That of a worker's attempt.
    pub(super) fn of_attempt(&self, node: &str) -> Option<u64> {
        self.of_child(node).or(self.every_node)
    }

    /// That of a child: its node's own, and no other.
    pub(super) fn of_child(&self, node: &str) -> Option<u64> {
        self.nodes.get(node_of_run(node)).copied()
    }

    /// Whether nobody waits for the child of a node or an instance.
    pub(super) fn is_detached(&self, node: &str) -> bool {
        self.child(node).is_some_and(|child| child.is_detached)
    }

    /// What the workflow says of the child of a node or an instance, if it has one.
    pub(super) fn child(&self, node: &str) -> Option<&Child> {
        self.children.get(node_of_run(node))
    }
}

/// A span of the workflow format: whole seconds, or `{"secs":…,"nanos":…}`,
/// rounded up.
fn span_ms(json: &Value) -> Option<u64> {
    let seconds = json.as_u64().or_else(|| json["secs"].as_u64())?;
    let nanos = json["nanos"].as_u64().unwrap_or(0);
    Some(
        seconds
            .saturating_mul(1000)
            .saturating_add(nanos.div_ceil(1_000_000)),
    )
}

/// What a workflow says of a child.
#[derive(Clone, Debug)]
pub(super) struct Child {
    /// Whether nobody waits for it.
    is_detached: bool,
    merges: bool,
    output_key: Option<String>,
    repeat: Option<Repeat>,
}

#[derive(Clone, Debug)]
struct Repeat {
    condition: String,
    max: u64,
    completes: bool,
}

impl Child {
    fn of(kind: &Value) -> Option<Self> {
        let repeat = &kind["repeat"];
        (kind["type"] == "subgraph").then(|| Self {
            is_detached: kind["detached"] == true,
            merges: kind["merge"] == true,
            output_key: kind["output_key"].as_str().map(str::to_owned),
            repeat: repeat["while"].as_str().map(|condition| Repeat {
                condition: condition.to_owned(),
                max: repeat["max"].as_u64().unwrap_or_default(),
                completes: repeat["on_max"] == "complete",
            }),
        })
    }

    /// What its node gives the state now that it has ended; none: it came to nothing, or
    /// another one follows on it (rules R22 and R23).
    pub(super) fn patch(
        &self,
        ended: &ChildEnded,
        input: &str,
        state: &BTreeMap<String, String>,
    ) -> Option<String> {
        let output = ended.output.as_ref()?;
        let iteration = u64::from(ended.iteration);
        if let Some(repeat) = &self.repeat
            && (iteration + 1 < repeat.max || !repeat.completes)
            && repeat.goes_on(ended, output, input, state)
        {
            return None;
        }
        let key = json!(self.output_key.as_deref().unwrap_or(&ended.node_id));
        Some(match self.merges {
            true => output.clone(),
            false => format!("{{{key}:{output}}}"),
        })
    }
}

impl Repeat {
    fn goes_on(
        &self,
        ended: &ChildEnded,
        output: &str,
        input: &str,
        state: &BTreeMap<String, String>,
    ) -> bool {
        let Ok(condition) = Expression::parse_over(&self.condition, Roots::OF_REPEATS) else {
            return false; // Rule R1 refuses it.
        };
        let mut object = Object::new();
        for (key, value) in state {
            object.insert(key.clone(), value);
        }
        let iteration = ended.iteration.to_string();
        let scope = Scope::new(input, &object).in_node(&ended.node_id);
        condition.is_true(&scope.in_iteration(output, &iteration))
    }
}
