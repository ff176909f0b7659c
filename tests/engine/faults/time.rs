//! Policies, timeouts, leases, latency.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use refrain::model::{EventKind, NodeStarted, Status};
use refrain::render;
use refrain::store::MemoryStore;
use refrain::{Engine, EngineError, ManualClock, WorkError, WorkItem};
use serde_json::json;

use crate::faults::{claim, claim_one, graph, log, settle_until, start};

/// Retry policies in the workflow are ignored; timeouts are never read; the
/// delay in `retry_scheduled` is only decoration; a retryable failure without
/// a schedule runs at once, for ever.
#[tokio::test]
async fn fault11_policies_timeouts_and_delays_are_decoration() -> Result<()> {
    let clock = ManualClock::new(1_000_000);
    let engine = Engine::builder()
        .store(MemoryStore::new())
        .clock(clock.clone())
        .start()
        .await?;
    let mut workflow = graph("a");
    workflow["retry_policies"] = json!({"p": {"max_attempts": 3, "backoff": "fixed", "initial_delay": 7, "max_delay": 7, "jitter": false, "retryable_on": []}});
    workflow["nodes"]["a"]["retry_policy"] = json!("p");
    workflow["nodes"]["a"]["node_timeout_secs"] = json!(5);
    let execution = start(&engine, workflow).await?;

    let first = claim_one(&engine).await?;
    engine.fail(first.id, WorkError::retryable("boom")).await?;
    clock.advance(Duration::from_millis(6_999));
    ensure!(
        claim(&engine).await?.is_empty(),
        "the delay of 7 s is not kept"
    );
    clock.advance(Duration::from_millis(1));
    let second = claim_one(&engine).await?;
    ensure!(second.id.attempt == 2);

    clock.advance(Duration::from_secs(5));
    settle_until(&execution, |events| {
        events
            .iter()
            .any(|it| matches!(it.kind, EventKind::NodeTimedOut(_)))
    })
    .await?;
    ensure!(matches!(
        engine.complete(second.id, json!({})).await,
        Err(EngineError::Stale { .. })
    ));

    clock.advance(Duration::from_secs(7));
    let third = claim_one(&engine).await?;
    engine
        .fail(third.id, WorkError::retryable("boom again"))
        .await?;
    let end = execution.finished().await?;
    ensure!(
        (end.status, end.error.as_deref())
            == (Status::Failed, Some("node(s) failed terminally: a")),
        "{end:?}"
    );
    Ok(())
}

/// A late `node_started` revives a finished node.
#[test]
fn fault12_a_late_start_revives_a_finished_node() -> Result<()> {
    let mut run = refrain_bench::start(&graph("a -> b").to_string())?;
    ensure!(run.complete("a", "{}")?.is_some(), "it has no item");
    let late = NodeStarted::new("a", "late", 1);
    let refused = run.offer(EventKind::NodeStarted(late));
    ensure!(refused.is_err(), "a finished node was started again");
    Ok(())
}

/// A lease taken over on the fast path spends no attempt: 39 claims with
/// `max_attempts` 3.
#[tokio::test]
async fn fault13_a_lost_lease_spends_no_attempt() -> Result<()> {
    let clock = ManualClock::new(1_000_000);
    let engine = Engine::builder()
        .store(MemoryStore::new())
        .clock(clock.clone())
        .lease(Duration::from_secs(10))
        .start()
        .await?;
    let execution = start(&engine, graph("a")).await?;
    let mut claims = 0;
    for _ in 0..200 {
        claims += claim(&engine).await?.len();
        if execution.record().await?.status == Status::Failed {
            break;
        }
        clock.advance(Duration::from_secs(1));
    }
    ensure!(claims == 3, "{claims} claims with 3 attempts");
    let events = log(&execution).await?;
    let exhausted = events.iter().find_map(|it| match &it.kind {
        EventKind::NodeExhausted(_) => render::error(&it.kind).map(|it| it.into_owned()),
        _ => None,
    });
    ensure!(
        exhausted.as_deref() == Some("exhausted 3 attempts: lease expired"),
        "{exhausted:?}"
    );
    Ok(())
}

/// Half a second of poll latency per step. Here polling is an hour away, so
/// whatever waits for a poll does not end.
#[tokio::test(flavor = "multi_thread")]
async fn fault16_steps_wait_for_a_poll() -> Result<()> {
    let engine = Engine::builder()
        .store(MemoryStore::new())
        .fallback_poll(Duration::from_secs(3_600))
        .start()
        .await?;
    engine.work("general", |_: WorkItem| async { Ok(json!({})) });
    let chain = (0..20)
        .map(|step| format!("n{step:02} -> n{:02}", step + 1))
        .collect::<Vec<_>>()
        .join(", ");
    let execution = start(&engine, graph(&chain)).await?;
    let end = tokio::time::timeout(Duration::from_secs(60), execution.finished())
        .await
        .context("a step waits for a poll")??;
    ensure!(end.status == Status::Completed);
    Ok(())
}
