//! Clocks that differ by an hour, and a lock that somebody holds for longer than
//! a lease: the processes agree on one time, and none takes another's work.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use refrain::limits::LEASE_DEFAULT;
use refrain::model::{EventKind, Status};
use refrain::store::{Reader, SqliteStore, StoredEvent};
use refrain::{Engine, ExecutionId, Workflow};
use refrain_tests::binary::{refrain, stderr};
use refrain_tests::odd_clock;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::audited_clean;

const HOUR_S: i64 = 3600;

/// Executions of this workflow, begun by a process that works on none of them.
async fn begun(database: &Path, workflow: &Value, number: usize) -> Result<Vec<ExecutionId>> {
    let store = SqliteStore::open(database)?;
    let engine = Engine::builder().store(store).start().await?;
    let workflow = Workflow::from_json(workflow.to_string())?;
    engine.register(workflow).await?;
    let mut ids = Vec::new();
    for _ in 0..number {
        ids.push(engine.start("w", "1.0.0", json!({})).await?.id());
    }
    engine.shutdown().await;
    Ok(ids)
}

/// Commands one after another, each with one attempt and no more: a lease that
/// is ended is a failure that nothing makes good.
fn once_each(scripts: &[&str]) -> Value {
    let names = ["a", "b", "c"];
    let nodes = names.iter().zip(scripts).map(|(name, script)| {
        let kind = json!({"type": "command", "argv": ["sh", "-c", script]});
        (
            (*name).to_owned(),
            json!({"kind": kind, "retry_policy": "once"}),
        )
    });
    let nodes: serde_json::Map<String, Value> = nodes.collect();
    let edges = names[..scripts.len()].windows(2);
    let edges: Vec<_> = edges
        .map(|pair| json!({"from": pair[0], "to": pair[1]}))
        .collect();
    json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "a", "nodes": nodes, "edges": edges,
        "retry_policies": {"once": {"max_attempts": 1}},
    })
}

fn log(database: &Path, id: ExecutionId) -> Result<Vec<StoredEvent>> {
    Ok(SqliteStore::open_read_only(database)?.events(id, 1, 1000)?)
}

/// It has completed, and nothing in it failed.
fn is_whole(database: &Path, id: ExecutionId) -> Result<()> {
    let record = SqliteStore::open_read_only(database)?.execution(id)?;
    let record = record.context("a record")?;
    ensure!(record.status == Status::Completed, "{record:?}");
    for stored in log(database, id)? {
        ensure!(
            !matches!(stored.event.kind, EventKind::LeaseExpired(_)),
            "{stored:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn law5_processes_whose_clocks_differ_take_no_work_from_each_other() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("shared.db");
    let slow = "sleep 0.1; echo {}";
    let ids = begun(&database, &once_each(&[slow; 3]), 30).await?;
    let mut processes: Vec<Child> = Vec::new();
    for by in [0, -HOUR_S, HOUR_S] {
        let mut resume = refrain(folder.path());
        resume.args(["resume", "--db", "shared.db"]);
        resume.args(ids.iter().map(ToString::to_string));
        resume.stdout(Stdio::null()).stderr(Stdio::piped());
        if !odd_clock::ahead_by(&mut resume, by) {
            return Ok(());
        }
        processes.push(resume.spawn()?);
    }
    for process in processes {
        let output = process.wait_with_output()?;
        ensure!(output.status.success(), "{}", stderr(&output));
    }
    let mut workers = BTreeSet::new();
    for id in &ids {
        is_whole(&database, *id)?;
        for stored in log(&database, *id)? {
            if let EventKind::NodeStarted(it) = stored.event.kind {
                workers.insert(it.worker_id);
            }
        }
    }
    ensure!(workers.len() >= 2, "only {workers:?} worked");
    ensure!(audited_clean(folder.path(), "shared.db")? == ids.len());
    Ok(())
}

/// A copy that takes the write lock, as careful backups do: meanwhile no holder
/// can renew, and so no lease ends when it is over.
#[tokio::test(flavor = "multi_thread")]
async fn law5_a_lock_that_a_backup_holds_ends_no_lease() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("shared.db");
    let script =
        "echo >> began_$REFRAIN_EXECUTION; while [ ! -e go ]; do sleep 0.05; done; echo {}";
    let ids = begun(&database, &once_each(&[script]), 2).await?;
    let file = |name: String| folder.path().join(name);
    let mut processes = Vec::new();
    for id in &ids {
        let mut resume = refrain(folder.path());
        resume.args(["resume", &id.to_string(), "--db", "shared.db"]);
        let said = File::create(file(format!("said_{id}")))?;
        processes.push(resume.stdout(Stdio::null()).stderr(said).spawn()?);
    }
    let mut all_say = |what: &dyn Fn(&ExecutionId) -> bool| -> Result<()> {
        while !ids.iter().all(what) {
            for process in &mut processes {
                ensure!(process.try_wait()?.is_none(), "it ended too soon");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    };
    all_say(&|id| file(format!("began_{id}")).exists())?;

    let backup = Connection::open(&database)?;
    backup.busy_timeout(Duration::from_secs(60))?;
    backup.execute_batch("BEGIN IMMEDIATE")?;
    let begun = Instant::now();
    let said =
        |id: &ExecutionId| fs::read_to_string(file(format!("said_{id}"))).unwrap_or_default();
    all_say(&|id| said(id).contains("is locked by another process"))?;
    // Longer than a lease: all of them are over by now.
    std::thread::sleep((LEASE_DEFAULT + Duration::from_secs(1)).saturating_sub(begun.elapsed()));
    backup.execute_batch("ROLLBACK")?;
    drop(backup);
    fs::write(file("go".to_owned()), "")?;

    for process in &mut processes {
        ensure!(
            process.wait()?.success(),
            "{:?}",
            ids.iter().map(said).collect::<Vec<_>>()
        );
    }
    for id in &ids {
        is_whole(&database, *id)?;
        let began = fs::read_to_string(file(format!("began_{id}")))?;
        ensure!(began == "\n", "the program ran {} times", began.len());
    }
    ensure!(audited_clean(folder.path(), "shared.db")? == ids.len());
    Ok(())
}
