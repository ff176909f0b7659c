//! A diamond of commands, under kills.

use anyhow::{Context, Result};
use refrain_tests::binary::refrain;
use serde_json::{Map, Value, json};

use super::document;
use super::rounds::{Ended, Subject, counted_once, kill_while_it_runs, noting, policies};

const STEPS: usize = 6;

#[test]
fn what_was_acknowledged_is_there_after_every_kill() -> Result<()> {
    kill_while_it_runs(&Subject {
        workflow: steps,
        databases: (6, 60),
        rounds: 32,
        lines_max: STEPS as u64,
        completes: true,
        judge,
    })
}

/// Each execution has ended with a result of each node.
fn judge(ended: &Ended<'_>) -> Result<u64> {
    let mut lost = 0;
    for id in &ended.executions {
        let id = id.to_string();
        let show = ["show", &id, "--db", "killed.db", "--json"];
        let shown = document(refrain(ended.folder).args(show))?;
        for step in 0..STEPS {
            let node = format!("n{step}");
            let result = shown["final_state"][&node].as_str();
            let result = result.context("a result of each node")?;
            lost += counted_once(&ended.ran, &id, &node, result)?;
        }
    }
    Ok(lost)
}

/// A diamond of real commands, with attempts to spare. Each notes that it ran,
/// and has a result that no other attempt has.
fn steps() -> Value {
    let mut nodes = Map::new();
    let mut edges = Vec::new();
    for step in 0..STEPS {
        let id = format!("n{step}");
        nodes.insert(
            id.clone(),
            json!({"kind": noting(&id, ""), "retry_policy": "patient"}),
        );
        match step {
            0 => {}
            1..4 => edges.push(json!({"from": "n0", "to": id})),
            4 => edges.extend((1..4).map(|from| json!({"from": format!("n{from}"), "to": "n4"}))),
            _ => edges.push(json!({"from": format!("n{}", step - 1), "to": id})),
        }
    }
    json!({
        "workflow_id": "steps", "version": "1.0.0", "start_node": "n0", "nodes": nodes, "edges": edges,
        "retry_policies": policies(),
    })
}
