//! Many executions, several schedulers.

use anyhow::{Result, ensure};
use refrain::model::{EventKind, Status};
use refrain::store::{ListFilter, MemoryStore, SqliteStore};
use refrain::{Engine, Receipt, WorkItem};
use serde_json::json;

use crate::faults::{claim_one, complete_all, engine, graph, log, scheduled, start};

/// Only the newest 100 running executions are looked at: older ones starve.
#[tokio::test]
async fn fault05_the_older_of_many_executions_starve() -> Result<()> {
    let engine = engine(MemoryStore::new()).await?;
    let mut executions = Vec::new();
    for _ in 0..250 {
        executions.push(start(&engine, graph("a -> b")).await?);
    }
    // The one that waits longest is served first.
    let first = claim_one(&engine).await?;
    ensure!(
        first.id.execution == executions[0].id(),
        "the oldest item is not the first to be claimed"
    );
    engine.complete(first.id, json!({})).await?;
    complete_all(&engine).await?;
    for (place, execution) in executions.iter().enumerate() {
        ensure!(
            execution.record().await?.status == Status::Completed,
            "execution {place} of 250 starved"
        );
    }
    Ok(())
}

/// Two schedulers on one store schedule a node twice and complete a workflow
/// seven times.
#[tokio::test(flavor = "multi_thread")]
async fn fault14_two_schedulers_schedule_twice() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shared.db");
    let (one, two) = (
        engine(SqliteStore::open(&path)?).await?,
        engine(SqliteStore::open(&path)?).await?,
    );
    for each in [&one, &two] {
        each.work("general", |_: WorkItem| async { Ok(json!({})) });
    }
    let mut executions = Vec::new();
    for number in 0..20 {
        let starter = if number % 2 == 0 { &one } else { &two };
        executions.push(start(starter, graph("a -> b, a -> c, b -> d, c -> d")).await?);
    }
    for execution in executions {
        ensure!(execution.finished().await?.status == Status::Completed);
        let events = log(&execution).await?;
        ensure!(
            scheduled(&events) == ["a", "b", "c", "d"],
            "{:?}",
            scheduled(&events)
        );
        ensure!(
            events
                .iter()
                .filter(|it| matches!(it.kind, EventKind::WorkflowCompleted(_)))
                .count()
                == 1
        );
    }
    Ok(())
}

/// Under load the embedded SQLite answers BUSY and completions are dropped.
#[tokio::test(flavor = "multi_thread")]
async fn fault17_completions_are_dropped_under_load() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("busy.db");
    let (one, two) = (
        engine(SqliteStore::open(&path)?).await?,
        engine(SqliteStore::open(&path)?).await?,
    );
    let fan = (0..30)
        .map(|leaf| format!("s -> n{leaf:02}"))
        .collect::<Vec<_>>()
        .join(", ");
    let mut executions = Vec::new();
    for _ in 0..4 {
        executions.push(start(&one, graph(&fan)).await?);
    }
    let work = |engine: Engine| async move {
        let mut recorded = 0;
        loop {
            let claims = engine.claim("general", 16, "outside").await?;
            let mut answers = tokio::task::JoinSet::new();
            for claim in claims {
                let engine = engine.clone();
                answers.spawn(async move { engine.complete(claim.id, json!({})).await });
            }
            while let Some(answer) = answers.join_next().await {
                ensure!(answer?? == Receipt::Recorded);
                recorded += 1;
            }
            let running = ListFilter {
                status: Some(Status::Running),
                max: 1,
                ..ListFilter::default()
            };
            if engine.list(running).await?.all()?.is_empty() {
                return Ok(recorded);
            }
        }
    };
    let (left, right) = tokio::join!(tokio::spawn(work(one)), tokio::spawn(work(two)));
    let (left, right): (usize, usize) = (left??, right??);
    let mut completed = 0;
    for execution in executions {
        completed += log(&execution)
            .await?
            .iter()
            .filter(|it| matches!(it.kind, EventKind::NodeCompleted(_)))
            .count();
    }
    ensure!(
        completed == 4 * 31 && left + right == completed,
        "{left} + {right} acknowledged, {completed} in the logs"
    );
    Ok(())
}
