//! A guest that orders about children what its decisions or the workflow do not hold. The
//! divergent guest of the tests does so for nodes that are named after what it does.

use refrain::model::{EventKind, Status};
use refrain::{Engine, Execution, Workflow};
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::engines::{Place, log, start, wait_for};
use serde_json::{Value, json};

fn waits(id: &str) -> Value {
    json!({
        "workflow_id": id, "version": "1.0.0", "start_node": "x",
        "nodes": { "x": { "kind": { "type": "human_approval", "description": "?" } } },
    })
}

/// The execution of a workflow whose only node has this name, and starts a child.
async fn begun(place: &Place, node: &str) -> (Engine, Execution) {
    let guest = DIVERGENT.committed().expect("it is committed");
    let engine = Engine::builder().boxed_store(place.store()).guest(guest);
    let engine = engine.start().await.expect("it starts");
    for workflow in [waits("child")] {
        let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
        engine.register(workflow).await.expect("it is valid");
    }
    let kind = json!({ "type": "subgraph", "workflow_id": "child", "version": "1.0.0" });
    let mut workflow =
        json!({ "workflow_id": format!("of {node}"), "version": "1.0.0", "start_node": node });
    workflow["nodes"][node] = json!({ "kind": kind });
    let execution = start(&engine, &workflow).await;
    (engine, execution)
}

#[tokio::test(flavor = "multi_thread")]
async fn r22_a_child_is_started_as_it_was_decided_and_as_the_workflow_has_it() {
    let table = [
        ("another", "is of another workflow than the node's"),
        ("twice", "was ordered without a decision"),
    ];
    for place in Place::each() {
        for (node, reason) in table {
            let (engine, execution) = begun(&place, node).await;
            wait_for(&execution, "host_stalled", 1).await;
            engine.shutdown().await;
            stands_for(&place, &execution, reason);
            let rows = place.store().children(execution.id()).expect("read");
            assert_eq!(rows, [], "{node}");
        }
    }
}

/// It takes the cancel request, and stops its node; the child would go on for ever.
#[tokio::test(flavor = "multi_thread")]
async fn r22_a_node_that_is_stopped_has_its_child_cancelled() {
    for place in Place::each() {
        for (node, reason) in [("s", None), ("forgets", Some("and that was not cancelled"))] {
            let (engine, execution) = begun(&place, node).await;
            let child = format!("child_started {node}");
            wait_for(&execution, &child, 1).await;
            let asked = execution.cancel(None).await;
            match reason {
                None => {
                    asked.expect("it is taken");
                    let end = execution.finished().await.expect("it ends");
                    assert_eq!(end.status, Status::Cancelled);
                }
                Some(reason) => {
                    wait_for(&execution, "host_stalled", 1).await;
                    let told = log(&execution).await;
                    let stops = told.iter().any(|line| line.contains("node_cancelled"));
                    assert!(!stops, "{told:?}");
                    stands_for(&place, &execution, reason);
                }
            }
            engine.shutdown().await;
        }
    }
}

/// It is stalled by its host, which says this of its guest.
fn stands_for(place: &Place, execution: &Execution, reason: &str) {
    let mut store = place.store();
    let record = store.execution(execution.id()).expect("read");
    assert_eq!(record.expect("there").status, Status::Stalled);
    let log = store.events(execution.id(), 1, 100).expect("read");
    let said = log.iter().find_map(|stored| match &stored.event.kind {
        EventKind::HostStalled(it) => Some(&it.reason),
        _ => None,
    });
    let said = said.expect("the host says why");
    assert!(said.contains(reason), "{said}");
}
