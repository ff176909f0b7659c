//! The lines of the graph: edges, nodes, policies, limits, the input.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::words::{inline, line, plain};
use crate::graph::END;
use crate::model::Limits;
use crate::replay::minimize::case::Case;

/// The seed that the notation takes where none is written.
const SEED: u64 = 7;

/// Fields of a workflow that the graph's lines say.
const SAID: [&str; 6] = [
    "workflow_id",
    "version",
    "start_node",
    "nodes",
    "edges",
    "retry_policies",
];

const BUDGETS: [&str; 3] = ["token_budget", "cost_budget_usd", "on_budget_exceeded"];

/// All lines of the graph.
pub(super) fn lines(case: &Case) -> Result<String, String> {
    let workflow = case
        .workflow
        .as_object()
        .ok_or("the workflow is no object")?;
    let start = workflow["start_node"].as_str().unwrap_or_default();
    let nodes = workflow["nodes"]
        .as_object()
        .ok_or("the workflow has no nodes")?;
    let mut table = String::new();
    // The first node that is named is the one to start with.
    let others = nodes.iter().filter(|(id, _)| *id != start);
    let all = nodes.get_key_value(start).into_iter().chain(others);
    let edges = workflow.get("edges").and_then(Value::as_array);
    let edges: Vec<&Value> = edges.into_iter().flatten().collect();
    let is_alone = |id: &str| {
        !edges
            .iter()
            .any(|edge| edge["from"] == id || edge["to"] == id)
    };
    for (place, (id, node)) in all.enumerate() {
        plain(id)?;
        let is_named = place > 0 && !is_alone(id);
        if !is_named || !is_ordinary(node) {
            line(&mut table, &of_node(id, node)?);
        }
    }
    for edge in edges {
        line(&mut table, &of_edge(edge)?);
    }
    settings(&mut table, workflow)?;
    of_start(&mut table, case)?;
    Ok(table)
}

/// A node that needs no line, because the notation takes it for granted.
fn is_ordinary(node: &Value) -> bool {
    let kind = &node["kind"];
    let fields = node.as_object().map_or(0, Map::len);
    let has_id = node.get("id").is_some();
    let branches = kind.get("branches");
    let is_plain = branches.is_none_or(|it| it.as_array().is_some_and(Vec::is_empty));
    let known = 1 + usize::from(branches.is_some());
    kind["type"] == "condition"
        && is_plain
        && kind.as_object().map_or(0, Map::len) == known
        && fields == 1 + usize::from(has_id)
}

fn of_node(id: &str, node: &Value) -> Result<String, String> {
    let mut kind = node["kind"].as_object().cloned().unwrap_or_default();
    let name = kind.remove("type").unwrap_or_default();
    let name = name.as_str().unwrap_or_default();
    let mut text = format!("{id}: {name}");
    let options = [
        ("retry_policy", "retry"),
        ("node_timeout_secs", "timeout"),
        ("queue", "queue"),
        ("priority", "priority"),
        ("lease_secs", "lease"),
        ("run_on", "run_on"),
        ("compensate", "undo"),
    ];
    for (field, value) in node.as_object().into_iter().flatten() {
        let known = options.iter().find(|(name, _)| name == field);
        match (field.as_str(), known) {
            ("id" | "kind", _) => {}
            (_, Some((_, option))) => {
                let value = match value.as_str() {
                    Some(word) => plain(word)?.to_owned(),
                    None => inline(value)?,
                };
                _ = write!(text, " {option}={value}");
            }
            _ => {
                return Err(format!(
                    "the field {field} of node {id} has no word in the notation"
                ));
            }
        }
    }
    if !kind.is_empty() {
        _ = write!(text, " {}", inline(&kind.into())?);
    }
    Ok(text)
}

fn of_edge(edge: &Value) -> Result<String, String> {
    let end = |name: &str| edge[name].as_str().unwrap_or_default();
    let to = match end("to") {
        END => END,
        to => plain(to)?,
    };
    let mut text = format!("{} -> {to}", plain(end("from"))?);
    if let Some(on) = edge["on"].as_str() {
        _ = write!(text, " on {on}");
    }
    if let Some(condition) = edge["condition"].as_str() {
        if condition.contains([',', '\n'])
            || condition.contains("->")
            || condition.contains(" if ")
            || condition.contains(" on ")
        {
            return Err(format!(
                "the condition {condition:?} cannot stand in a line"
            ));
        }
        _ = write!(text, " if {condition}");
    }
    Ok(text)
}

fn settings(table: &mut String, workflow: &Map<String, Value>) -> Result<(), String> {
    let policies = workflow.get("retry_policies").and_then(Value::as_object);
    for (name, policy) in policies.into_iter().flatten() {
        line(
            table,
            &format!("policy {} {}", plain(name)?, inline(policy)?),
        );
    }
    let mut budget = Map::new();
    for (name, value) in workflow {
        match name.as_str() {
            "timeouts" => {
                for (name, seconds) in value.as_object().into_iter().flatten() {
                    let word = match name.as_str() {
                        "workflow_timeout" => "timeout",
                        "node_timeout" => "node_timeout",
                        _ => return Err(format!("the timeout {name} has no word in the notation")),
                    };
                    line(table, &format!("{word} {seconds}"));
                }
            }
            "limits" => {
                let numbers = [
                    &value["max_concurrent_nodes"],
                    &value["max_dispatch_per_tick"],
                ];
                let [Some(nodes), Some(items)] = numbers.map(Value::as_u64) else {
                    return Err("only one of the workflow's own limits is given".to_owned());
                };
                line(table, &format!("own_limits {nodes} {items}"));
            }
            name if BUDGETS.contains(&name) => drop(budget.insert(name.to_owned(), value.clone())),
            name if SAID.contains(&name) => {}
            name => return Err(format!("the workflow's {name} has no word in the notation")),
        }
    }
    if !budget.is_empty() {
        line(table, &format!("budget {}", inline(&budget.into())?));
    }
    Ok(())
}

fn of_start(table: &mut String, case: &Case) -> Result<(), String> {
    let started = &case.started;
    if started.limits != Limits::default() {
        let Limits {
            max_concurrent_nodes,
            max_dispatch_per_tick,
        } = started.limits;
        line(
            table,
            &format!("limits {max_concurrent_nodes} {max_dispatch_per_tick}"),
        );
    }
    if started.initial_input != "{}" {
        let input = serde_json::from_str(&started.initial_input);
        let input = input.map_err(|error| format!("the input is no JSON: {error}"))?;
        line(table, &format!("input {}", inline(&input)?));
    }
    if started.seed != SEED {
        line(table, &format!("seed {}", started.seed));
    }
    Ok(())
}
