//! What the steps of one execution in the component cost.

use anyhow::{Result, ensure};
use refrain_bench::{layered, start};
use serde_json::{Map, Value, json};

/// The fuel that one step of a layered graph of so many nodes burns: a claim,
/// and a completion with what follows from it. Parsing the workflow is not counted.
///
/// # Errors
/// When the component fails.
pub fn fuel_per_step(nodes: usize) -> Result<f64> {
    let mut run = start(&layered(nodes))?;
    let (mut fuel, mut steps) = (0_u64, 0_u32);
    while let Some(item) = run.ports.items.first().cloned() {
        run.take_fuel_burnt();
        run.complete(&item.node_id, "{}")?;
        fuel += run.take_fuel_burnt();
        steps += 1;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio of fuel is compared roughly"
    )]
    let fuel = fuel as f64;
    Ok(fuel / f64::from(steps))
}

/// The fuel that one dispatch burns: of `width` nodes of this kind, which all follow on the
/// first node, whose worker answers this patch.
///
/// # Errors
/// When the component fails.
pub fn fuel_per_dispatch(width: u32, kind: &Value, patch: &str) -> Result<f64> {
    let name = |node: u32| format!("n{node:05}");
    let mut nodes: Map<_, _> = (1..=width)
        .map(|node| (name(node), json!({ "kind": kind })))
        .collect();
    let first = json!({"kind": {"type": "task", "queue": "tool"}});
    nodes.insert(name(0), first);
    let edges: Vec<_> = (1..=width)
        .map(|node| json!({"from": name(0), "to": name(node)}))
        .collect();
    let fan = json!({
        "workflow_id": "fan", "version": "1.0.0", "start_node": name(0), "nodes": nodes, "edges": edges,
    });
    let mut run = start(&fan.to_string())?;
    run.take_fuel_burnt();
    run.complete(&name(0), patch)?;
    ensure!(run.ports.items.len() == width as usize);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio of fuel is compared roughly"
    )]
    let fuel = run.take_fuel_burnt() as f64;
    Ok(fuel / f64::from(width))
}
