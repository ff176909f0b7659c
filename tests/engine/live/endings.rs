//! Executions from their start to their end.

use std::time::Duration;

use refrain::limits::SIMULATED_DELAY_MS_MAX;
use refrain::model::Status;
use refrain::store::ListFilter;
use refrain::{Engine, EngineError, ExecutionId, Start, WorkError, WorkItem, Workflow};
use refrain_tests::engines::{Place, audit_all, engine, log, start, wait_for};
use refrain_tests::workflows::{single, tool, tools};
use serde_json::{Value, json};

#[tokio::test]
async fn a_workflow_runs_to_its_end() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", |item: WorkItem| async move {
            Ok(json!({ item.node_id: item.attempt }))
        });
        let execution = start(&engine, &tools("a -> b, a -> c, b -> d, c -> d")).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        assert_eq!(end.final_state.as_str(), r#"{"a":1,"b":1,"c":1,"d":1}"#);
        assert_eq!(
            execution.items().await.expect("a queue").found,
            [],
            "law 3: nothing is left"
        );
        let log = log(&execution).await;
        assert_eq!(log.first().map(String::as_str), Some("workflow_started"));
        assert_eq!(log.last().map(String::as_str), Some("workflow_completed"));
        assert_eq!(log.len(), 2 + 4 * 3, "{log:?}");
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r11_a_failure_is_retried_until_it_succeeds() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", |item: WorkItem| async move {
            if item.attempt < 3 {
                return Err(WorkError::retryable("not yet").class("io_error"));
            }
            Ok(json!({ "attempts": item.attempt }))
        });
        let mut workflow = single(json!({ "kind": tool()["kind"], "retry_policy": "quick" }));
        workflow["retry_policies"] = json!({ "quick": {
            "max_attempts": 3, "backoff": "fixed", "initial_delay": 1, "max_delay": 1
        } });
        let end = start(&engine, &workflow)
            .await
            .finished()
            .await
            .expect("it ends");
        assert_eq!(end.final_state.as_str(), r#"{"attempts":3}"#);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn a_failed_execution_says_why_and_keeps_its_state() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", |item: WorkItem| async move {
            if item.node_id == "b" {
                return Err(WorkError::permanent("no such claim"));
            }
            Ok(json!({ item.node_id: 1 }))
        });
        let execution = start(&engine, &tools("a -> b, a -> c")).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Failed);
        assert_eq!(end.error.as_deref(), Some("node(s) failed terminally: b"));
        assert_eq!(end.final_state.as_str(), r#"{"a":1,"c":1}"#);
        let items = execution.items().await.expect("a queue").found;
        assert_eq!(items.len(), 1, "r11: the item is a dead letter");
        assert!(format!("{:?}", items[0].state).contains("no such claim"));
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn law8_a_key_starts_once() {
    for place in Place::each() {
        let engine = engine(&place).await;
        register(&engine, tools("a")).await.expect("valid");
        let keyed = |input: Value| Start::new("w", "1.0.0", input).key("claim 17");
        let (first, second) = tokio::join!(
            engine.start_with(keyed(json!({}))),
            engine.start_with(keyed(json!({})))
        );
        let first = first.expect("it starts").id();
        assert_eq!(first, ExecutionId::of_key("default", "claim 17"));
        assert_eq!(first, second.expect("it is found").id());
        let other = engine
            .start_with(keyed(json!({ "other": 1 })))
            .await
            .map(|started| started.id());
        assert!(
            matches!(other, Err(EngineError::KeyTaken { execution, .. }) if execution == first),
            "{other:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

async fn register(engine: &Engine, workflow: Value) -> Result<(), EngineError> {
    let workflow = Workflow::from_json(workflow.to_string())?;
    engine.register(workflow).await.map(drop)
}

#[tokio::test]
async fn seed_15_a_registered_workflow_never_changes() {
    for place in Place::each() {
        let engine = engine(&place).await;
        register(&engine, tools("a -> b")).await.expect("valid");
        register(&engine, tools("a -> b"))
            .await
            .expect("the same again is no change");
        let other = register(&engine, tools("a -> c")).await;
        assert!(
            matches!(other, Err(EngineError::WorkflowDiffers { .. })),
            "{other:?}"
        );
        let faulty = register(&engine, tools("a -> b, b -> a")).await;
        assert!(
            matches!(&faulty, Err(EngineError::InvalidWorkflow(faults)) if !faults.is_empty()),
            "r1: {faulty:?}"
        );
        let unknown = engine.start("w", "2.0.0", json!({})).await.map(drop);
        assert!(
            matches!(unknown, Err(EngineError::UnknownWorkflow { .. })),
            "{unknown:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn bad_json_is_refused_at_the_door() {
    assert!(matches!(
        Workflow::from_json(r#"{"a":1,"a":2}"#),
        Err(EngineError::Json { .. })
    ));
    let place = Place::file();
    let engine = engine(&place).await;
    register(&engine, tools("a")).await.expect("valid");
    let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
    let deep: Value = serde_json::from_str(&deep).expect("it is JSON");
    let refused = engine.start("w", "1.0.0", deep).await.map(drop);
    assert!(
        matches!(refused, Err(EngineError::Json { .. })),
        "{refused:?}"
    );
    let all = ListFilter {
        max: 10,
        ..ListFilter::default()
    };
    assert_eq!(engine.list(all).await.expect("a list").found, []);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_subscription_sees_every_event_once() {
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work("tool", |_| async move { Ok(json!({})) });
    let execution = start(&engine, &tools("a -> b, b -> c")).await;
    let mut subscription = execution.subscribe(1);
    let mut sequences = Vec::new();
    while let Some(events) = subscription.next().await.expect("the log can be read") {
        sequences.extend(events.iter().map(|stored| stored.event.sequence));
    }
    assert_eq!(sequences, (1..=11).collect::<Vec<_>>());
    engine.shutdown().await;
}

#[tokio::test]
async fn simulated_time_jumps() {
    for place in Place::each_simulated() {
        let builder = Engine::builder().boxed_store(place.store()).simulated(true);
        let engine = builder.start().await.expect("it starts");
        let mut workflow = tools("a -> b, b -> c");
        workflow["nodes"]["b"]["labels"] = json!({ "simulate_ms": "86400000" });
        workflow["nodes"]["c"]["kind"] =
            json!({ "type": "wait", "condition": "timer", "timeout_secs": 3600 });
        let execution = start(&engine, &workflow).await;
        assert_eq!(
            execution.finished().await.expect("it ends").status,
            Status::Completed
        );
        let record = execution.record().await.expect("a record");
        assert_eq!(record.last_at - record.started_at, 86_400_000 + 3_600_000);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn law5_simulated_time_never_comes_to_its_end() {
    let place = Place::simulated_file();
    let builder = Engine::builder().boxed_store(place.store()).simulated(true);
    let engine = builder.start().await.expect("it starts");
    let mut workflow = tools("a -> b");
    workflow["nodes"]["a"]["labels"] = json!({ "simulate_ms": u64::MAX });
    let execution = start(&engine, &workflow).await;
    let end = tokio::time::timeout(Duration::from_secs(20), execution.finished()).await;
    let end = end.expect("every turn can be written").expect("it ends");
    assert_eq!(end.status, Status::Completed);
    let record = execution.record().await.expect("a record");
    let took = record.last_at - record.started_at;
    assert_eq!(took, SIMULATED_DELAY_MS_MAX);
    engine.shutdown().await;
    audit_all(&place, "");
}

#[tokio::test]
async fn an_engine_and_its_store_are_of_one_kind_of_time() {
    for (places, simulated) in [(Place::each(), true), (Place::each_simulated(), false)] {
        for place in places {
            let builder = Engine::builder().boxed_store(place.store());
            let refused = builder.simulated(simulated).start().await;
            let refused = refused.expect_err("it is refused").to_string();
            let said = "simulated executions have a store of their own";
            assert!(refused.contains(said), "{refused}");
        }
    }
}

#[tokio::test]
async fn law8_a_key_begins_one_of_each_kind_of_time() {
    for (one, other) in Place::each().into_iter().zip(Place::each_simulated()) {
        let mut ids = Vec::new();
        for (place, simulated) in [(&one, false), (&other, true), (&other, true)] {
            let builder = Engine::builder().boxed_store(place.store());
            let engine = builder
                .simulated(simulated)
                .start()
                .await
                .expect("it starts");
            let workflow = Workflow::from_json(tools("a -> b").to_string()).expect("it is JSON");
            let registered = engine.register(workflow).await.expect("it is valid");
            let start = Start::new(registered.workflow_id, registered.version, json!({}));
            let started = engine.start_with(start.key("k")).await;
            ids.push(started.expect("it starts").id());
            engine.shutdown().await;
        }
        assert_eq!(ids[0], ExecutionId::of_key("default", "k"));
        assert_eq!(ids[1], ExecutionId::of_simulated_key("default", "k"));
        assert_eq!(ids[1], ids[2]);
    }
}

/// Each simulated execution is at its own time, and no other's.
#[tokio::test]
async fn law5_a_simulated_execution_begins_now_however_far_another_is() {
    for place in Place::each_simulated() {
        let far = simulated(&place, SIMULATED_DELAY_MS_MAX).await;
        let near = simulated(&place, 2_000).await;
        assert!(near.started_at < far.last_at, "{near:?} {far:?}");
        assert_eq!(near.last_at - near.started_at, 2_000);
        audit_all(&place, "");
    }
}

async fn simulated(place: &Place, delay_ms: u64) -> refrain::store::ExecutionRecord {
    let builder = Engine::builder().boxed_store(place.store()).simulated(true);
    let engine = builder.start().await.expect("it starts");
    let mut workflow = tools("a -> b");
    workflow["workflow_id"] = json!(format!("w{delay_ms}"));
    workflow["nodes"]["a"]["labels"] = json!({ "simulate_ms": delay_ms });
    let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
    let registered = engine.register(workflow).await.expect("it is valid");
    let started = engine.start(&registered.workflow_id, "1.0.0", json!({}));
    let execution = started.await.expect("it starts");
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
    let record = execution.record().await.expect("a record");
    engine.shutdown().await;
    record
}

/// One that was left far ahead is gone on with where it was.
#[tokio::test]
async fn law5_a_simulated_execution_that_was_left_goes_on_at_its_own_time() {
    let place = Place::simulated_file();
    let builder = || Engine::builder().boxed_store(place.store()).simulated(true);
    let engine = builder().start().await.expect("it starts");
    let mut workflow = tools("a -> b, b -> c");
    workflow["nodes"]["a"]["labels"] = json!({ "simulate_ms": SIMULATED_DELAY_MS_MAX });
    workflow["nodes"]["b"]["kind"] = json!({ "type": "human_approval", "description": "Go on?" });
    let execution = start(&engine, &workflow).await;
    wait_for(&execution, "interrupt_raised b", 1).await;
    engine.shutdown().await;
    let far = execution.id();

    let engine = builder().start().await.expect("it starts again");
    let execution = engine.execution(far);
    let approval = refrain::Approval::approved("ada");
    execution.approve("b", approval).await.expect("it waits");
    let end = tokio::time::timeout(Duration::from_secs(20), execution.finished()).await;
    let end = end.expect("its item is claimed").expect("it ends");
    assert_eq!(end.status, Status::Completed);
    engine.shutdown().await;
    audit_all(&place, "");
}
