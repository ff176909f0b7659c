//! A paused execution goes on step by step (rule R18).

use std::time::Duration;

use refrain::guest::CallLimits;
use refrain::model::{Event, EventKind, RefusalCode, Status};
use refrain::{ClaimRequest, Engine, EngineError, Execution, ExecutionId, WorkError, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, log, start, wait_for};
use refrain_tests::workflows::tools;
use serde_json::json;

/// Events as names, with the node where they have one.
fn names(events: &[Event]) -> Vec<String> {
    let name = |event: &Event| {
        let node = refrain::replay::node_of(&event.kind);
        let node = node.map(|node| format!(" {node}")).unwrap_or_default();
        format!("{}{node}", refrain::log::kind_name(&event.kind))
    };
    events.iter().map(name).collect()
}

async fn step(execution: &Execution) -> Vec<String> {
    let stepped = execution.step(Some("a look")).await;
    names(&stepped.expect("it is paused").events)
}

async fn status(execution: &Execution) -> Status {
    execution.record().await.expect("a record").status
}

#[tokio::test]
async fn r18_a_step_is_the_pause_lifted_what_is_decided_what_is_claimed_and_the_pause() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let execution = start(&engine, &tools("a -> b, a -> c")).await.by("ada");
        execution.pause(None).await.expect("it runs");
        let before = log(&execution).await;
        assert_eq!(
            step(&execution).await,
            [""; 0],
            "a waits, and nobody takes it"
        );
        assert_eq!(
            log(&execution).await,
            before,
            "nothing is appended for nothing"
        );

        engine.work("tool", |item: WorkItem| async move {
            Ok(json!({ item.node_id: 1 }))
        });
        let claimed = step(&execution).await;
        assert_eq!(
            claimed,
            ["execution_unpaused", "node_started a", "execution_paused"]
        );
        wait_for(&execution, "node_completed a", 1).await;
        assert_eq!(status(&execution).await, Status::Paused);

        let both = step(&execution).await;
        #[rustfmt::skip]
        assert_eq!(both, [
            "execution_unpaused",
            "node_scheduled b", "node_scheduled c",
            "node_started b", "node_started c",
            "execution_paused",
        ]);
        wait_for(&execution, "node_completed b", 1).await;
        wait_for(&execution, "node_completed c", 1).await;
        let last = step(&execution).await;
        assert_eq!(last, ["execution_unpaused", "workflow_completed"]);

        let events = execution.events(1, 100).await.expect("a log");
        let notes = events.iter().filter_map(|stored| match &stored.event.kind {
            EventKind::ExecutionPaused(it) | EventKind::ExecutionUnpaused(it) => Some(it),
            _ => None,
        });
        for note in notes.skip(1) {
            assert_eq!(
                (note.by.as_deref(), note.reason.as_deref()),
                (Some("ada"), Some("a look"))
            );
        }
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r4_a_step_orders_no_more_than_a_step_may() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let edges: Vec<String> = (0..12).map(|n| format!("a -> n{n:02}")).collect();
        let execution = start(&engine, &tools(&edges.join(", "))).await;
        let claim = engine.claim("tool", 1, "me").await.expect("a").remove(0);
        execution.pause(None).await.expect("it runs");
        engine
            .complete(claim.id, json!({}))
            .await
            .expect("it counts");
        let first = step(&execution).await;
        assert_eq!(first.len(), 1 + 8 + 1, "{first:?}");
        let second = step(&execution).await;
        assert_eq!(second.len(), 1 + 4 + 1, "{second:?}");
        assert_eq!(step(&execution).await, [""; 0]);
        assert_eq!(status(&execution).await, Status::Paused);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn what_is_in_flight_goes_on_through_a_step() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let execution = start(&engine, &tools("a -> b, a -> c, c -> d")).await;
        let a = engine.claim("tool", 1, "me").await.expect("a").remove(0);
        engine.complete(a.id, json!({})).await.expect("it counts");
        let slow = engine.claim("tool", 1, "me").await.expect("b").remove(0);
        execution.pause(None).await.expect("it runs");
        let request = ClaimRequest::new("outside", "1", ["tool"]).wait(Duration::from_secs(30));
        let (given, stepped) = tokio::join!(engine.claim_waiting(request), async {
            // The request stands in the inbox before the step does.
            tokio::task::yield_now().await;
            step(&execution).await
        });
        assert_eq!(
            stepped,
            ["execution_unpaused", "node_started c", "execution_paused"]
        );
        let given = given.expect("work").remove(0);
        assert_eq!(given.id.node_id, "c", "who waits outside is given it");
        engine
            .complete(given.id, json!({}))
            .await
            .expect("it counts");
        engine
            .complete(slow.id, json!({}))
            .await
            .expect("its claim holds");
        assert_eq!(status(&execution).await, Status::Paused);
        let stepped = step(&execution).await;
        assert_eq!(
            stepped,
            ["execution_unpaused", "node_scheduled d", "execution_paused"]
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn an_execution_ends_as_failed_by_a_step() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let mut workflow = tools("a");
        workflow["nodes"]["a"]["retry_policy"] = json!("no_retry");
        let execution = start(&engine, &workflow).await;
        let claim = engine.claim("tool", 1, "me").await.expect("a").remove(0);
        execution.pause(None).await.expect("it runs");
        let failed = engine.fail(claim.id, WorkError::permanent("no")).await;
        failed.expect("it counts");
        let told = log(&execution).await;
        assert_eq!(told.last().map(String::as_str), Some("node_exhausted a"));
        let last = step(&execution).await;
        assert_eq!(last, ["execution_unpaused", "workflow_failed"]);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn a_child_is_started_by_a_step_and_is_not_paused() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let mut workflow = tools("a -> s, s -> b");
        workflow["nodes"]["s"]["kind"] = json!({ "type": "subgraph", "body": {
            "start_node": "x", "nodes": { "x": { "kind": { "type": "tool", "tool_ref": "x" } } },
        } });
        let execution = start(&engine, &workflow).await;
        let a = engine.claim("tool", 1, "me").await.expect("a").remove(0);
        execution.pause(None).await.expect("it runs");
        engine.complete(a.id, json!({})).await.expect("it counts");
        let stepped = step(&execution).await;
        assert_eq!(
            stepped,
            [
                "execution_unpaused",
                "child_requested s",
                "execution_paused"
            ]
        );
        wait_for(&execution, "child_started s", 1).await;
        let x = engine.claim("tool", 1, "me").await.expect("x").remove(0);
        assert_eq!(x.id.node_id, "x");
        engine.complete(x.id, json!({})).await.expect("it counts");
        wait_for(&execution, "child_ended s", 1).await;
        let stepped = step(&execution).await;
        assert_eq!(
            stepped,
            ["execution_unpaused", "node_scheduled b", "execution_paused"]
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn what_is_not_paused_takes_no_step() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let execution = start(&engine, &tools("a")).await;
        let refused = |stepped| match stepped {
            Err(EngineError::Refused { code, reason, .. }) => (code, reason),
            other => panic!("{other:?}"),
        };
        let (code, reason) = refused(execution.step(None).await);
        assert_eq!(code, RefusalCode::NotHeld);
        assert!(reason.contains("pause it"), "{reason}");
        execution.cancel(None).await.expect("it runs");
        let (code, reason) = refused(execution.step(None).await);
        assert_eq!(code, RefusalCode::Ended);
        assert!(reason.contains("cancelled"), "{reason}");
        let nobody = engine.execution(ExecutionId::from_bytes([9; 16]));
        let unknown = nobody.step(None).await;
        assert!(
            matches!(unknown, Err(EngineError::UnknownExecution(_))),
            "{unknown:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r11_what_is_stalled_takes_no_step() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let mut workflow = tools("a");
        workflow["retry_policies"] =
            json!({ "ask": { "max_attempts": 1, "on_exhausted": "pause" } });
        workflow["nodes"]["a"]["retry_policy"] = json!("ask");
        let execution = start(&engine, &workflow).await;
        let claim = engine.claim("tool", 1, "me").await.expect("a").remove(0);
        let failed = engine.fail(claim.id, WorkError::permanent("no")).await;
        failed.expect("it counts");
        wait_for(&execution, "stalled a", 1).await;
        let refused = execution.step(None).await;
        assert!(
            matches!(
                &refused,
                Err(EngineError::Refused {
                    code: RefusalCode::Held,
                    ..
                })
            ),
            "{refused:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn an_engine_claims_nothing_of_what_it_does_not_work_on() {
    for place in Place::each() {
        let first = engine(&place).await;
        let execution = start(&first, &tools("a -> b")).await;
        execution.pause(None).await.expect("it runs");
        first.shutdown().await;
        let builder = Engine::builder().boxed_store(place.store()).only([]);
        let engine = builder.start().await.expect("it starts");
        engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
        let execution = engine.execution(execution.id());
        assert_eq!(step(&execution).await, [""; 0]);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn simulated_workers_take_what_a_step_orders() {
    for place in Place::each_simulated() {
        let builder = Engine::builder().boxed_store(place.store()).simulated(true);
        let engine = builder.start().await.expect("it starts");
        let execution = start(&engine, &super::breakpoints::before_b()).await;
        execution.finished().await.expect("it ends");
        let started = super::breakpoints::start_at(&engine, "b").await;
        wait_for(&started, "execution_paused", 1).await;
        let stepped = step(&started).await;
        #[rustfmt::skip]
        assert_eq!(stepped, [
            "execution_unpaused", "node_scheduled b", "node_started b", "execution_paused",
        ]);
        wait_for(&started, "node_completed b", 1).await;
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn a_scheduler_that_fails_at_a_step_leaves_the_execution_paused() {
    for place in Place::each() {
        let first = engine(&place).await;
        let edges: Vec<String> = (0..40).map(|n| format!("a -> n{n:02}")).collect();
        let execution = start(&first, &tools(&edges.join(", "))).await;
        let claim = first.claim("tool", 1, "me").await.expect("a").remove(0);
        execution.pause(None).await.expect("it runs");
        first
            .complete(claim.id, json!({}))
            .await
            .expect("it counts");
        let before = log(&execution).await;
        first.shutdown().await;
        // As good as none at all.
        let limits = CallLimits {
            fuel: Some(1),
            fuel_per_byte: 0,
            ..CallLimits::default()
        };
        let builder = Engine::builder()
            .boxed_store(place.store())
            .call_limits(limits);
        let starved = builder.start().await.expect("it starts");
        let failed = starved.execution(execution.id()).step(None).await;
        assert!(
            matches!(failed, Err(EngineError::Guest { .. })),
            "{failed:?}"
        );
        starved.shutdown().await;
        let engine = engine(&place).await;
        let execution = engine.execution(execution.id());
        assert_eq!(log(&execution).await, before);
        assert_eq!(step(&execution).await.len(), 10);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn two_engines_on_one_file_take_one_step_after_the_other() {
    let place = Place::file();
    let (one, other) = (engine(&place).await, engine(&place).await);
    let edges: Vec<String> = (0..16).map(|n| format!("a -> n{n:02}")).collect();
    let execution = start(&one, &tools(&edges.join(", "))).await;
    let claim = one.claim("tool", 1, "me").await.expect("a").remove(0);
    execution.pause(None).await.expect("it runs");
    one.complete(claim.id, json!({})).await.expect("it counts");
    let same = other.execution(execution.id());
    let (first, second) = tokio::join!(step(&execution), step(&same));
    assert_eq!(
        (first.len(), second.len()),
        (10, 10),
        "{first:?} {second:?}"
    );
    assert_ne!(first, second, "each orders others");
    assert_eq!(status(&execution).await, Status::Paused);
    one.shutdown().await;
    other.shutdown().await;
    audit_all(&place, "");
}
