//! Valid workflows of every shape, from one seed.
//!
//! Nodes are `n00`, `n01` … in an order that is topological, so that no cycle
//! can arise; every node but the first has an edge from an earlier one, so
//! that all are reachable.

use serde_json::{Map, Value, json};

use crate::dice::Dice;

/// A valid workflow of `nodes` nodes (finalizers come on top), as JSON text.
#[must_use]
pub fn workflow(dice: &mut Dice, nodes: usize) -> String {
    let nodes = nodes.max(1);
    let mut edges = Vec::new();
    for to in 1..nodes {
        for _ in 0..=dice.below(3) {
            let from = usize::try_from(dice.below(to as u64)).unwrap_or(0);
            edges.push((from, to));
        }
    }
    edges.sort_unstable();
    edges.dedup();

    let mut table = Map::new();
    for node in 0..nodes {
        let targets: Vec<usize> = edges.iter().filter(|e| e.0 == node).map(|e| e.1).collect();
        let sources: Vec<usize> = edges.iter().filter(|e| e.1 == node).map(|e| e.0).collect();
        table.insert(name(node), node_json(dice, node, &sources, &targets));
    }
    let mut listed: Vec<Value> = edges
        .iter()
        .map(|(from, to)| edge_json(dice, *from, *to))
        .collect();
    listed.push(json!({"from": name(nodes - 1), "to": "end"}));
    for finalizer in 0..dice.below(3) {
        let id = format!("z{finalizer}");
        let run_on = ["success", "failure", "always"][(dice.below(3)) as usize];
        table.insert(
            id.clone(),
            json!({"id": id, "kind": {"type": "finalizer", "tool_ref": "t", "run_on": run_on}}),
        );
    }

    let mut whole = json!({
        "workflow_id": "generated",
        "version": "1.0.0",
        "start_node": name(0),
        "nodes": table,
        "edges": listed,
        "retry_policies": {
            "twice": {"max_attempts": 2, "backoff": "fixed", "initial_delay": 1, "max_delay": 5, "jitter": true, "retryable_on": []},
            "io_only": {"max_attempts": 3, "backoff": "linear", "initial_delay": 2, "max_delay": 3, "jitter": false, "retryable_on": ["io_error", "timeout"]},
            "held": {"max_attempts": 1, "backoff": "exponential", "initial_delay": 1, "max_delay": 60, "jitter": true, "retryable_on": [], "on_exhausted": "pause"},
        },
    });
    if dice.chance(1, 4) {
        whole["timeouts"] =
            json!({"node_timeout": 1 + dice.below(20), "workflow_timeout": 30 + dice.below(300)});
    }
    if dice.chance(1, 3) {
        whole["limits"] = json!({"max_concurrent_nodes": 1 + dice.below(5), "max_dispatch_per_tick": 1 + dice.below(4)});
    }
    whole.to_string()
}

fn name(node: usize) -> String {
    format!("n{node:02}")
}

fn node_json(dice: &mut Dice, node: usize, sources: &[usize], targets: &[usize]) -> Value {
    let mut json = json!({"id": name(node), "kind": kind_json(dice, sources, targets)});
    if let Some(policy) = dice.pick(&[
        "",
        "",
        "",
        "twice",
        "io_only",
        "held",
        "no_retry",
        "io_default",
    ]) && !policy.is_empty()
    {
        json["retry_policy"] = json!(policy);
    }
    if dice.chance(1, 6) {
        json["node_timeout_secs"] = json!(1 + dice.below(10));
    }
    json
}

fn kind_json(dice: &mut Dice, sources: &[usize], targets: &[usize]) -> Value {
    match dice.below(16) {
        0 if !targets.is_empty() => {
            let branches: Vec<Value> = targets
                .iter()
                .map(|target| match condition(dice) {
                    Some(condition) => json!({"condition": condition, "target": name(*target)}),
                    None => json!({"target": name(*target)}),
                })
                .collect();
            json!({"type": "condition", "branches": branches})
        }
        1 => {
            json!({"type": "parallel", "branches": targets.iter().map(|t| name(*t)).collect::<Vec<_>>()})
        }
        2 | 3 => {
            let strategy = ["collect", "first"][(dice.below(2)) as usize];
            json!({"type": "join", "wait_for": sources.iter().map(|s| name(*s)).collect::<Vec<_>>(), "merge_strategy": strategy})
        }
        4 => json!({"type": "wait", "condition": "timer", "timeout_secs": 1 + dice.below(30)}),
        5 => {
            json!({"type": "wait", "condition": "either", "correlation_key": key(dice), "timeout_secs": 1 + dice.below(30)})
        }
        6 => {
            let mut kind = json!({"type": "human_approval", "description": "may it?", "timeout_secs": 1 + dice.below(40)});
            if let Some(target) = dice.pick(targets) {
                kind["fallback_node"] = json!(name(*target));
            }
            kind
        }
        7 => {
            json!({"type": "tool", "tool_ref": "t", "input_mapping": {"a": "state.k0", "b": "input.claim"}, "output_schema": ""})
        }
        8 => json!({"type": "model", "model_ref": "m", "prompt_ref": "p", "output_schema": ""}),
        9 => json!({"type": "policy", "policy_ref": "p", "on_violation": "fail"}),
        _ => json!({"type": "condition", "branches": []}),
    }
}

fn edge_json(dice: &mut Dice, from: usize, to: usize) -> Value {
    let condition = if dice.chance(1, 4) {
        condition(dice)
    } else {
        None
    };
    match condition {
        Some(condition) => json!({"from": name(from), "to": name(to), "condition": condition}),
        None => json!({"from": name(from), "to": name(to)}),
    }
}

fn condition(dice: &mut Dice) -> Option<&'static str> {
    dice.pick(&[
        "state.k0",
        "state.k1 == 1",
        "state.k2 != 2",
        "input.claim > 3 && !(state.k0 == 0)",
        "has(state.k1) || size(state.list) > 1",
        "state.k0 in [0, 1, 2]",
    ])
    .copied()
}

/// One of the few correlation keys that generated waits use.
pub fn key(dice: &mut Dice) -> &'static str {
    dice.pick(&["order", "payment"]).copied().unwrap_or("order")
}

/// A patch over the few keys that generated conditions look at.
#[must_use]
pub fn patch(dice: &mut Dice) -> String {
    match dice.below(5) {
        0 => "{}".to_owned(),
        1 => json!({"list": [1, 2, 3]}).to_string(),
        which => json!({format!("k{}", which - 2): dice.below(4)}).to_string(),
    }
}
