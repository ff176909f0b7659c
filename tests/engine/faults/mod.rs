//! The seventeen faults of the predecessor, a test each, named after it. Each
//! would fail on a scheduler that has the fault.

mod atomic;
mod graph;
mod many;
mod time;
mod wrapped;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use refrain::model::{Event, EventKind, Origin};
use refrain::store::{MemoryStore, Store};
use refrain::{Claim, Engine, EngineError, Execution, Receipt, Workflow};
use refrain_tests::faulty_store::{FaultyStore, Plan};
use serde_json::{Value, json};

pub(crate) async fn engine(store: impl Store + 'static) -> Result<Engine> {
    Ok(Engine::builder().store(store).start().await?)
}

/// An engine whose commits can be made to fail, and a second look at its store.
pub(crate) async fn engine_that_can_fail() -> Result<(Plan, MemoryStore, Engine)> {
    let (plan, store) = (Plan::recording(), MemoryStore::new());
    let engine = engine(FaultyStore::new(store.clone(), &plan)).await?;
    Ok((plan, store, engine))
}

/// A workflow of plain nodes of the queue `general`: `a -> b, a -> c if state.x`.
/// The first node named is the start node. Its id is a digest of the text.
pub(crate) fn graph(text: &str) -> Value {
    let mut nodes = BTreeMap::new();
    let mut edges = Vec::new();
    let mut start_node = None;
    for edge in text.split(", ") {
        let (ends, condition) = edge
            .split_once(" if ")
            .map_or((edge, None), |(ends, condition)| (ends, Some(condition)));
        let ends: Vec<&str> = ends.split(" -> ").collect();
        start_node.get_or_insert(ends[0]);
        for end in &ends {
            nodes.insert(
                *end,
                json!({"id": end, "kind": {"type": "condition", "branches": []}}),
            );
        }
        if let [from, to] = ends[..] {
            edges.push(json!({"from": from, "to": to, "condition": condition}));
        }
    }
    let workflow_id = &refrain::log::digest::digest(text.as_bytes())[..16];
    json!({"workflow_id": workflow_id, "version": "1.0.0", "start_node": start_node, "nodes": nodes, "edges": edges})
}

pub(crate) async fn start(engine: &Engine, workflow: Value) -> Result<Execution> {
    let summary = engine
        .register(Workflow::from_json(workflow.to_string())?)
        .await?;
    Ok(engine
        .start(&summary.workflow_id, &summary.version, json!({}))
        .await?)
}

pub(crate) async fn claim(engine: &Engine) -> Result<Vec<Claim>, EngineError> {
    engine.claim("general", 16, "outside").await
}

pub(crate) async fn claim_one(engine: &Engine) -> Result<Claim> {
    engine
        .claim("general", 1, "outside")
        .await?
        .pop()
        .context("nothing can be claimed")
}

/// Claim and complete until nothing can be claimed.
pub(crate) async fn complete_all(engine: &Engine) -> Result<()> {
    loop {
        let claims = claim(engine).await?;
        if claims.is_empty() {
            return Ok(());
        }
        for claim in claims {
            ensure!(engine.complete(claim.id, json!({})).await? == Receipt::Recorded);
        }
    }
}

pub(crate) async fn log(execution: &Execution) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    loop {
        let page = execution.events(events.len() as u64 + 1, 500).await?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page.into_iter().map(|stored| stored.event));
    }
}

/// The nodes that were scheduled, in the order of the log.
pub(crate) fn scheduled(events: &[Event]) -> Vec<&str> {
    let decisions = events.iter().filter(|it| it.origin == Origin::Decision);
    decisions
        .filter_map(|it| match &it.kind {
            EventKind::NodeScheduled(it) => Some(it.node_id.as_str()),
            _ => None,
        })
        .collect()
}

/// Follow the log until it says so.
pub(crate) async fn settle_until(
    execution: &Execution,
    says_so: impl Fn(&[Event]) -> bool,
) -> Result<()> {
    let mut committed = execution.subscribe(1);
    let mut events = Vec::new();
    while !says_so(&events) {
        let more = committed
            .next()
            .await?
            .context("the execution ended first")?;
        events.extend(more.into_iter().map(|stored| stored.event));
    }
    Ok(())
}
