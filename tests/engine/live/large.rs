//! States that are nearly as large as may be, and much to be decided at once.

use refrain::limits::GUEST_TRANSFER_BYTES_MAX;
use refrain::model::{EventKind, Limits, Status};
use refrain::{Approval, Engine, Execution, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, start};
use serde_json::{Value, json};

const LOADS: [&str; 4] = ["l1", "l2", "l3", "l4"];
const STATE_BYTES: usize = LOADS.len() * 3_900_000;

/// Four nodes bring 3.9 MB each into the state, then `then` follows.
fn with_large_state(then: &[(&str, Value)]) -> Value {
    let mut nodes = json!({});
    let mut edges = Vec::new();
    for (place, load) in LOADS.iter().enumerate() {
        nodes[load] = json!({ "kind": { "type": "tool", "tool_ref": "load" } });
        if let Some(next) = LOADS.get(place + 1) {
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
            true => "x".repeat(STATE_BYTES / LOADS.len()),
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

/// The same for orders: each work item carries the state, and what one step may order
/// is more than a host takes at once.
#[tokio::test(flavor = "multi_thread")]
async fn many_work_items_carry_a_large_state() {
    const WIDTH: u32 = 20;
    const _: () = assert!(
        WIDTH as usize * STATE_BYTES > GUEST_TRANSFER_BYTES_MAX,
        "all items together are refused"
    );
    let names: Vec<String> = (0..WIDTH).map(|worker| format!("w{worker}")).collect();
    let tool = json!({ "type": "tool", "tool_ref": "t" });
    let then: Vec<_> = names.iter().map(|it| (it.as_str(), tool.clone())).collect();
    let place = Place::memory();
    let builder = Engine::builder().boxed_store(place.store()).limits(Limits {
        max_concurrent_nodes: WIDTH,
        max_dispatch_per_tick: WIDTH,
    });
    let engine = builder.start().await.expect("it starts");
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
    assert!(2 * batch <= GUEST_TRANSFER_BYTES_MAX);
    let failed_names = guest::NODES_MAX * (guest::ID_BYTES_MAX + 2);
    let largest = guest::STATE_BYTES_MAX.max(failed_names);
    assert!(largest + 16 * refrain::limits::TEXT_BYTES_MAX <= refrain::limits::EVENT_BYTES_MAX);
}
