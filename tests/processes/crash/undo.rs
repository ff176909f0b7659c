//! What was completed is undone, under kills.
//!
//! In the end each node and each instance that was completed has one compensation, which
//! was completed once; they come in the reverse of the order of the completions, and each
//! result is one that an attempt had.

use anyhow::{Context, Result, ensure};
use refrain::model::{EventKind, undone_by};
use refrain::store::{Reader, SqliteStore, StoredEvent};
use serde_json::{Value, json};

use super::rounds::{Ended, Subject, counted_once, kill_while_it_runs, noting, policies};

#[test]
fn r27_each_completion_is_undone_once_under_kills() -> Result<()> {
    kill_while_it_runs(&Subject {
        workflow: booked,
        databases: (1, 10),
        rounds: 12,
        lines_max: 6,
        completes: false,
        judge,
    })
}

/// The runs that are completed, each of which has a compensation.
const COMPLETED: usize = 6;

/// A node, a map and a child, each of which can be undone, and then a failure.
fn booked() -> Value {
    let undone = |kind: Value| {
        json!({
            "kind": kind,
            "compensate": noting("undone", ""),
            "retry_policy": "patient",
        })
    };
    let body = json!({
        "start_node": "x",
        "nodes": { "x": { "kind": noting("result", ""), "retry_policy": "patient" } },
        "retry_policies": policies(),
    });
    json!({
        "workflow_id": "booked", "version": "1.0.0", "start_node": "begin",
        "nodes": {
            "begin": undone(noting("result", "")),
            "list": undone(json!({ "type": "map", "over": "[1, 2, 3]", "body": noting("result", "") })),
            "child": undone(json!({ "type": "subgraph", "body": body })),
            "other": undone(noting("result", "")),
            "fail": { "kind": { "type": "command", "argv": ["false"] }, "retry_policy": "no_retry" },
        },
        "edges": [
            { "from": "begin", "to": "list" }, { "from": "begin", "to": "child" },
            { "from": "list", "to": "other" }, { "from": "child", "to": "other" },
            { "from": "other", "to": "fail" },
        ],
        "retry_policies": policies(),
    })
}

fn judge(ended: &Ended<'_>) -> Result<u64> {
    let mut store = SqliteStore::open_read_only(ended.database)?;
    let mut lost = 0;
    for id in &ended.executions {
        let log = store.events(*id, 0, 10_000)?;
        for stored in &log {
            if let EventKind::NodeCompleted(it) = &stored.event.kind {
                let output: Value = serde_json::from_str(it.output.as_str())?;
                let field = match undone_by(&it.node_id) {
                    Some(_) => "undone",
                    None => "result",
                };
                let result = output[field].as_str().context("a result")?;
                lost += counted_once(&ended.ran, &id.to_string(), &it.node_id, result)?;
            }
        }
        let last = log.last().context("an event")?;
        match &last.event.kind {
            EventKind::WorkflowFailed(it) => {
                is_undone(&log)?;
                ensure!(
                    !it.final_state.contains("undone"),
                    "{id}: {}",
                    it.final_state
                );
            }
            // Of a child: what it did is its parent's to undo.
            EventKind::WorkflowCompleted(_) => {}
            other => anyhow::bail!("{id} ended with {other:?}"),
        }
    }
    Ok(lost)
}

/// Whatever was completed is undone once, the latest first, and nothing else.
fn is_undone(log: &[StoredEvent]) -> Result<()> {
    let (mut completed, mut undone) = (Vec::new(), Vec::new());
    for stored in log {
        match &stored.event.kind {
            EventKind::NodeCompleted(it) => match undone_by(&it.node_id) {
                Some(run) => undone.push(run.to_owned()),
                None => completed.push(it.node_id.clone()),
            },
            EventKind::ChildEnded(it) => completed.push(it.node_id.clone()),
            _ => {}
        }
    }
    ensure!(completed.len() == COMPLETED, "completed: {completed:?}");
    completed.reverse();
    ensure!(
        undone == completed,
        "{undone:?} were undone of {completed:?}"
    );
    Ok(())
}
