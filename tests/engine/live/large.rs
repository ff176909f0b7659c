//! States that are nearly as large as may be, and much to be decided at once.

use refrain::model::{EventKind, Status};
use refrain::{Approval, Engine, Execution, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, start};
use serde_json::{Value, json};

/// Four nodes bring 3.9 MB each into the state, then `then` follows.
fn with_large_state(then: &[(&str, Value)]) -> Value {
    let loads = ["l1", "l2", "l3", "l4"];
    let mut nodes = json!({});
    let mut edges = Vec::new();
    for (place, load) in loads.iter().enumerate() {
        nodes[load] = json!({ "kind": { "type": "tool", "tool_ref": "load" } });
        if let Some(next) = loads.get(place + 1) {
            edges.push(json!({ "from": load, "to": next }));
        }
    }
    let names: Vec<_> = then.iter().map(|(name, _)| *name).collect();
    nodes["fork"] = json!({ "kind": { "type": "parallel", "branches": names } });
    edges.push(json!({ "from": "l4", "to": "fork" }));
    for (name, kind) in then {
        nodes[name] = json!({ "kind": kind });
    }
    json!({ "workflow_id": "w", "version": "1.0.0", "start_node": "l1", "nodes": nodes, "edges": edges })
}

fn work(engine: &Engine) {
    engine.work("tool", |item: WorkItem| async move {
        let text = match item.node_id.starts_with('l') {
            true => "x".repeat(3_900_000),
            false => String::new(),
        };
        Ok(json!({ item.node_id: text }))
    });
}

/// Follow the log until so many people were asked.
async fn asked(execution: &Execution, people: usize) {
    let mut committed = execution.subscribe(1);
    let mut seen = 0;
    while seen < people {
        let events = committed.next().await.expect("it goes on");
        for stored in events.expect("the log can be read") {
            match &stored.event.kind {
                EventKind::InterruptRaised(_) => seen += 1,
                EventKind::HostStalled(it) => panic!("{}", it.reason),
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_people_are_asked_about_a_large_state() {
    let names: Vec<String> = (10..30).map(|person| format!("p{person}")).collect();
    let asks = json!({ "type": "human_approval", "description": "Pay?" });
    let then: Vec<_> = names.iter().map(|it| (it.as_str(), asks.clone())).collect();
    let place = Place::memory();
    let engine = engine(&place).await;
    work(&engine);
    let execution = start(&engine, &with_large_state(&then)).await;
    asked(&execution, names.len()).await;
    for name in &names {
        let approved = execution.approve(name, Approval::approved("ada")).await;
        approved.expect("it waits for that");
    }
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
    engine.shutdown().await;
    audit_all(&place, "a large state");
}

/// The same for orders: each work item carries the state.
#[tokio::test(flavor = "multi_thread")]
async fn many_work_items_carry_a_large_state() {
    let names: Vec<String> = (10..26).map(|worker| format!("w{worker}")).collect();
    let tool = json!({ "type": "tool", "tool_ref": "t" });
    let then: Vec<_> = names.iter().map(|it| (it.as_str(), tool.clone())).collect();
    let place = Place::memory();
    let engine = engine(&place).await;
    work(&engine);
    let execution = start(&engine, &with_large_state(&then)).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
    engine.shutdown().await;
    audit_all(&place, "a large state in work items");
}

/// What the guest ends its batches at, and what the host takes.
#[test]
fn a_batch_and_one_more_decision_are_less_than_a_host_takes() {
    use refrain_guest::limits as guest;
    let largest_item =
        guest::STATE_BYTES_MAX + guest::PAYLOAD_BYTES_MAX + guest::WORKFLOW_BYTES_MAX;
    let batch = guest::BATCH_BYTES_MAX + guest::STATE_BYTES_MAX + largest_item;
    assert!(2 * batch <= refrain::limits::GUEST_TRANSFER_BYTES_MAX);
    let failed_names = guest::NODES_MAX * (guest::ID_BYTES_MAX + 2);
    let largest = guest::STATE_BYTES_MAX.max(failed_names);
    assert!(largest + 16 * refrain::limits::TEXT_BYTES_MAX <= refrain::limits::EVENT_BYTES_MAX);
}
