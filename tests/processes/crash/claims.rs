//! A killed process gives nothing up, and yet nobody waits for its lease.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use refrain::limits::LEASE_DEFAULT;
use refrain_tests::binary::refrain;
use serde_json::json;

use super::document;

/// A workflow whose one node runs this script.
fn write_slow(folder: &Path, script: &str) -> Result<()> {
    let workflow = json!({
        "workflow_id": "slow", "version": "1.0.0", "start_node": "a", "edges": [{"from": "a", "to": "end"}],
        "nodes": {"a": {"kind": {"type": "command", "argv": ["sh", "-c", script]}}},
    });
    Ok(std::fs::write(
        folder.join("slow.json"),
        workflow.to_string(),
    )?)
}

/// Run it, or go on with it: its key is always the same.
fn run_slow(folder: &Path) -> std::io::Result<Child> {
    refrain(folder)
        .args(["run", "slow.json", "--db", "slow.db", "--key", "once"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

fn slow_is_clean(folder: &Path) -> Result<()> {
    let audit = document(refrain(folder).args(["audit", "--all", "--db", "slow.db", "--json"]))?;
    ensure!(audit["executions"][0]["verdict"] == "clean", "{audit}");
    Ok(())
}

#[test]
fn the_claims_of_a_killed_process_do_not_wait_for_their_leases() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = "if [ $REFRAIN_ATTEMPT = 1 ]; then touch begun; exec sleep 20; fi; echo {}";
    write_slow(folder.path(), script)?;
    let run = || run_slow(folder.path());
    let mut victim = run()?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !folder.path().join("begun").exists() {
        ensure!(Instant::now() < deadline, "the work never began");
        std::thread::sleep(Duration::from_millis(5));
    }
    victim.kill()?;
    victim.wait()?;
    let killed = Instant::now();
    let ended = run()?.wait()?;
    ensure!(ended.success(), "the resumed run ended with {ended}");
    // Two seconds are rule R12's delay after an expired lease.
    let took = killed.elapsed();
    ensure!(took < LEASE_DEFAULT, "it waited for the lease: {took:?}");
    slow_is_clean(folder.path())
}

/// Nobody is left to stop them: they live on, at the same time as the next attempt, as the
/// documents say.
#[test]
fn the_programs_of_a_killed_process_live_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = "if [ $REFRAIN_ATTEMPT = 1 ]; then echo $$ > pid.new; mv pid.new pid; \
        while [ ! -e go ]; do sleep 0.01; done; touch lived_on; fi; echo {}";
    write_slow(folder.path(), script)?;
    let run = || run_slow(folder.path());
    let mut victim = run()?;
    while !folder.path().join("pid").exists() {
        ensure!(
            victim.try_wait()?.is_none(),
            "it ended before its program began"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    victim.kill()?;
    victim.wait()?;
    // The next attempt is another program, and its result counts.
    let ended = run()?.wait()?;
    ensure!(ended.success(), "the resumed run ended with {ended}");
    let pid = std::fs::read_to_string(folder.path().join("pid"))?;
    let lives = std::process::Command::new("kill")
        .args(["-0", pid.trim()])
        .status()?;
    ensure!(lives.success(), "the first program was stopped");
    std::fs::write(folder.path().join("go"), "")?;
    while !folder.path().join("lived_on").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    slow_is_clean(folder.path())
}
