//! Failures that edges handle, races, early endings and budgets, on whole engines (rules R24,
//! R26 and R28).

use refrain::model::{NodeState, Remedy, Status};
use refrain::{Answer, EngineError, WorkError, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, start, wait_for};
use refrain_tests::workflows::tools;
use serde_json::json;

#[tokio::test]
async fn r26_a_failure_is_handled_and_the_execution_completes() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let mut workflow = tools("pay -> receipt, pay -> ask");
        workflow["nodes"]["pay"]["retry_policy"] = json!("no_retry");
        workflow["edges"][1]["on"] = json!("failure");
        workflow["edges"][1]["condition"] = json!("error.class == \"io_error\"");
        engine.work("tool", |item: WorkItem| async move {
            match item.node_id.as_str() {
                "pay" => Err(WorkError::retryable("no answer").class("io_error")),
                _ => Ok(json!({ item.node_id: 1 })),
            }
        });
        let execution = start(&engine, &workflow).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        assert_eq!(end.final_state.as_str(), r#"{"ask":1}"#);
        let pay = execution.explain("pay").await.expect("a node");
        assert_eq!(pay.state, NodeState::Failed);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

/// What lost is cancelled: its item is on the queue no more.
#[tokio::test]
async fn r24_the_rest_of_a_race_is_cancelled() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let mut workflow =
            tools("s -> fast, s -> slow, fast -> j, slow -> last, last -> j, j -> d");
        workflow["nodes"]["j"]["kind"] =
            json!({ "type": "join", "merge_strategy": { "count": 1 }, "cancel_rest": true });
        engine.work("tool", |item: WorkItem| async move {
            if item.node_id == "slow" {
                std::future::pending::<()>().await;
            }
            Ok(json!({ item.node_id: 1 }))
        });
        let execution = start(&engine, &workflow).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.final_state.as_str(), r#"{"d":1,"fast":1,"s":1}"#);
        assert_eq!(execution.items().await.expect("a queue").found, []);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r24_terminate_stops_what_is_under_way() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let mut workflow = tools("s -> check, s -> slow, check -> t");
        workflow["nodes"]["t"]["kind"] =
            json!({ "type": "terminate", "status": "failed", "reason": "no stock" });
        engine.work("tool", |item: WorkItem| async move {
            if item.node_id == "slow" {
                std::future::pending::<()>().await;
            }
            Ok(json!({}))
        });
        let execution = start(&engine, &workflow).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Failed);
        assert!(
            end.error
                .as_deref()
                .is_some_and(|it| it.contains("no stock")),
            "{end:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

/// The stall tells its numbers, and lifting it switches the budget off.
#[tokio::test]
async fn r28_a_stall_on_a_budget_is_lifted() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let mut workflow = tools("a -> b, b -> c");
        workflow["cost_budget_usd"] = json!(0.5);
        workflow["on_budget_exceeded"] = json!("pause");
        engine.work("tool", |item: WorkItem| async move {
            let answer = Answer::output(json!({ item.node_id: 1 }));
            Ok::<_, WorkError>(answer.telemetry(json!({ "cost_usd": 0.3 })))
        });
        let execution = start(&engine, &workflow).await;
        wait_for(&execution, "stalled", 1).await;
        let why = execution.explain("c").await.expect("a node");
        let mut remedies = why.reasons.iter().flat_map(|reason| &reason.remedies);
        assert!(remedies.any(|it| *it == Remedy::Lift), "{why:?}");
        let text = format!("{why:?}");
        assert!(text.contains("0.6") && text.contains("0.5"), "{text}");
        execution
            .lift_stall(Some("worth it"))
            .await
            .expect("it is stalled");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        let again = execution.lift_stall(None).await;
        assert!(
            matches!(again, Err(EngineError::Refused { .. })),
            "{again:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}
