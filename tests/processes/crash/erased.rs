//! Killed in the middle of erasing: the log is whole or erased, and never partly so;
//! and once more of the same removes what was left in the files.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use refrain::store::SqliteStore;
use refrain::{Engine, WorkItem, Workflow};
use refrain_tests::binary::refrain;
use serde_json::{Value, json};

use super::document;

const SECRET: &str = "Ada-of-Lovelace";
const DATABASE: &str = "long.db";

/// Nodes side by side, each of which says the secret this often: some megabytes
/// together, so that erasing takes a while.
const NODES: usize = 8;
const TIMES: usize = 20_000;

/// Kills, at moments that are spread over the time that erasing takes, and a little
/// more.
const KILLS: u32 = 12;

#[test]
fn law4_a_kill_in_the_middle_of_erasing_leaves_a_log_whole_or_erased() -> Result<()> {
    let original = tempfile::tempdir()?;
    let id = ended(original.path())?;
    let took = {
        let folder = copied(original.path())?;
        let begun = Instant::now();
        erase(folder.path(), &id)?;
        begun.elapsed()
    };
    let (mut whole, mut erased) = (0, 0);
    for kill in 0..KILLS {
        let folder = copied(original.path())?;
        killed(folder.path(), &id, took * kill * 5 / 4 / KILLS)?;
        match verdict(folder.path())?.as_str() {
            "clean" => whole += 1,
            "erased" => erased += 1,
            other => anyhow::bail!("kill {kill} left a log that is {other}"),
        }
        erase(folder.path(), &id)?;
        ensure!(verdict(folder.path())? == "erased", "after kill {kill}");
        for entry in std::fs::read_dir(folder.path())? {
            let path = entry?.path();
            let bytes = std::fs::read(&path)?;
            let found = bytes
                .windows(SECRET.len())
                .any(|it| it == SECRET.as_bytes());
            ensure!(
                !found,
                "after kill {kill} the secret is in {}",
                path.display()
            );
        }
    }
    ensure!(
        whole + erased == KILLS && whole > 0,
        "{whole} whole, {erased} erased"
    );
    Ok(())
}

/// A database with one execution that has ended.
fn ended(folder: &Path) -> Result<String> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let engine = Engine::builder()
            .store(SqliteStore::open(folder.join(DATABASE))?)
            .start()
            .await?;
        engine.work("tool", |_: WorkItem| async {
            Ok(json!(SECRET.repeat(TIMES)))
        });
        engine
            .register(Workflow::from_json(wide().to_string())?)
            .await?;
        let input = json!({ "name": SECRET });
        let execution = engine.start("wide", "1.0.0", input).await?;
        execution.finished().await?;
        engine.shutdown().await;
        Ok(execution.id().to_string())
    })
}

fn wide() -> Value {
    let names: Vec<String> = (0..NODES).map(|n| format!("n{n}")).collect();
    let mut nodes = json!({ "all": { "kind": { "type": "parallel", "branches": names } } });
    for name in names {
        nodes[name] = json!({ "kind": { "type": "tool", "tool_ref": "t" } });
    }
    json!({ "workflow_id": "wide", "version": "1.0.0", "start_node": "all", "nodes": nodes, "edges": [] })
}

/// The same database in a folder of its own.
fn copied(original: &Path) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in std::fs::read_dir(original)? {
        let path = entry?.path();
        let name = path.file_name().context("it is in a folder")?;
        std::fs::copy(&path, folder.path().join(name))?;
    }
    Ok(folder)
}

fn command(folder: &Path, id: &str) -> Command {
    let mut command = refrain(folder);
    command
        .args(["erase", id, "--db", DATABASE])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// It is erased, to the end.
fn erase(folder: &Path, id: &str) -> Result<()> {
    let erased = command(folder, id).output()?;
    ensure!(erased.status.success(), "{erased:?}");
    Ok(())
}

/// The process that erases it is killed after so long.
fn killed(folder: &Path, id: &str, after: Duration) -> Result<()> {
    let mut victim = command(folder, id).spawn()?;
    std::thread::sleep(after);
    victim.kill()?;
    victim.wait()?;
    Ok(())
}

fn verdict(folder: &Path) -> Result<String> {
    let audit = ["audit", "--all", "--db", DATABASE, "--json"];
    let audit = document(refrain(folder).args(audit))?;
    let verdict = audit["executions"][0]["verdict"].as_str();
    verdict.map(str::to_owned).context("a verdict")
}
