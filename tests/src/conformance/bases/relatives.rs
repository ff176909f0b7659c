//! Logs of one engine that name one another: twins and a detached child with their parent, and
//! forks with their origins.

use anyhow::Result;
use refrain::guest::Library;
use refrain::{ExecutionId, Start};
use serde_json::json;

use super::super::source::Source;
use crate::golden::stage::{Props, Stage};
use crate::notation::Graph;

/// A parent of two children of one workflow, and of one that is detached.
const TWINS: &str = r#"
    a -> s -> b, a -> t -> b, a -> d -> b
    a: command
    s: subgraph {"workflow_id":null,"version":null,"body":{"start_node":"x","nodes":{"x":{"kind":{"type":"parallel"}}}}}
    t: subgraph {"workflow_id":null,"version":null,"body":{"start_node":"x","nodes":{"x":{"kind":{"type":"parallel"}}}}}
    d: subgraph {"workflow_id":null,"version":null,"detached":true,"body":{"start_node":"y","nodes":{"y":{"kind":{"type":"tool","tool_ref":"t"}}}}}
    b: command
"#;

/// A node, and two behind it.
const ORIGIN: &str = r#"
    a -> b, a -> c
    a: command
    b: command
    c: command
"#;

pub(super) fn all(library: &Library) -> Result<Vec<Source>> {
    let mut logs = twins(library)?;
    logs.extend(forks(library)?);
    Ok(logs)
}

fn stage(library: &Library, seed: u64, table: &str) -> Result<Stage> {
    let lines = table.lines().map(str::trim).filter(|it| !it.is_empty());
    let graph = Graph::read(lines).map_err(anyhow::Error::msg)?;
    Stage::set(Props {
        tenant: "default",
        library,
        seed,
        workflow: &graph.workflow,
        start: Start::new("w", "1.0.0", json!({ "n": 7 })),
        simulated: false,
    })
}

fn twins(library: &Library) -> Result<Vec<Source>> {
    let mut stage = stage(library, 9_100, TWINS)?;
    stage.claim("command")?;
    stage.complete("a", json!({}))?;
    stage.claim("tool")?;
    stage.complete("y", json!({ "y": 1 }))?;
    stage.claim("command")?;
    stage.complete("b", json!({}))?;
    let parent = stage.execution();
    let fork = stage.fork()?;
    let child = |node: &str| ExecutionId::of_child(parent, node, 1, 0);
    let logs = [
        (
            "twins_parent",
            "a parent of two equal children, and of a detached one",
            parent,
        ),
        ("twin_s", "one of two equal children", child("s")),
        ("twin_t", "the other one", child("t")),
        ("twins_detached", "a detached child", child("d")),
        ("twins_fork", "a fork of an execution with children", fork),
    ];
    exported(&mut stage, &logs)
}

fn forks(library: &Library) -> Result<Vec<Source>> {
    let mut stage = stage(library, 9_200, ORIGIN)?;
    stage.claim("command")?;
    stage.complete("a", json!({ "a": 1 }))?;
    stage.claim("command")?;
    stage.complete("b", json!({ "b": 1 }))?;
    let early = stage.fork()?;
    stage.complete("c", json!({ "c": 1 }))?;
    let late = stage.fork()?;
    let logs = [
        ("origin", "an execution that was forked", stage.execution()),
        ("fork", "a fork of it, made while it was at work", early),
        ("late_fork", "a fork of it, made when it had ended", late),
    ];
    exported(&mut stage, &logs)
}

fn exported(stage: &mut Stage, logs: &[(&str, &str, ExecutionId)]) -> Result<Vec<Source>> {
    let logs = logs.iter();
    logs.map(|(name, shows, id)| Source::new(name, shows, &stage.export_of(*id)?))
        .collect()
}
