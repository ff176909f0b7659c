//! The graph, its conditions, and what it costs.

use anyhow::{Context, Result, bail, ensure};
use refrain::model::EventKind;
use refrain::store::{ListFilter, MemoryStore};
use refrain::{EngineError, Workflow};
use serde_json::json;

use crate::faults::{claim_one, complete_all, engine, graph, log, scheduled, start};

/// Every tick scans nodes × edges: cost grows with the square of the graph.
/// Counted in fuel, which is the same on every machine.
#[test]
fn fault06_the_cost_of_a_step_grows_with_the_graph() -> Result<()> {
    let small = refrain_tests::cost::fuel_per_step(50)?;
    let large = refrain_tests::cost::fuel_per_step(2_000)?;
    ensure!(
        large < small * 1.5,
        "a step costs {small:.0} units of fuel among 50 nodes, and {large:.0} among 2,000"
    );
    Ok(())
}

/// Dispatch order follows a hash map: 20 equal runs, 20 orders.
#[tokio::test]
async fn fault07_equal_runs_dispatch_in_different_orders() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let wide = "s -> h, s -> b, s -> g, s -> c, s -> a, s -> f, s -> d, s -> e";
    for _ in 0..20 {
        let execution = start(&engine, graph(wide)).await?;
        complete_all(&engine).await?;
        ensure!(
            scheduled(&log(&execution).await?) == ["s", "a", "b", "c", "d", "e", "f", "g", "h"]
        );
    }
    Ok(())
}

/// Edge conditions are never evaluated: both arms run.
#[tokio::test]
async fn fault08_both_arms_of_a_condition_run() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let execution = start(
        &engine,
        graph("a -> b if state.x == 1, a -> c if state.x != 1"),
    )
    .await?;
    let a = claim_one(&engine).await?;
    engine.complete(a.id, json!({"x": 1})).await?;
    complete_all(&engine).await?;
    let events = log(&execution).await?;
    ensure!(scheduled(&events) == ["a", "b"]);
    ensure!(
        events
            .iter()
            .any(|it| matches!(&it.kind, EventKind::NodeSkipped(it) if it.node_id == "c"))
    );
    Ok(())
}

/// A cycle or an unreachable node: reported *completed* without having run.
#[tokio::test]
async fn fault09_a_cycle_or_an_unreachable_node_completes_unrun() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    for (edges, word) in [
        ("a -> b, b -> c, c -> b", "cycle"),
        ("a -> b, x -> y", "reach"),
    ] {
        let refused = engine
            .register(Workflow::from_json(graph(edges).to_string())?)
            .await;
        let Err(EngineError::InvalidWorkflow(faults)) = refused else {
            bail!("{edges} is accepted: {refused:?}")
        };
        ensure!(
            faults.iter().any(|fault| fault.message.contains(word)),
            "{faults:?}"
        );
    }
    ensure!(
        engine
            .list(ListFilter {
                max: 10,
                ..ListFilter::default()
            })
            .await?
            .all()?
            .is_empty()
    );
    Ok(())
}

/// `start_node` is ignored.
#[tokio::test]
async fn fault10_start_node_is_ignored() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let execution = start(&engine, graph("z -> m, m -> a")).await?;
    ensure!(
        scheduled(&log(&execution).await?) == ["z"],
        "only the start node is ready at once"
    );

    let mut elsewhere = graph("z -> m, m -> a");
    elsewhere["start_node"] = json!("m");
    elsewhere["workflow_id"] = json!("elsewhere");
    let refused = engine
        .register(Workflow::from_json(elsewhere.to_string())?)
        .await;
    ensure!(
        matches!(refused, Err(EngineError::InvalidWorkflow(_))),
        "z cannot be reached from m: {refused:?}"
    );
    Ok(())
}

/// A definition can be changed under a running execution.
#[tokio::test]
async fn fault15_a_definition_changes_under_an_execution() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let first = graph("a -> b");
    let execution = start(&engine, first.clone()).await?;
    let mut other = graph("a -> c");
    other["workflow_id"] = first["workflow_id"].clone();
    let refused = engine
        .register(Workflow::from_json(other.to_string())?)
        .await;
    ensure!(
        matches!(refused, Err(EngineError::WorkflowDiffers { .. })),
        "{refused:?}"
    );
    engine
        .register(Workflow::from_json(first.to_string())?)
        .await
        .context("the same text again is no change")?;
    complete_all(&engine).await?;
    ensure!(scheduled(&log(&execution).await?) == ["a", "b"]);
    Ok(())
}
