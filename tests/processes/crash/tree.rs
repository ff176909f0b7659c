//! Maps, children, loops of them and detached ones, within each other, under kills.
//!
//! In the end each child was started once and its end was told once, both logs name each
//! other, nothing is owed, and each result is one that an attempt had.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use refrain::id::ExecutionId;
use refrain::model::{ChildEnded, Digest, EventKind, WorkflowStarted};
use refrain::store::Head;
use refrain::store::{ChildState, Reader, SqliteStore, StoredEvent};
use refrain_tests::binary::refrain;
use serde_json::{Value, json};

use super::document;
use super::rounds::{Ended, Subject, counted_once, kill_while_it_runs, noting, policies};

#[test]
fn trees_of_executions_lose_and_repeat_nothing_under_kills() -> Result<()> {
    kill_while_it_runs(&Subject {
        workflow: tree,
        databases: (1, 10),
        rounds: 12,
        lines_max: 6,
        completes: true,
        judge,
    })
}

/// What a tree consists of: the workflow of each execution, and how many of them are of it.
const TREE: [(&str, usize); 7] = [
    ("tree", 1),
    ("tree/each", 3),
    ("tree/loop", 3),
    ("tree/away", 1),
    ("tree/inner", 1),
    ("tree/inner/each", 2),
    ("tree/inner/loop", 2),
];

/// A map of commands and one of children, a loop, a child that nobody waits for, and one
/// that has a map of children and a loop of its own.
fn tree() -> Value {
    let patient = |kind: Value| json!({"kind": kind, "retry_policy": "patient"});
    let work = || patient(noting("result", ""));
    let leaf = || json!({"start_node": "x", "nodes": {"x": work()}, "retry_policies": policies()});
    let each = |list: &str| json!({"kind": {"type": "map", "over": list, "max_concurrent": 2, "body": {"type": "subgraph", "body": leaf()}}});
    let again = |times: u32| json!({"kind": {"type": "subgraph", "body": leaf(), "repeat": {"while": format!("iteration < {times}"), "max": 5}}});
    let inner = json!({
        "start_node": "x",
        "nodes": {"x": work(), "each": each("[1, 2]"), "loop": again(1)},
        "edges": [{"from": "x", "to": "each"}, {"from": "x", "to": "loop"}],
        "retry_policies": policies(),
    });
    let list = patient(json!({"type": "map", "over": "state.list", "body": noting("result", "")}));
    let nodes = json!({
        "begin": patient(noting("result", "\"list\":[1,2,3],")),
        "list": list,
        "each": each("state.list"),
        "loop": again(2),
        "away": {"kind": {"type": "subgraph", "body": leaf(), "detached": true}},
        "inner": {"kind": {"type": "subgraph", "body": inner}},
        "end_all": work(),
    });
    let between = ["list", "each", "loop", "away", "inner"];
    let edge = |from: &str, to: &str| json!({"from": from, "to": to});
    let edges = between
        .iter()
        .flat_map(|node| [edge("begin", node), edge(node, "end_all")]);
    json!({
        "workflow_id": "tree", "version": "1.0.0", "start_node": "begin", "nodes": nodes,
        "edges": edges.collect::<Vec<_>>(), "retry_policies": policies(),
    })
}

fn judge(ended: &Ended<'_>) -> Result<u64> {
    let mut store = SqliteStore::open_read_only(ended.database)?;
    let owed = store.owed_children(1)?;
    ensure!(owed.found.is_empty(), "it is owed: {owed:?}");
    let mut logs = BTreeMap::new();
    for id in &ended.executions {
        logs.insert(*id, store.events(*id, 0, 10_000)?);
    }
    let logs = Logs(logs);
    logs.are_whole_trees()?;
    let mut told = BTreeSet::new();
    for (parent, event) in logs.events() {
        match &event.event.kind {
            EventKind::ChildStarted(it) => {
                let child = logs.started(it.child_id.parse()?)?;
                let named = child.parent.as_ref().context("a child names its parent")?;
                ensure!(
                    named.execution_id == parent.to_string()
                        && (&named.node_id, named.iteration) == (&it.node_id, it.iteration),
                    "{parent} started {it:?}, which names {named:?}"
                );
                let row = store.child(it.child_id.parse()?)?;
                let state = row.map(|row| row.state);
                ensure!(
                    state == Some(ChildState::Settled),
                    "{} is {state:?}",
                    it.child_id
                );
            }
            EventKind::ChildEnded(it) => {
                logs.ended_so(it)?;
                told.insert(it.child_id.clone());
            }
            _ => {}
        }
    }
    ensure!(
        told.len() == logs.0.len() / TREE_SIZE * TOLD_OF_TREE,
        "{} ends were told",
        told.len()
    );
    both_logs_name_each_other(ended)?;
    lost(&logs, ended)
}

