//! The engine's own workers: slots, panics, the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use refrain::model::{EventKind, Status};
use refrain::{WorkError, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, start, wait_for};
use refrain_tests::workflows::{single, tool, tools};
use serde_json::json;

#[tokio::test]
async fn a_panicking_worker_is_a_failed_attempt() {
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work("tool", |item: WorkItem| async move {
        assert!(item.attempt > 1, "the first attempt panics");
        Ok(json!({ "attempt": item.attempt }))
    });
    let mut workflow = single(json!({ "kind": tool()["kind"], "retry_policy": "quick" }));
    workflow["retry_policies"] = json!({ "quick": {
        "max_attempts": 2, "backoff": "fixed", "initial_delay": 1, "max_delay": 1
    } });
    let execution = start(&engine, &workflow).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.final_state.as_str(), r#"{"attempt":2}"#);
    let told = format!("{:?}", execution.events(1, 100).await.expect("a log"));
    assert!(
        told.contains("the worker panicked: the first attempt panics"),
        "{told}"
    );
    engine.shutdown().await;
}

/// What a worker's error was caused by is in the log, be it of `anyhow` or in a box.
#[tokio::test]
async fn an_error_of_any_type_keeps_its_sources() {
    fn score(text: &str) -> anyhow::Result<u32> {
        use anyhow::Context;
        text.parse::<u32>().context("the claim has no score")
    }
    fn boxed(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        Ok(text.parse::<u32>()?)
    }
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work("tool", |item: WorkItem| async move {
        let score = match item.attempt {
            1 => score("seven").map_err(WorkError::of)?,
            2 => boxed("eight").map_err(WorkError::of)?,
            3 => "nine".parse::<u32>()?,
            _ => 7,
        };
        Ok(json!({ "score": score }))
    });
    let mut workflow = single(json!({ "kind": tool()["kind"], "retry_policy": "quick" }));
    workflow["retry_policies"] = json!({ "quick": {
        "max_attempts": 4, "backoff": "fixed", "initial_delay": 0, "max_delay": 0
    } });
    let execution = start(&engine, &workflow).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.final_state.as_str(), r#"{"score":7}"#);
    let log = execution.events(1, 100).await.expect("a log");
    let errors: Vec<String> = log
        .into_iter()
        .filter_map(|stored| match stored.event.kind {
            EventKind::NodeFailed(failed) => Some(failed.error),
            _ => None,
        })
        .collect();
    let no_number = "invalid digit found in string";
    let with_source = format!("the claim has no score: {no_number}");
    assert_eq!(errors, [with_source.as_str(), no_number, no_number]);
    engine.shutdown().await;
}

#[tokio::test]
async fn slots_bound_what_runs_at_once() {
    let place = Place::file();
    let engine = engine(&place).await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    engine.work_with_slots("tool", 2, move |_: WorkItem| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(json!({}))
        }
    });
    let wide = (0..12)
        .map(|leaf| format!("a -> leaf{leaf}"))
        .collect::<Vec<_>>()
        .join(",");
    let end = start(&engine, &tools(&wide))
        .await
        .finished()
        .await
        .expect("it ends");
    assert_eq!(end.status, Status::Completed);
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    engine.shutdown().await;
}

#[tokio::test]
async fn slots_and_claims_without_a_bound_are_bounded() {
    let place = Place::file();
    let engine = engine(&place).await;
    let execution = start(&engine, &tools("a -> b")).await;
    let claims = engine.claim("tool", usize::MAX, "w").await;
    let claim = claims.expect("it may ask for all").remove(0).id;
    engine.complete(claim, json!({})).await.expect("it counts");
    engine.work_with_slots("tool", usize::MAX, |_| async move { Ok(json!({})) });
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
    engine.shutdown().await;
}

#[tokio::test]
async fn shutdown_lets_workers_finish() {
    for place in Place::each() {
        let first = engine(&place).await;
        first.work("tool", |_| async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(json!({ "done": true }))
        });
        let execution = start(&first, &tools("a -> b")).await;
        wait_for(&execution, "node_started a", 1).await;
        first.shutdown().await;
        let second = engine(&place).await;
        let record = second
            .execution(execution.id())
            .record()
            .await
            .expect("a record");
        assert_eq!(
            record.head.sequence, 5,
            "a was finished, b was ordered and not claimed"
        );
        second.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r25_stop_gives_work_back_so_that_the_next_engine_goes_on_at_once() {
    for place in Place::each() {
        let first = engine(&place).await;
        first.work("tool", |_| async move {
            std::future::pending::<()>().await;
            Ok(json!({}))
        });
        let execution = start(&first, &single(tool())).await;
        wait_for(&execution, "node_started a", 1).await;
        first.stop().await;
        let second = engine(&place).await;
        second.work("tool", |item| async move {
            Ok(json!({ "attempt": item.attempt }))
        });
        let end = second.execution(execution.id()).finished().await;
        assert_eq!(
            end.expect("it ends").final_state.as_str(),
            r#"{"attempt":1}"#
        );
        second.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn shutdown_can_be_cut_short() {
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work("tool", |_| async move {
        std::future::pending::<()>().await;
        Ok(json!({}))
    });
    let execution = start(&engine, &single(tool())).await;
    wait_for(&execution, "node_started a", 1).await;
    let patient = engine.clone();
    let patient = tokio::spawn(async move { patient.shutdown().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!patient.is_finished(), "a worker is at work");
    engine.stop().await;
    patient.await.expect("both hear of the end");
    audit_all(&place, "");
}

#[tokio::test]
async fn law10_a_snapshot_spares_reading_and_changes_nothing() {
    for place in Place::each() {
        let first = engine(&place).await;
        let chain = (0..400)
            .map(|n| format!("n{n} -> n{}", n + 1))
            .collect::<Vec<_>>()
            .join(",");
        first.work("tool", |item: WorkItem| async move {
            if item.node_id == "n380" {
                std::future::pending::<()>().await;
            }
            Ok(json!({}))
        });
        let execution = start(&first, &tools(&chain)).await;
        wait_for(&execution, "node_started n380", 1).await;
        first.stop().await;
        let snapshot = place
            .store()
            .snapshot(execution.id())
            .expect("it can be read");
        assert!(snapshot.is_some_and(|snapshot| snapshot.sequence >= 1000));
        let second = engine(&place).await;
        second.work("tool", |_| async move { Ok(json!({})) });
        let end = second
            .execution(execution.id())
            .finished()
            .await
            .expect("it ends");
        assert_eq!(end.status, Status::Completed);
        second.shutdown().await;
        audit_all(&place, "");
    }
}
