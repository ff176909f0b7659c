//! The workflows of a world: drawn by the dice from the guest's strategies.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use refrain::Workflow;
use refrain_guest::strategies::{self, CHILD, Shape, Workflow as Generated};
use refrain_guest::workflow::plan::Plan;
use serde_json::{Value, json};

use crate::dice::Dice;

/// Nodes of most workflows, and of some: more of them make a world slow, and
/// meet nothing else.
const NODES: usize = 9;
const NODES_OF_SOME: usize = 30;

/// Nodes of the workflow that subgraphs name.
const NODES_OF_A_CHILD: usize = 3;

/// Nodes side by side in a fan: more than workers have slots.
const NODES_OF_A_FAN: u64 = 12;

/// One of a world's workflows.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Its id; its version is 1.0.0.
    pub(super) id: String,
    /// Its nodes, and where a worker's choice may lead from each.
    pub(super) nodes: BTreeMap<String, Vec<String>>,
    /// The external events that it may wait for.
    pub(super) keys: Vec<String>,
    /// What its executions are started with.
    pub(super) input: Value,
    /// The whole, as JSON text.
    pub(super) text: String,
}

/// Draw the world's workflow of this number.
///
/// # Panics
/// When what was drawn is no JSON.
pub(super) fn draw(dice: &mut Dice, number: usize) -> Drawn {
    if dice.chance(1, 5) {
        return fan(dice, number);
    }
    let drawn = sample(dice);
    let mut workflow: Value = serde_json::from_str(drawn.text()).expect("it is JSON");
    let id = format!("w{number}");
    workflow["workflow_id"] = id.clone().into();
    Drawn {
        id,
        nodes: targets(drawn.plan()),
        keys: keys(&workflow),
        input: serde_json::from_str(drawn.input()).expect("it is JSON"),
        text: workflow.to_string(),
    }
}

/// The workflow that drawn subgraphs name: a small one, which names none itself, so that
/// trees end.
pub(super) fn child(dice: &mut Dice) -> Workflow {
    let drawn = loop {
        let text = sample_of(dice, NODES_OF_A_CHILD).text().to_owned();
        let mut workflow: Value = serde_json::from_str(&text).expect("it is JSON");
        workflow["workflow_id"] = CHILD.0.into();
        workflow["version"] = CHILD.1.into();
        if !names_a_child(&workflow["nodes"]) {
            break workflow;
        }
    };
    Workflow::from_json(drawn.to_string()).expect("it is JSON")
}

/// Whether anything in there names the workflow of children.
fn names_a_child(json: &Value) -> bool {
    match json {
        Value::Object(fields) => {
            fields.get("workflow_id").is_some_and(|id| *id == CHILD.0)
                || fields.values().any(names_a_child)
        }
        Value::Array(items) => items.iter().any(names_a_child),
        _ => false,
    }
}

/// The nodes of a workflow, and the external events that it may wait for.
pub(super) fn nodes_and_keys(text: &str) -> (Vec<String>, Vec<String>) {
    let workflow: Value = serde_json::from_str(text).unwrap_or_default();
    let nodes = workflow["nodes"].as_object().into_iter().flatten();
    (nodes.map(|(id, _)| id.clone()).collect(), keys(&workflow))
}

/// Many nodes of one queue side by side, whose attempts time out together.
fn fan(dice: &mut Dice, number: usize) -> Drawn {
    let width = 3 + dice.below(NODES_OF_A_FAN - 2);
    let names: Vec<String> = (0..width).map(|node| format!("n{node:02}")).collect();
    let timeout_s = 1 + dice.below(5);
    let mut nodes = json!({ "fan": { "kind": { "type": "parallel", "branches": names } } });
    for name in &names {
        nodes[name] = json!({
            "kind": { "type": "tool", "tool_ref": "t" },
            "node_timeout_secs": timeout_s,
            "retry_policy": if dice.chance(1, 2) { "no_retry" } else { "io_default" },
        });
    }
    let id = format!("w{number}");
    let workflow = json!({
        "workflow_id": id, "version": "1.0.0", "start_node": "fan", "nodes": nodes, "edges": [],
    });
    let all = names.into_iter().chain(["fan".to_owned()]);
    Drawn {
        id,
        nodes: all.map(|name| (name, Vec::new())).collect(),
        keys: Vec::new(),
        input: json!({}),
        text: workflow.to_string(),
    }
}

fn sample(dice: &mut Dice) -> Generated {
    let nodes_max = if dice.chance(1, 30) {
        NODES_OF_SOME
    } else {
        NODES
    };
    sample_of(dice, nodes_max)
}

fn sample_of(dice: &mut Dice, nodes_max: usize) -> Generated {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&dice.word().to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let shape = dice.pick(&Shape::ALL).copied().unwrap_or(Shape::Random);
    let drawn = strategies::workflows_of(shape, 1..=nodes_max).new_tree(&mut runner);
    drawn.expect("nothing is filtered out").current()
}

fn targets(plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let id = |place: u32| plan.nodes[place as usize].id.to_string();
    let of = |node: &refrain_guest::workflow::plan::Node| {
        let edges = &plan.edges[node.outgoing.start as usize..node.outgoing.end as usize];
        let edges = edges.iter().filter(|edge| edge.on.judges_success());
        edges.map(|edge| id(edge.to.0)).collect()
    };
    plan.nodes
        .iter()
        .map(|node| (node.id.to_string(), of(node)))
        .collect()
}

fn keys(workflow: &Value) -> Vec<String> {
    let nodes = workflow["nodes"].as_object().into_iter().flatten();
    let key = |(_, node): (_, &Value)| node["kind"]["correlation_key"].as_str().map(str::to_owned);
    nodes.filter_map(key).collect()
}

/// What a worker merges into the state: the few keys that drawn conditions
/// look at.
pub(super) fn patch(dice: &mut Dice) -> Value {
    match dice.below(5) {
        0 => json!({}),
        1 => json!({ "list": [1, 2, 3] }),
        key => json!({ format!("k{}", key - 2): dice.below(4) }),
    }
}