/// Executions of a tree, and those whose parent waits for their end.
const TREE_SIZE: usize = 13;
const TOLD_OF_TREE: usize = TREE_SIZE - 2;

/// The logs of all executions, which have ended.
struct Logs(BTreeMap<ExecutionId, Vec<StoredEvent>>);

impl Logs {
    fn events(&self) -> impl Iterator<Item = (ExecutionId, &StoredEvent)> {
        let logs = self.0.iter();
        logs.flat_map(|(id, log)| log.iter().map(|event| (*id, event)))
    }

    fn started(&self, id: ExecutionId) -> Result<&WorkflowStarted> {
        let log = self.0.get(&id).with_context(|| format!("{id} is gone"))?;
        match log.first().map(|first| &first.event.kind) {
            Some(EventKind::WorkflowStarted(started)) => Ok(started),
            other => anyhow::bail!("{id} begins with {other:?}"),
        }
    }

    /// Below each root stand as many children of each kind as belong there.
    fn are_whole_trees(&self) -> Result<()> {
        let mut trees: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for id in self.0.keys() {
            let started = self.started(*id)?;
            let root = started.parent.as_ref().map(|it| it.root.clone());
            let tree = trees.entry(root.unwrap_or(id.to_string())).or_default();
            *tree.entry(started.workflow_id.clone()).or_default() += 1;
        }
        let whole = TREE.map(|(workflow, count)| (workflow.to_owned(), count));
        for (root, tree) in trees {
            ensure!(tree == BTreeMap::from(whole.clone()), "{root} has {tree:?}");
        }
        Ok(())
    }

    /// The parent was told the state and the head with which the child has ended.
    fn ended_so(&self, told: &ChildEnded) -> Result<()> {
        let id: ExecutionId = told.child_id.parse()?;
        let last = self.0.get(&id).and_then(|log| log.last());
        let last = last.context("a child with a log")?;
        let state = match &last.event.kind {
            EventKind::WorkflowCompleted(it) => Some(it.final_state.clone()),
            _ => None,
        };
        let head = Head {
            sequence: told.sequence,
            hash: told.head.0,
        };
        ensure!(
            state.is_some() && told.output == state && last.head() == head,
            "{id} ended with {last:?} at {}, and its parent was told {told:?}",
            Digest(last.hash)
        );
        Ok(())
    }
}

/// What an audit says of each child, besides that its log is clean.
fn both_logs_name_each_other(ended: &Ended<'_>) -> Result<()> {
    let audit = ["audit", "--all", "--db", "killed.db", "--json"];
    let audit = document(refrain(ended.folder).args(audit))?;
    let audited = audit["executions"].as_array().context("executions")?;
    let links = audited
        .iter()
        .filter(|it| it["child_of"]["link"] == "linked");
    let children = ended.executions.len() / TREE_SIZE * (TREE_SIZE - 1);
    ensure!(links.count() == children, "{children} children: {audit:#}");
    Ok(())
}

/// Each result of a command counts once, and is one that an attempt had.
fn lost(logs: &Logs, ended: &Ended<'_>) -> Result<u64> {
    let mut lost = 0;
    for (id, event) in logs.events() {
        if let EventKind::NodeCompleted(it) = &event.event.kind {
            let patch: Value = serde_json::from_str(it.state_patch.as_str())?;
            let result = patch["result"].as_str().context("a result")?;
            lost += counted_once(&ended.ran, &id.to_string(), &it.node_id, result)?;
        }
    }
    Ok(lost)
}
