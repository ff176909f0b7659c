//! Children (rules R22 and R23) in a whole engine, over each store.

use refrain::limits::TurnLimits;
use refrain::model::{EventKind, Status};
use refrain::replay::{Auditor, Verdict};
use refrain::store::ChildState;
use refrain::{
    Approval, Engine, Execution, ExecutionId, Fork, ManualClock, WorkError, WorkItem, Workflow,
};
use refrain_tests::engines::{BEGIN, Place, audit_all, engine, library, log, start, wait_for};
use serde_json::{Value, json};

/// A workflow whose node `s` has this kind, between two tools.
fn parent(kind: Value) -> Value {
    json!({
        "workflow_id": "parent", "version": "1.0.0", "start_node": "a",
        "nodes": {
            "a": { "kind": { "type": "tool", "tool_ref": "a" } },
            "s": { "kind": kind, "retry_policy": "no_retry" },
            "b": { "kind": { "type": "tool", "tool_ref": "b" } },
        },
        "edges": [{ "from": "a", "to": "s" }, { "from": "s", "to": "b" }],
    })
}

fn child() -> Value {
    json!({
        "workflow_id": "child", "version": "1.0.0", "start_node": "x",
        "nodes": { "x": { "kind": { "type": "tool", "tool_ref": "x" } } },
    })
}

/// The same, and it waits for a person.
fn waiting_child() -> Value {
    let mut waits = child();
    waits["nodes"]["x"]["kind"] = json!({ "type": "human_approval", "description": "?" });
    waits
}

fn named() -> Value {
    json!({ "type": "subgraph", "workflow_id": "child", "version": "1.0.0" })
}

/// What tools answer: their own name, and how often.
async fn tool(item: WorkItem) -> Result<Value, WorkError> {
    let payload: Value = serde_json::from_str(&item.payload).expect("a payload is JSON");
    let name = payload["kind"]["tool_ref"].as_str().expect("a text");
    match name {
        "fails" => Err(WorkError::permanent("no")),
        "counts" => {
            let n = payload["input"]["input"]["n"].as_u64().unwrap_or(0);
            Ok(json!({ "n": n + 1 }))
        }
        name => Ok(json!({ name: 1 })),
    }
}

async fn register(engine: &Engine, workflow: &Value) {
    let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
    engine.register(workflow).await.expect("it is valid");
}

/// The child of `s`, as its parent's id decides it.
fn child_of(parent: &Execution, iteration: u32) -> ExecutionId {
    ExecutionId::of_child(parent.id(), "s", 1, iteration)
}

