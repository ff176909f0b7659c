//! The real binary on a real SQLite file, killed with SIGKILL at any moment:
//! it resumes, ends with the same final state, and audits clean.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use refrain::limits::LEASE_DEFAULT;
use refrain_tests::binary::{refrain, stderr, stdout};
use refrain_tests::dice::Dice;
use serde_json::{Map, Value, json};

const ROUNDS: u64 = 6;
const STEPS: usize = 8;

#[test]
fn a_run_killed_at_any_moment_resumes_and_ends_the_same() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("steps.json"), steps().to_string())?;
    let unharmed = document(refrain(folder.path()).args([
        "run",
        "steps.json",
        "--db",
        "unharmed.db",
        "--json",
    ]))?;
    ensure!(unharmed["status"] == "completed", "{unharmed}");

    let mut kills = 0;
    for seed in 0..ROUNDS {
        let mut dice = Dice::seeded(seed);
        let database = format!("killed{seed}.db");
        let mut victim = spawn(
            folder.path(),
            &["run", "steps.json", "--db", &database, "--key", "once"],
        )?;
        // Three kills a round: at the start, in the midst of it, while resuming.
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(dice.below(700)));
            kills += usize::from(victim.try_wait()?.is_none());
            victim.kill()?;
            victim.wait()?;
            victim = spawn(
                folder.path(),
                &["run", "steps.json", "--db", &database, "--key", "once"],
            )?;
        }
        let ended = victim.wait()?;
        ensure!(
            ended.success(),
            "seed {seed}: the resumed run ended with {ended}"
        );

        let listed = document(refrain(folder.path()).args(["list", "--db", &database, "--json"]))?;
        let executions = listed["executions"]
            .as_array()
            .context("a list of executions")?;
        ensure!(
            executions.len() == 1,
            "seed {seed}: the key started more than once: {listed}"
        );
        let id = executions[0]["execution_id"]
            .as_str()
            .context("an execution id")?;
        let shown =
            document(refrain(folder.path()).args(["show", id, "--db", &database, "--json"]))?;
        ensure!(
            shown["final_state"] == unharmed["final_state"],
            "seed {seed}: {shown}"
        );
        let audit =
            document(refrain(folder.path()).args(["audit", "--all", "--db", &database, "--json"]))?;
        ensure!(
            audit["executions"][0]["verdict"] == "clean",
            "seed {seed}: {audit}"
        );
    }
    ensure!(kills > 0, "every run was over before it could be killed");
    Ok(())
}

#[test]
fn the_claims_of_a_killed_process_do_not_wait_for_their_leases() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = "if [ $REFRAIN_ATTEMPT = 1 ]; then touch begun; exec sleep 20; fi; echo {}";
    let workflow = json!({
        "workflow_id": "slow", "version": "1.0.0", "start_node": "a", "edges": [{"from": "a", "to": "end"}],
        "nodes": {"a": {"kind": {"type": "command", "argv": ["sh", "-c", script]}}},
    });
    std::fs::write(folder.path().join("slow.json"), workflow.to_string())?;
    let arguments = ["run", "slow.json", "--db", "slow.db", "--key", "once"];
    let mut victim = spawn(folder.path(), &arguments)?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !folder.path().join("begun").exists() {
        ensure!(Instant::now() < deadline, "the work never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    victim.kill()?;
    victim.wait()?;
    let killed = Instant::now();
    let ended = spawn(folder.path(), &arguments)?.wait()?;
    ensure!(ended.success(), "the resumed run ended with {ended}");
    // Two seconds are rule R12's delay after an expired lease.
    let took = killed.elapsed();
    ensure!(took < LEASE_DEFAULT, "it waited for the lease: {took:?}");
    let audit =
        document(refrain(folder.path()).args(["audit", "--all", "--db", "slow.db", "--json"]))?;
    ensure!(audit["executions"][0]["verdict"] == "clean", "{audit}");
    Ok(())
}

/// A diamond of real commands, with attempts to spare.
fn steps() -> Value {
    let mut nodes = Map::new();
    let mut edges = Vec::new();
    for step in 0..STEPS {
        let id = format!("n{step}");
        let script = format!("sleep 0.05; echo '{{\"{id}\": {step}}}'");
        nodes.insert(id.clone(), json!({"kind": {"type": "command", "argv": ["sh", "-c", script]}, "retry_policy": "patient"}));
        match step {
            0 => {}
            1..5 => edges.push(json!({"from": "n0", "to": id})),
            5 => edges.extend((1..5).map(|from| json!({"from": format!("n{from}"), "to": "n5"}))),
            _ => edges.push(json!({"from": format!("n{}", step - 1), "to": id})),
        }
    }
    json!({
        "workflow_id": "steps", "version": "1.0.0", "start_node": "n0", "nodes": nodes, "edges": edges,
        "retry_policies": {"patient": {"max_attempts": 50, "backoff": "fixed", "initial_delay": 1, "max_delay": 1}},
    })
}

fn spawn(folder: &Path, arguments: &[&str]) -> Result<Child> {
    Ok(refrain(folder)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}

/// The JSON document that a command answers with.
fn document(command: &mut Command) -> Result<Value> {
    let output = command.output()?;
    serde_json::from_str(&stdout(&output))
        .with_context(|| format!("{command:?}: {}", stderr(&output)))
}
