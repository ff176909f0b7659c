//! What nodes and starts say of their work: queue, priority, lease (rules R4, R5), and
//! workflows without a version (rule R1).

use std::time::Duration;

use refrain::model::Status;
use refrain::{Answer, Claim, Engine, EngineError, Start, WorkItem, Workflow};
use refrain_tests::engines::{Place, audit_all, engine, log, manual_engine};
use serde_json::{Value, json};

/// A fan-out to these nodes, all of them work on the queue `gpu`.
fn tasks(nodes: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = nodes.iter().map(|(name, _)| *name).collect();
    let mut all = json!({ "fan": { "kind": { "type": "parallel", "branches": names } } });
    for (name, more) in nodes {
        let mut node = more.clone();
        node["kind"] = json!({ "type": "task", "queue": "gpu", "job": name });
        all[name] = node;
    }
    json!({ "workflow_id": "w", "start_node": "fan", "nodes": all })
}

async fn register(engine: &Engine, workflow: &Value) -> Start {
    let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
    let registered = engine.register(workflow).await.expect("it is valid");
    assert_eq!(registered.queues, ["gpu"]);
    Start::new(registered.workflow_id, registered.version, json!({}))
}

async fn claim(engine: &Engine, max: usize) -> Vec<Claim> {
    engine.claim("gpu", max, "outside").await.expect("a queue")
}

fn names(claims: &[Claim]) -> Vec<&str> {
    claims.iter().map(|it| it.id.node_id.as_str()).collect()
}

#[tokio::test]
async fn r05_the_most_urgent_is_claimed_first() {
    for place in Place::each() {
        let (engine, clock) = manual_engine(&place).await;
        let nodes = [
            ("a", json!({ "priority": 1 })),
            ("b", json!({})),
            ("c", json!({ "priority": 9 })),
        ];
        let start = register(&engine, &tasks(&nodes)).await;
        let usual = engine.start_with(start.clone()).await.expect("it starts");
        clock.advance(Duration::from_secs(1));
        let urgent = engine.start_with(start.priority(7)).await;
        let urgent = urgent.expect("it starts");
        assert_eq!(urgent.record().await.expect("a record").priority, 7);
        let claims = claim(&engine, 5).await;
        let of = |execution: refrain::ExecutionId| match execution == usual.id() {
            true => "usual",
            false => "urgent",
        };
        let order: Vec<(&str, &str)> = claims
            .iter()
            .map(|it| (of(it.id.execution), it.id.node_id.as_str()))
            .collect();
        let expected = [
            ("usual", "c"),
            ("urgent", "c"),
            ("urgent", "b"),
            ("usual", "b"),
            ("usual", "a"),
        ];
        assert_eq!(order, expected);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r05_a_start_has_a_priority_and_a_key_keeps_it() {
    let place = Place::memory();
    let (engine, _) = manual_engine(&place).await;
    let start = register(&engine, &tasks(&[("a", json!({}))])).await;
    let refused = engine.start_with(start.clone().priority(10)).await;
    let refused = refused.expect_err("there is no such priority");
    assert_eq!(refused.code(), "invalid_priority");
    let keyed = start.key("k").priority(9);
    let first = engine.start_with(keyed.clone()).await.expect("it starts");
    let again = engine.start_with(keyed.clone()).await.expect("the same");
    assert_eq!(first.id(), again.id());
    let other = engine.start_with(keyed.priority(5)).await;
    assert!(
        matches!(other, Err(EngineError::KeyTaken { .. })),
        "{other:?}"
    );
    engine.shutdown().await;
    audit_all(&place, "");
}

#[tokio::test]
async fn r13_a_claim_holds_as_long_as_its_node_says() {
    for place in Place::each() {
        let (engine, clock) = manual_engine(&place).await;
        let nodes = [("a", json!({ "lease_secs": 60 })), ("b", json!({}))];
        let start = register(&engine, &tasks(&nodes)).await;
        engine.start_with(start).await.expect("it starts");
        let claims = claim(&engine, 2).await;
        assert_eq!(names(&claims), ["a", "b"]);
        let [long, usual] = [0, 1].map(|at| claims[at].clone());
        let usual_ms = 10_000;
        assert_eq!(long.expires_at, usual.expires_at - usual_ms + 60_000);
        clock.advance(Duration::from_secs(5));
        let renewed = engine.renew(long.id).await.expect("it holds");
        assert_eq!(renewed, long.expires_at + 5_000);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

/// The engine renews the leases of its own workers as often as each needs it.
#[tokio::test(flavor = "multi_thread")]
async fn r13_a_short_lease_of_an_own_worker_is_renewed_in_time() {
    let place = Place::file();
    let engine = engine(&place).await;
    engine.work("gpu", |_: WorkItem| async {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        Ok(Answer::output(json!({})))
    });
    let nodes = [("a", json!({ "lease_secs": 1 }))];
    let start = register(&engine, &tasks(&nodes)).await;
    let execution = engine.start_with(start).await.expect("it starts");
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
    let log = log(&execution).await;
    assert!(!log.contains(&"lease_expired a".to_owned()), "{log:?}");
    engine.shutdown().await;
    audit_all(&place, "");
}

#[tokio::test]
async fn r05_simulated_workers_are_on_every_queue() {
    for place in Place::each_simulated() {
        let builder = Engine::builder().boxed_store(place.store()).simulated(true);
        let engine = builder.start().await.expect("it starts");
        let mut workflow = tasks(&[("a", json!({})), ("b", json!({ "priority": 9 }))]);
        workflow["nodes"]["a"]["kind"]["queue"] = json!("mail");
        let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
        let registered = engine.register(workflow).await.expect("it is valid");
        let started = engine.start("w", &registered.version, json!({})).await;
        let end = started.expect("it starts").finished().await;
        assert_eq!(end.expect("it ends").status, Status::Completed);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r01_without_a_version_an_edited_workflow_is_another_one() {
    let place = Place::memory();
    let (engine, _) = manual_engine(&place).await;
    let [one, two] = [1, 2].map(|label| {
        let mut workflow = tasks(&[("a", json!({}))]);
        workflow["labels"] = json!({ "edition": label.to_string() });
        Workflow::from_json(workflow.to_string()).expect("it is JSON")
    });
    let digests = [&one, &two].map(|workflow| workflow.digest()[..12].to_owned());
    for (workflow, digest) in [one, two].into_iter().zip(digests) {
        let again = workflow.clone();
        let registered = engine.register(workflow).await.expect("it is valid");
        assert_eq!(registered.version, format!("0.0.0+{digest}"));
        engine.register(again).await.expect("the same once more");
        let started = engine.start("w", &registered.version, json!({})).await;
        let record = started.expect("it starts").record().await;
        assert_eq!(
            record.expect("a record").workflow_version,
            registered.version
        );
    }
    engine.shutdown().await;
    audit_all(&place, "");
}