#[tokio::test]
async fn r22_a_child_runs_and_its_parent_goes_on_with_what_it_came_to() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", tool);
        register(&engine, &child()).await;
        let execution = start(&engine, &parent(named())).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        assert_eq!(end.final_state.as_str(), r#"{"a":1,"b":1,"s":{"x":1}}"#);
        let told = log(&execution).await;
        for event in ["child_requested s", "child_started s", "child_ended s"] {
            assert!(
                told.iter().any(|line| line.contains(event)),
                "{event}: {told:?}"
            );
        }
        let id = child_of(&execution, 0);
        assert_eq!(id.shard(), execution.id().shard());
        engine.shutdown().await;
        let mut store = place.store();
        let record = store.child(id).expect("read").expect("there");
        assert_eq!(
            (record.parent, record.root),
            (execution.id(), execution.id())
        );
        assert_eq!(record.state, ChildState::Settled);
        let first = store.events(id, 1, 1).expect("read").remove(0).event;
        let EventKind::WorkflowStarted(started) = first.kind else {
            panic!("it starts");
        };
        assert_eq!(started.initial_input, r#"{"state":{"a":1},"input":{}}"#);
        let of = started.parent.expect("it is a child");
        assert_eq!(
            (of.depth, of.sequence, &*of.node_id),
            (1, record.sequence, "s")
        );
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r22_a_workflow_in_place_is_registered_by_its_node() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", tool);
        let inner = json!({
            "start_node": "x", "nodes": { "x": { "kind": { "type": "tool", "tool_ref": "x" } } },
        });
        let outer = json!({
            "start_node": "y", "nodes": { "y": { "kind": { "type": "subgraph", "body": inner } } },
        });
        let workflow = parent(json!({ "type": "subgraph", "body": outer, "merge": true }));
        let execution = start(&engine, &workflow).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.final_state.as_str(), r#"{"a":1,"b":1,"y":{"x":1}}"#);
        engine.shutdown().await;
        let mut store = place.store();
        for name in ["parent/s", "parent/s/y"] {
            let found = store.workflow("default", name, "1.0.0").expect("read");
            assert!(found.is_some(), "{name}");
        }
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r22_a_failed_child_fails_its_node_with_what_was_said() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", tool);
        let mut failing = child();
        failing["nodes"]["x"]["kind"]["tool_ref"] = "fails".into();
        failing["nodes"]["x"]["retry_policy"] = "no_retry".into();
        register(&engine, &failing).await;
        let execution = start(&engine, &parent(named())).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Failed);
        let told = log(&execution).await;
        assert!(
            told.iter().any(|line| line.contains("node_exhausted s")),
            "{told:?}"
        );
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r22_a_child_that_does_not_exist_or_calls_itself_without_end_is_refused() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", tool);
        let execution = start(&engine, &parent(named())).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Failed);
        let told = log(&execution).await;
        assert!(
            told.iter().any(|line| line.contains("child_refused s")),
            "{told:?}"
        );
        let mut endless = child();
        endless["nodes"]["x"] = json!({ "kind": named(), "retry_policy": "no_retry" });
        register(&engine, &endless).await;
        let execution = start(&engine, &parent(named())).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Failed);
        engine.shutdown().await;
        let descendants = place.store().descendants(execution.id()).expect("read");
        assert_eq!(descendants, 32);
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r17_children_are_cancelled_with_their_parent() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", tool);
        register(&engine, &waiting_child()).await;
        let execution = start(&engine, &parent(named())).await;
        wait_for(&execution, "child_started s", 1).await;
        execution.cancel(None).await.expect("it runs");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Cancelled);
        let of_child = engine.execution(child_of(&execution, 0));
        let end = of_child.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Cancelled);
        engine.shutdown().await;
        assert_eq!(place.store().owed_children(9).expect("read").found, []);
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r21_a_map_of_children_and_r23_a_repeat() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", tool);
        register(&engine, &child()).await;
        let map = json!({ "type": "map", "over": "[1,2,3,4,5,6,7,8,9,10,11,12]", "body": named(), "output_key": "all" });
        let execution = start(&engine, &parent(map)).await;
        let end = execution.finished().await.expect("it ends");
        let state: Value = serde_json::from_str(end.final_state.as_str()).expect("JSON");
        assert_eq!(state["all"], json!(vec![json!({ "x": 1 }); 12]));
        let body = json!({
            "start_node": "x", "nodes": { "x": { "kind": { "type": "tool", "tool_ref": "counts" } } },
        });
        let mut repeated = parent(json!({
            "type": "subgraph", "body": body, "output_key": "r",
            "input_mapping": { "n": "last.n" }, "repeat": { "while": "last.n < 5", "max": 9 },
        }));
        repeated["workflow_id"] = "repeated".into();
        let execution = start(&engine, &repeated).await;
        let end = execution.finished().await.expect("it ends");
        let state: Value = serde_json::from_str(end.final_state.as_str()).expect("JSON");
        assert_eq!(state["r"], json!({ "n": 5 }));
        engine.shutdown().await;
        let children = place.store().children(execution.id()).expect("read");
        let iterations: Vec<u32> = children.iter().map(|it| it.iteration).collect();
        assert_eq!(iterations, [0, 1, 2, 3, 4]);
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r22_a_detached_child_is_left_to_itself() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", tool);
        register(&engine, &child()).await;
        let mut kind = named();
        kind["detached"] = true.into();
        let execution = start(&engine, &parent(kind)).await;
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.final_state.as_str(), r#"{"a":1,"b":1}"#);
        let of_child = engine.execution(child_of(&execution, 0));
        let end = of_child.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

/// So little that each step uses up its share of the turn.
fn nothing() -> TurnLimits {
    TurnLimits {
        fuel: 1,
        ..TurnLimits::default()
    }
}

