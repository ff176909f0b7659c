//! Commits that are whole, or not at all.

use anyhow::{Context, Result, ensure};
use refrain::model::{Event, EventKind, Status};
use refrain::store::{ItemChange, ItemState, MemoryStore, Reader};
use refrain::{EngineError, Receipt};
use refrain_tests::faulty_store::Fate;
use serde_json::json;

use crate::faults::{
    claim_one, complete_all, engine, engine_that_can_fail, graph, log, scheduled, start,
};

/// Schedule appended, enqueue failed: the run is stuck for ever.
#[tokio::test]
async fn fault01_a_schedule_without_its_work_item() -> Result<()> {
    let (plan, mut store, engine) = engine_that_can_fail().await?;
    let execution = start(&engine, graph("a -> b")).await?;
    let a = claim_one(&engine).await?;

    plan.next(Fate::Fails);
    let refused = engine.complete(a.id.clone(), json!({})).await;
    ensure!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}");
    ensure!(
        scheduled(&log(&execution).await?) == ["a"],
        "b is scheduled by a turn that was not written"
    );

    ensure!(engine.complete(a.id, json!({})).await? == Receipt::Recorded);
    ensure!(scheduled(&log(&execution).await?) == ["a", "b"]);
    let items = store.items(execution.id())?.all()?;
    ensure!(
        items.len() == 1 && items[0].item.node_id == "b",
        "b is scheduled and not ordered: {items:?}"
    );
    complete_all(&engine).await?;
    ensure!(execution.finished().await?.status == Status::Completed);
    Ok(())
}

/// Item settled, then crash before the completion: lost.
#[tokio::test]
async fn fault02_an_item_settled_without_its_completion() -> Result<()> {
    let (plan, mut store, engine) = engine_that_can_fail().await?;
    let execution = start(&engine, graph("a -> b")).await?;
    let a = claim_one(&engine).await?;

    plan.next(Fate::Fails);
    ensure!(engine.complete(a.id.clone(), json!({})).await.is_err());
    let kept = store
        .item(execution.id(), "a")?
        .context("the item is gone, and its completion too")?;
    ensure!(matches!(kept.state, ItemState::Leased(_)), "{kept:?}");
    ensure!(engine.complete(a.id, json!({})).await? == Receipt::Recorded);

    for turn in plan.committed() {
        for change in &turn.executions {
            let removed = change
                .items
                .iter()
                .any(|it| matches!(it, ItemChange::Remove { node_id } if node_id == "a"));
            let completed = change.events.iter().any(
                |it| matches!(&it.event.kind, EventKind::NodeCompleted(it) if it.node_id == "a"),
            );
            ensure!(
                removed == completed,
                "settled and completed in two commits: {change:?}"
            );
        }
    }
    Ok(())
}

/// Terminal event, then crash before the status: a second terminal event.
#[tokio::test]
async fn fault03_a_terminal_event_without_its_status() -> Result<()> {
    let (plan, mut store, engine) = engine_that_can_fail().await?;
    let execution = start(&engine, graph("a")).await?;
    let a = claim_one(&engine).await?;

    // The end is written, but nobody hears of it: as if the host had died then.
    plan.next(Fate::AnswerLost);
    let answer = engine.complete(a.id.clone(), json!({})).await;
    ensure!(
        answer.is_ok() || matches!(answer, Err(EngineError::Store(_))),
        "{answer:?}"
    );
    ensure!(engine.complete(a.id, json!({})).await? == Receipt::AlreadyRecorded);

    ensure!(execution.finished().await?.status == Status::Completed);
    let terminal = |events: &[Event]| {
        events
            .iter()
            .filter(|it| matches!(it.kind, EventKind::WorkflowCompleted(_)))
            .count()
    };
    ensure!(terminal(&log(&execution).await?) == 1);
    ensure!(
        store
            .execution(execution.id())?
            .is_some_and(|it| it.status == Status::Completed)
    );
    for turn in plan.committed() {
        for change in &turn.executions {
            let ends = change
                .events
                .iter()
                .any(|it| matches!(it.event.kind, EventKind::WorkflowCompleted(_)));
            ensure!(
                ends == (change.record.status == Status::Completed),
                "event and status in two commits"
            );
        }
    }
    Ok(())
}

/// `latest + 1`, then append: two writers, one sequence.
#[tokio::test]
async fn fault04_two_writers_one_sequence() -> Result<()> {
    let store = MemoryStore::new();
    let (one, two) = (engine(store.clone()).await?, engine(store.clone()).await?);
    let execution = start(&one, graph("a")).await?;
    let same = two.execution(execution.id());
    for round in 0..50 {
        let (left, right) = (format!("left {round}"), format!("right {round}"));
        let (left, right) = tokio::join!(
            execution.signal(&left, json!(round)),
            same.signal(&right, json!(round))
        );
        left?;
        right?;
    }
    let events = log(&execution).await?;
    let sequences: Vec<u64> = events.iter().map(|it| it.sequence).collect();
    ensure!(
        sequences == (1..=events.len() as u64).collect::<Vec<_>>(),
        "{sequences:?}"
    );
    let signals = events
        .iter()
        .filter(|it| matches!(it.kind, EventKind::ExternalEventReceived(_)))
        .count();
    ensure!(signals == 100, "{signals} of 100 signals are in the log");
    Ok(())
}
