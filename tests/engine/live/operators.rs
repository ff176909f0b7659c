//! What people do to executions.

use std::time::Duration;

use refrain::limits::TEXT_BYTES_MAX;
use refrain::model::{EventKind, RefusalCode, Remedy, Status};
use refrain::{Approval, EngineError, ExecutionId, Receipt, Signal, WorkError, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, manual_engine, start, wait_for};
use refrain_tests::workflows::{single, tools};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Says when it is dropped.
struct Dropped(UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // The test may be over.
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn r17_a_cancel_request_stops_what_is_in_flight() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let (dropped, mut was_dropped) = unbounded_channel();
        engine.work("tool", move |_: WorkItem| {
            let guard = Dropped(dropped.clone());
            async move {
                let _guard = guard;
                std::future::pending::<()>().await;
                Ok(json!({}))
            }
        });
        let execution = start(&engine, &tools("a -> b")).await;
        wait_for(&execution, "node_started a", 1).await;
        execution
            .cancel(Some("enough"))
            .await
            .expect("it can be cancelled");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(
            (end.status, end.error.as_deref()),
            (Status::Cancelled, Some("enough"))
        );
        assert!(was_dropped.recv().await.is_some(), "the worker is stopped");
        assert_eq!(execution.items().await.expect("a queue").found, []);
        let again = execution.cancel(None).await;
        assert!(
            matches!(again, Err(EngineError::Refused { .. })),
            "law 6: {again:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn who_did_it_is_in_the_log_where_it_is_known() {
    let place = Place::memory();
    let engine = engine(&place).await;
    let execution = start(&engine, &tools("a -> b")).await;
    let named = execution.clone().by("ada");
    named.pause(None).await.expect("it is paused");
    execution.unpause(None).await.expect("it goes on");
    named.retry("a", None).await.expect_err("it has not failed");
    named
        .skip("a", Some("why not"))
        .await
        .expect("it is skipped");
    named.cancel(None).await.expect("it is cancelled");
    let events = execution.events(1, 100).await.expect("a log");
    let by: Vec<_> = events
        .iter()
        .filter_map(|stored| match &stored.event.kind {
            EventKind::WorkflowStarted(it) => Some(it.by.as_deref()),
            EventKind::ExecutionPaused(it) | EventKind::ExecutionUnpaused(it) => {
                Some(it.by.as_deref())
            }
            EventKind::SkipRequested(it) => Some(it.by.as_deref()),
            EventKind::CancelRequested(it) => Some(it.by.as_deref()),
            _ => None,
        })
        .collect();
    assert_eq!(by, [None, Some("ada"), None, Some("ada"), Some("ada")]);
    let too_long = "x".repeat(TEXT_BYTES_MAX + 1);
    let refused = execution.by(&too_long).pause(None).await;
    assert!(
        matches!(refused, Err(EngineError::TooLong { .. })),
        "{refused:?}"
    );
    engine.shutdown().await;
    audit_all(&place, "");
}

#[tokio::test]
async fn r19_a_signal_with_an_id_is_taken_once_and_the_repeat_is_told() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let kind = json!({"type":"wait","condition":"external_event","correlation_key":"k"});
        let workflow = single(json!({ "kind": kind }));
        let execution = start(&engine, &workflow).await;
        let signal = Signal::new("k", json!({ "n": 1 })).event_id("evt_1");
        let sent = execution.send(signal.clone()).await;
        assert_eq!(sent.expect("it is taken"), Receipt::Recorded);
        execution.finished().await.expect("it ends");
        // At the end, too: the sender can stop.
        let again = execution.send(signal).await;
        assert_eq!(again.expect("it is known"), Receipt::AlreadyRecorded);
        let other = execution.send(Signal::new("k", json!({ "n": 1 }))).await;
        assert!(
            matches!(
                other,
                Err(EngineError::Refused {
                    code: RefusalCode::Ended,
                    ..
                })
            ),
            "{other:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r18_paused_nothing_is_claimed() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let execution = start(&engine, &tools("a -> b")).await;
        execution
            .pause(Some("a look first"))
            .await
            .expect("it can be paused");
        assert_eq!(
            execution.record().await.expect("a record").status,
            Status::Paused
        );
        engine.work("tool", |_| async move { Ok(json!({})) });
        assert!(
            engine
                .claim("tool", 9, "outside")
                .await
                .expect("a queue")
                .is_empty()
        );
        execution.unpause(None).await.expect("it goes on");
        assert_eq!(
            execution.finished().await.expect("it ends").status,
            Status::Completed
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r19_a_person_approves() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let asks = json!({ "kind": { "type": "human_approval", "description": "Pay?" } });
        let execution = start(&engine, &single(asks)).await;
        let explanation = execution.explain("a").await.expect("an explanation");
        let mut reasons = explanation.reasons.iter();
        let approve = Remedy::Approve("a".to_owned());
        assert!(
            reasons.any(|reason| reason.remedies.contains(&approve)),
            "{explanation:?}"
        );
        let approval = Approval::approved("ada")
            .comment("fine")
            .state_patch(json!({ "paid": true }));
        execution
            .approve("a", approval.clone())
            .await
            .expect("it waits for this");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.final_state.as_str(), r#"{"paid":true}"#);
        assert!(execution.approve("a", approval).await.is_err());
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r20_a_failed_node_is_retried_or_skipped() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", |item: WorkItem| async move {
            match item.node_id.as_str() {
                "bad" => return Err(WorkError::permanent("no")),
                "slow" => std::future::pending::<()>().await,
                _ => {}
            }
            Ok(json!({ item.node_id: 1 }))
        });
        let execution = start(
            &engine,
            &tools("a -> bad, a -> slow, bad -> after, slow -> last"),
        )
        .await;
        wait_for(&execution, "node_exhausted bad", 1).await;
        execution.retry("bad", None).await.expect("it has failed");
        wait_for(&execution, "node_exhausted bad", 2).await;
        execution
            .skip("bad", None)
            .await
            .expect("it has failed again");
        execution
            .skip("slow", Some("too slow"))
            .await
            .expect("it is in flight");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.final_state.as_str(), r#"{"a":1,"after":1,"last":1}"#);
        assert_eq!(
            execution.items().await.expect("a queue").found,
            [],
            "no dead letter is left"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r14_timeouts_count_while_a_policy_stalls() {
    for place in Place::each() {
        let (engine, clock) = manual_engine(&place).await;
        let mut workflow = tools("a -> bad, a -> slow");
        workflow["retry_policies"] =
            json!({ "ask": { "max_attempts": 1, "on_exhausted": "pause" } });
        workflow["nodes"]["bad"]["retry_policy"] = json!("ask");
        workflow["nodes"]["slow"]["retry_policy"] = json!("no_retry");
        workflow["timeouts"] = json!({ "workflow_timeout": 60 });
        engine.work("tool", |item: WorkItem| async move {
            match item.node_id.as_str() {
                "bad" => return Err(WorkError::permanent("no")),
                "slow" => std::future::pending::<()>().await,
                _ => {}
            }
            Ok(json!({}))
        });
        let execution = start(&engine, &workflow).await;
        wait_for(&execution, "stalled bad", 1).await;
        wait_for(&execution, "node_started slow", 1).await;
        clock.advance(Duration::from_secs(60));
        wait_for(&execution, "workflow_timed_out", 1).await;
        engine.stop().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn who_is_not_there_is_named() {
    let place = Place::file();
    let engine = engine(&place).await;
    let nobody = engine.execution(ExecutionId::from_bytes([9; 16]));
    assert!(matches!(
        nobody.finished().await,
        Err(EngineError::UnknownExecution(_))
    ));
    assert!(matches!(
        nobody.cancel(None).await,
        Err(EngineError::UnknownExecution(_))
    ));
    let execution = start(&engine, &tools("a")).await;
    assert!(matches!(
        execution.explain("nowhere").await,
        Err(EngineError::UnknownNode { .. })
    ));
    assert!(execution.skip("nowhere", None).await.is_err());
    assert!(matches!(
        execution.lift_stall(None).await,
        Err(EngineError::Refused { .. })
    ));
    engine.shutdown().await;
    assert!(matches!(
        execution.record().await,
        Err(EngineError::ShutDown)
    ));
}
