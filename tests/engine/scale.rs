//! A large workflow runs from the command line, and its log audits clean; and what is wide
//! costs no more for each step than what is narrow. It is counted, not timed: counts are
//! the same on every machine. That a step costs the same in a large graph is tested in
//! fuel, with the predecessor's sixth fault.

mod children;
mod world;

use anyhow::{Context, Result, ensure};
use refrain_bench::layered;
use refrain_tests::binary::{refrain, stderr, stdout};
use serde_json::{Value, json};

use self::world::World;

const NODES: usize = 5_000;

#[test]
fn five_thousand_nodes_and_fifteen_thousand_edges_run_simulated() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let workflow = layered(NODES);
    let edges = serde_json::from_str::<Value>(&workflow)?["edges"]
        .as_array()
        .map_or(0, Vec::len);
    ensure!(edges >= 14_900, "{edges} edges");
    std::fs::write(folder.path().join("large.json"), workflow)?;

    let run = refrain(folder.path())
        .args(["run", "large.json", "--simulate", "--json"])
        .output()?;
    let run: Value = serde_json::from_str(&stdout(&run)).with_context(|| stderr(&run))?;
    ensure!(run["status"] == "completed", "{run}");
    // Event 1, the end, and for each node: scheduled, started, completed.
    ensure!(run["events"] == 2 + 3 * NODES, "{}", run["events"]);

    let audit = refrain(folder.path())
        .args(["audit", "--all", "--json"])
        .output()?;
    let audit: Value = serde_json::from_str(&stdout(&audit)).with_context(|| stderr(&audit))?;
    ensure!(audit["executions"][0]["verdict"] == "clean", "{audit}");
    Ok(())
}

/// One execution that has more work items at once than an engine keeps cached of all: each
/// turn reads what it touches, and neither all of its items nor its log.
#[test]
fn a_map_that_is_wider_than_the_cache_reads_no_more_for_each_step() -> Result<()> {
    let rows = rows_per_step(1, 40_000)?;
    ensure!(rows <= ROWS_PER_STEP_MAX, "{rows} rows a step");
    Ok(())
}

/// Several that fit into the cache alone, and not together, and a narrow one among them.
#[test]
fn wide_maps_that_do_not_fit_the_cache_together_read_no_more_for_each_step() -> Result<()> {
    let rows = rows_per_step(6, 8_000)?;
    ensure!(rows <= ROWS_PER_STEP_MAX, "{rows} rows a step");
    Ok(())
}

/// An item is read as it is claimed. On top of that come snapshots, where a guest reads what
/// follows on one, and the looks past the items of executions whose calls are costly.
const ROWS_PER_STEP_MAX: f64 = 4.5;

/// The rows that the store answers for each step of so many maps at once, each as wide as
/// that.
fn rows_per_step(maps: u32, width: u32) -> Result<f64> {
    let mut world = World::new(width, |builder| builder)?;
    let step = json!({"type": "tool", "tool_ref": "nothing"});
    world.register(&json!({
        "workflow_id": "wide", "version": "1.0.0", "start_node": "m",
        "nodes": {"m": {"kind": {"type": "map", "over": "input.items", "body": step}}},
    }))?;
    let items: Vec<u32> = (0..width).collect();
    for _ in 0..maps {
        world.start("wide", json!({ "items": items }))?;
    }
    let work = world.until_all_have_ended()?;
    Ok(f64::from(work.rows) / f64::from(maps * width))
}
