//! A large workflow runs from the command line, and its log audits clean. That
//! a step costs the same in a large graph is tested in fuel, with the
//! predecessor's sixth fault.

use anyhow::{Context, Result, ensure};
use refrain_bench::layered;
use refrain_tests::binary::{refrain, stderr, stdout};
use serde_json::Value;

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
