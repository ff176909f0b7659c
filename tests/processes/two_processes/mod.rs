//! Several processes work on one file: each result counts once, and a person
//! reaches a live run from a second terminal, quickly.
//!
//! ```text
//! times   clocks that differ, and a lock that somebody holds: no lease ends for that
//! ```

mod times;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use refrain::model::{EventKind, NodeCompleted, NodeSettled, Status};
use refrain::store::SqliteStore;
use refrain::{Engine, Workflow};
use refrain_tests::binary::{refrain, refrain_at_a_terminal, stderr, stdout};
use serde_json::{Value, json};

const EXECUTIONS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_executions_are_run_by_two_processes_and_approved_from_a_third() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shared.db");
    // This process only starts them, and watches: it has no workers.
    let engine = Engine::builder()
        .store(SqliteStore::open(&path)?)
        .start()
        .await?;
    engine
        .register(Workflow::from_json(approved_command().to_string())?)
        .await?;
    let mut executions = Vec::new();
    for number in 0..EXECUTIONS {
        executions.push(
            engine
                .start("approved", "1.0.0", json!({"number": number}))
                .await?,
        );
    }

    let work = || {
        refrain_at_a_terminal(folder.path())
            .args(["work", "--db", "shared.db"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
    };
    let (one, two) = (work()?, work()?);
    for execution in &executions {
        let mut log = execution.subscribe(1);
        while !log
            .next()
            .await?
            .context("it ended unapproved")?
            .iter()
            .any(|it| matches!(it.event.kind, EventKind::InterruptRaised(_)))
        {}
        let id = execution.id().to_string();
        let approved = refrain(folder.path())
            .args(["approve", &id, "gate", "--db", "shared.db"])
            .output()?;
        ensure!(approved.status.success(), "{}", stderr(&approved));
    }
    for execution in &executions {
        ensure!(execution.finished().await?.status == Status::Completed);
    }
    for process in [one, two] {
        let id = process.id().to_string();
        let interrupted = Command::new("kill").args(["-INT", &id]).status()?;
        ensure!(interrupted.success(), "it had ended before");
        let output = process.wait_with_output()?;
        ensure!(output.status.success(), "{}", stderr(&output));
    }

    let mut workers = std::collections::BTreeSet::new();
    for execution in &executions {
        for stored in execution.events(1, 500).await? {
            if let EventKind::NodeStarted(started) = stored.event.kind {
                workers.insert(started.worker_id);
            }
        }
        let log = execution.events(1, 500).await?;
        let completed = |node: &str| {
            log.iter().filter(|it| matches!(&it.event.kind, EventKind::NodeCompleted(NodeCompleted { node_id, .. }) | EventKind::NodeSettled(NodeSettled { node_id, .. }) if node_id == node)).count()
        };
        for node in ["before", "gate", "after"] {
            ensure!(
                completed(node) == 1,
                "{node} counts {} times in {}",
                completed(node),
                execution.id()
            );
        }
    }
    ensure!(workers.len() >= 2, "only {workers:?} worked");
    ensure!(audited_clean(folder.path(), "shared.db")? == EXECUTIONS);
    Ok(())
}

/// `refrain approve` from a second terminal reaches a `run` that lives in the
/// first within a tenth of a second. Polling is no help here: it is made to be
/// ten seconds away, and the best of a few tries counts, because the machine
/// may be busy.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_reaches_a_live_run_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("live.db");
    let engine = Engine::builder()
        .store(SqliteStore::open(&path)?)
        .fallback_poll(Duration::from_secs(10))
        .start()
        .await?;
    engine
        .register(Workflow::from_json(gate().to_string())?)
        .await?;
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let execution = engine.start("gate", "1.0.0", json!({})).await?;
        let id = execution.id().to_string();
        let mut log = execution.subscribe(1);
        while !log
            .next()
            .await?
            .context("it ended unapproved")?
            .iter()
            .any(|it| matches!(it.event.kind, EventKind::InterruptRaised(_)))
        {}
        // The commit's time is in the log; hearing of it is what counts.
        let approve = refrain(folder.path())
            .args(["approve", &id, "gate", "--db", "live.db"])
            .stderr(Stdio::piped())
            .spawn()?;
        while !log
            .next()
            .await?
            .context("it ended unapproved")?
            .iter()
            .any(|it| matches!(it.event.kind, EventKind::ApprovalReceived(_)))
        {}
        let heard = Instant::now();
        let output = tokio::task::spawn_blocking(move || approve.wait_with_output()).await??;
        ensure!(output.status.success(), "{}", stderr(&output));
        // How long the process outlived the news is not waiting for it.
        let late = execution_heard_after(&execution, heard).await?;
        quickest = quickest.min(late);
    }
    ensure!(
        quickest < Duration::from_millis(100),
        "an approval was heard of after {quickest:?}"
    );
    Ok(())
}

/// How long after its commit an approval was heard of.
#[expect(
    clippy::disallowed_methods,
    reason = "what the log says is held against the wall clock"
)]
async fn execution_heard_after(execution: &refrain::Execution, heard: Instant) -> Result<Duration> {
    let log = execution.events(1, 100).await?;
    let approval = log
        .iter()
        .find(|it| matches!(it.event.kind, EventKind::ApprovalReceived(_)))
        .context("an approval")?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let heard_at = now.saturating_sub(heard.elapsed());
    Ok(heard_at.saturating_sub(Duration::from_millis(approval.event.at)))
}

fn gate() -> Value {
    json!({
        "workflow_id": "gate", "version": "1.0.0", "start_node": "gate",
        "nodes": {"gate": {"kind": {"type": "human_approval", "description": "may it?"}}}, "edges": [],
    })
}

fn approved_command() -> Value {
    let command = |text: &str| json!({"kind": {"type": "command", "argv": ["echo", format!("{{\"{text}\": true}}")]}});
    json!({
        "workflow_id": "approved", "version": "1.0.0", "start_node": "before",
        "nodes": {
            "before": command("before"),
            "gate": {"kind": {"type": "human_approval", "description": "may it?"}},
            "after": command("after"),
        },
        "edges": [{"from": "before", "to": "gate"}, {"from": "gate", "to": "after"}],
    })
}

/// How many executions audit clean; an error if one does not.
fn audited_clean(folder: &Path, database: &str) -> Result<usize> {
    let mut command: Command = refrain(folder);
    let output = command
        .args(["audit", "--all", "--db", database, "--json"])
        .output()?;
    let audit: Value = serde_json::from_str(&stdout(&output)).with_context(|| stderr(&output))?;
    let executions = audit["executions"]
        .as_array()
        .context("a list of executions")?;
    ensure!(
        executions.iter().all(|it| it["verdict"] == "clean"),
        "{audit}"
    );
    Ok(executions.len())
}
