//! Failures with more to say than a log holds: shortened with a mark, and
//! otherwise what they were.

use refrain::limits::TEXT_BYTES_MAX;
use refrain::model::Status;
use refrain::{Engine, Receipt, WorkError, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, start, wait_for};
use refrain_tests::workflows::{single, tool};
use serde_json::{Value, json};

/// A workflow of one node, which is tried twice.
fn twice(kind: Value) -> Value {
    let mut workflow = single(json!({ "kind": kind, "retry_policy": "quick" }));
    workflow["retry_policies"] = json!({ "quick": {
        "max_attempts": 2, "backoff": "fixed", "initial_delay": 1, "max_delay": 1
    } });
    workflow
}

/// The first failure in the log: its error and whether it is retryable.
async fn failure(execution: &refrain::Execution) -> (String, bool) {
    let events = execution.events(1, 100).await.expect("a log");
    let failures = events.iter().filter_map(|stored| match &stored.event.kind {
        refrain::model::EventKind::NodeFailed(failed) => {
            Some((failed.error.clone(), failed.retryable))
        }
        _ => None,
    });
    failures.into_iter().next().expect("it has failed")
}

fn assert_shortened(error: &str) {
    assert!(error.len() <= TEXT_BYTES_MAX, "{} bytes", error.len());
    assert!(
        error.ends_with(" bytes left out)"),
        "{}",
        &error[error.len() - 60..]
    );
}

#[tokio::test]
async fn a_passing_failure_with_a_long_text_stays_a_passing_failure() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", |item: WorkItem| async move {
            if item.attempt == 1 {
                return Err(WorkError::retryable("ä".repeat(TEXT_BYTES_MAX)).class("io_error"));
            }
            Ok(json!({ "attempt": item.attempt }))
        });
        let execution = start(&engine, &twice(tool()["kind"].clone())).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        let (error, retryable) = failure(&execution).await;
        assert!(retryable);
        assert_shortened(&error);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

/// The refusal names the key that stands twice, however long it is.
#[tokio::test]
async fn a_refused_answer_leads_to_a_failure_however_long_the_refusal_is() {
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work_commands(1);
    let twice = "printf '{\"%0100000d\":1,\"%0100000d\":2}' 7 7";
    let kind = json!({ "type": "command", "argv": ["sh", "-c", twice] });
    let execution = start(&engine, &single(json!({ "kind": kind }))).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Failed);
    let (error, retryable) = failure(&execution).await;
    assert!(error.contains("JSON that is not accepted"), "{error}");
    assert_shortened(&error);
    assert!(!retryable, "the same answer would be refused again");
    engine.shutdown().await;
    audit_all(&place, "");
}

/// What the door refuses is followed by a failure, which is not refused.
#[tokio::test]
async fn an_answer_that_is_too_long_leads_to_a_failure() {
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work("tool", |_| async move {
        let target = "t".repeat(2 * TEXT_BYTES_MAX);
        Ok(refrain::Answer::output(json!({})).chosen_target(target))
    });
    let execution = start(&engine, &single(tool())).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Failed);
    let (error, _) = failure(&execution).await;
    assert!(
        error.contains("the worker's answer was not taken"),
        "{error}"
    );
    engine.shutdown().await;
    audit_all(&place, "");
}

#[tokio::test]
async fn law7_workers_outside_may_say_as_much_and_repeat_it() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let execution = start(&engine, &twice(tool()["kind"].clone())).await;
        let claim = engine
            .claim("tool", 1, "w")
            .await
            .expect("it may")
            .remove(0);
        let long = WorkError::retryable("x".repeat(3 * TEXT_BYTES_MAX))
            .class("y".repeat(2 * TEXT_BYTES_MAX));
        let told = engine.fail(claim.id.clone(), long.clone()).await;
        assert_eq!(told.expect("it is taken"), Receipt::Recorded);
        let told = engine.fail(claim.id, long).await;
        assert_eq!(told.expect("it is the same"), Receipt::AlreadyRecorded);
        wait_for(&execution, "retry_scheduled a", 1).await;
        let (error, retryable) = failure(&execution).await;
        assert!(retryable);
        assert_shortened(&error);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

async fn fails_at_first(engine: Engine, kind: Value) -> (String, bool) {
    let execution = start(&engine, &twice(kind)).await;
    execution.finished().await.expect("it ends");
    let failure = failure(&execution).await;
    engine.shutdown().await;
    failure
}

#[tokio::test]
async fn built_in_workers_may_say_as_much() {
    let name = "x".repeat(2 * TEXT_BYTES_MAX);
    let place = Place::file();
    let commands = engine(&place).await;
    commands.work_commands(1);
    let kind = json!({ "type": "command", "argv": [name] });
    let (error, _) = fails_at_first(commands, kind).await;
    assert_shortened(&error);
    let place = Place::file();
    let requests = engine(&place).await;
    requests.work_http(1);
    let kind =
        json!({ "type": "http", "url": format!("http://127.0.0.1:9/{name}"), "method": "GET" });
    let (error, _) = fails_at_first(requests, kind).await;
    assert_shortened(&error);
}