/// Turns that are used up at once carry out one thing after the other, and a store's audit
/// says what is owed meanwhile; so does another engine that goes on with it.
#[test]
fn law3_what_one_turn_does_not_reach_the_next_one_does() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let open = || {
            let builder = Engine::builder()
                .boxed_store(place.store())
                .clock(clock.clone())
                .turn_limits(nothing())
                .seed(1);
            let (engine, steps) = builder.stepped().expect("it can be put together");
            engine.work("tool", tool);
            (engine, steps)
        };
        let (engine, mut steps) = open();
        for workflow in [child(), parent(named())] {
            let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
            let registered = steps.until(engine.register(workflow));
            registered.expect("it is answered").expect("it is valid");
        }
        let started = steps.until(engine.start("parent", "1.0.0", json!({})));
        let id = started.expect("it is answered").expect("it starts").id();
        let mut owed = 0;
        let mut engine = (engine, steps);
        for _ in 0..200 {
            engine.1.step();
            let mut store = place.store();
            if store
                .execution(id)
                .expect("read")
                .is_some_and(|it| it.status == Status::Completed)
            {
                break;
            }
            for row in store.owed_children(9).expect("read").found {
                owed += 1;
                let mut library = library();
                let audit = Auditor::new(&mut library).audit_stored(store.as_mut(), id);
                let audit = audit.expect("it can be audited").expect("it is there");
                assert_eq!(audit.owed_children, [row.child.to_string()]);
                assert_eq!(audit.verdict, Verdict::Clean, "{:?}", audit.divergence);
                // As if the engine had died.
                engine = open();
            }
            clock.advance(std::time::Duration::from_secs(1));
        }
        assert!(owed > 0, "nothing was ever left to the next turn");
        let record = place.store().execution(id).expect("read").expect("there");
        assert_eq!(record.status, Status::Completed);
        audit_all(&place, "");
    }
}

/// An engine that works on one execution works on its children too, also where those were
/// begun before it came.
#[tokio::test]
async fn r22_who_works_on_a_parent_works_on_its_children() {
    for place in Place::each() {
        let engine = engine(&place).await;
        register(&engine, &child()).await;
        let mut first = parent(named());
        first["start_node"] = "s".into();
        first["nodes"].as_object_mut().expect("nodes").remove("a");
        first["edges"] = json!([{ "from": "s", "to": "b" }]);
        let execution = start(&engine, &first).await;
        wait_for(&execution, "child_started s", 1).await;
        let other = start(&engine, &child()).await;
        let (id, other) = (execution.id(), other.id());
        engine.shutdown().await;
        let builder = Engine::builder().boxed_store(place.store()).only([id]);
        let engine = builder.start().await.expect("it starts");
        engine.work("tool", tool);
        let end = engine.execution(id).finished().await.expect("it ends");
        assert_eq!(end.final_state.as_str(), r#"{"b":1,"s":{"x":1}}"#);
        engine.shutdown().await;
        let left = place
            .store()
            .execution(other)
            .expect("read")
            .expect("there");
        assert_eq!(left.status, Status::Running);
        audit_all(&place, "");
    }
}

/// A fork has no children of its origin: it asks for its own.
#[tokio::test]
async fn law11_a_fork_of_a_parent_asks_for_its_own_child() {
    for place in Place::each() {
        let engine = engine(&place).await;
        engine.work("tool", tool);
        register(&engine, &waiting_child()).await;
        let origin = start(&engine, &parent(named())).await;
        wait_for(&origin, "child_started s", 1).await;
        let fork = engine.fork(Fork::of(origin.id())).await.expect("a fork");
        let fork = fork.execution;
        wait_for(&fork, "child_started s", 2).await;
        for (execution, user) in [(&origin, "ada"), (&fork, "bob")] {
            let child = engine.execution(child_of(execution, 0));
            wait_for(&child, "interrupt_raised x", 1).await;
            child
                .approve("x", Approval::approved(user))
                .await
                .expect("it waits");
            let end = execution.finished().await.expect("it ends");
            assert_eq!(end.status, Status::Completed);
        }
        engine.shutdown().await;
        audit_all(&place, "");
    }
}
