//! A child is forked like any execution, and its fork has no parent (law 11).

use refrain::model::{EventKind, Status};
use refrain::{Engine, Execution, ExecutionId, Fork, Workflow};
use refrain_tests::engines::{Place, audit_all, engine, start, wait_for};
use serde_json::{Value, json};

use super::{refused, workers};

/// A workflow whose node `c` has a child that is written in place, and fails at `a1`.
fn parent() -> Value {
    let body = json!({
        "start_node": "a0",
        "nodes": {
            "a0": { "kind": { "type": "tool", "tool_ref": "a0" }, "retry_policy": "no_retry" },
            "a1": { "kind": { "type": "tool", "tool_ref": "a1" }, "retry_policy": "no_retry" },
        },
        "edges": [{ "from": "a0", "to": "a1" }],
    });
    json!({
        "workflow_id": "outer", "version": "1.0.0", "start_node": "c",
        "nodes": { "c": { "kind": { "type": "subgraph", "body": body }, "retry_policy": "no_retry" } },
    })
}

async fn child(engine: &Engine, parent: &Execution) -> Execution {
    wait_for(parent, "child_ended c", 1).await;
    engine.execution(ExecutionId::of_child(parent.id(), "c", 1, 0))
}

#[tokio::test]
async fn law11_r22_a_child_that_is_written_in_place_is_forked_without_its_parent() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let is_mended = workers(&engine, "a1");
        let parent = start(&engine, &parent()).await;
        let child = child(&engine, &parent).await;
        assert_eq!(
            parent.finished().await.expect("it ends").status,
            Status::Failed
        );
        is_mended.store(true, std::sync::atomic::Ordering::SeqCst);
        let forked = engine.fork(Fork::of(child.id()).from_node("a1")).await;
        let fork = forked.expect("a fork").execution;
        let end = fork.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        let first = fork.events(1, 1).await.expect("read").remove(0).event;
        let EventKind::WorkflowStarted(started) = first.kind else {
            panic!("it starts");
        };
        assert_eq!(started.workflow_id, "outer/c");
        assert_eq!(started.parent, None);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn law11_r22_a_child_is_forked_with_no_other_workflow() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let _is_mended = workers(&engine, "a1");
        let mut next = parent();
        let parent = start(&engine, &next).await;
        let child = child(&engine, &parent).await;
        next["version"] = json!("1.0.1");
        let next = Workflow::from_json(next.to_string()).expect("JSON");
        engine.register(next).await.expect("it is valid");
        let fork = Fork::of(child.id()).workflow("outer", "1.0.1");
        let said = refused(&engine, fork).await;
        let expected = format!(
            "it is a child of workflow \"outer/c\", and \"outer\" is another one; fork it with another version of its own workflow, or fork its parent, {}, from node \"c\"",
            parent.id()
        );
        assert!(said.contains(&expected), "{said}");
        engine.shutdown().await;
    }
}
