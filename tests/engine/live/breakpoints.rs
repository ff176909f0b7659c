//! Executions that are paused at breakpoints.

use refrain::model::{EventKind, Status};
use refrain::{Approval, Breakpoints, Engine, EngineError, Execution, Start, WorkItem, Workflow};
use refrain_tests::engines::{Place, audit_all, engine, log, start, wait_for};
use refrain_tests::workflows::tools;
use serde_json::{Value, json};

pub(super) fn before_b() -> Value {
    tools("a -> b, b -> c")
}

/// Starts `w`, which is registered, with a breakpoint before this node.
pub(super) async fn start_at(engine: &Engine, node: &str) -> Execution {
    let breakpoints = Breakpoints::none().before(node);
    let start = Start::new("w", "1.0.0", json!({})).by("ada");
    let started = engine.start_with(start.breakpoints(breakpoints)).await;
    started.expect("it starts")
}

/// Registers a workflow and starts it, with these breakpoints.
async fn start_with(engine: &Engine, workflow: &Value, breakpoints: Breakpoints) -> Execution {
    let id = workflow["workflow_id"].as_str().expect("an id");
    let parsed = Workflow::from_json(workflow.to_string()).expect("JSON");
    engine.register(parsed).await.expect("it is valid");
    let start = Start::new(id, "1.0.0", json!({})).by("ada");
    let started = engine.start_with(start.breakpoints(breakpoints)).await;
    started.expect("it starts")
}

/// Each tool answers with how many there were before it, under `n`, and its own name.
fn work(engine: &Engine) {
    engine.work("tool", |item: WorkItem| async move {
        let payload: Value = serde_json::from_str(&item.payload).expect("JSON");
        let n = payload["input"]["state"]["n"].as_u64().unwrap_or(0);
        Ok(json!({ "n": n + 1, item.node_id: true }))
    });
}

/// The reason and the author of the last pause, and whether nothing but results stands
/// behind it.
async fn pause(execution: &Execution) -> (String, Option<String>) {
    let events = execution.events(1, 1000).await.expect("a log");
    let last = events
        .iter()
        .rev()
        .find_map(|stored| match &stored.event.kind {
            EventKind::ExecutionPaused(note) => Some(note.clone()),
            _ => None,
        });
    let note = last.expect("it is paused");
    (note.reason.expect("a breakpoint says so"), note.by)
}

async fn is_paused_at(execution: &Execution, reason: &str) {
    wait_for(execution, "execution_paused", 1).await;
    let record = execution.record().await.expect("a record");
    assert_eq!(record.status, Status::Paused, "{:?}", log(execution).await);
    let expected = (format!("breakpoint: {reason}"), Some("ada".to_owned()));
    assert_eq!(pause(execution).await, expected);
}

#[tokio::test]
async fn a_node_is_not_begun_and_a_step_goes_past_its_breakpoint() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let execution = start_with(&engine, &before_b(), Breakpoints::none().before("b")).await;
        is_paused_at(&execution, "b").await;
        #[rustfmt::skip]
        assert_eq!(log(&execution).await, [
            "workflow_started", "node_scheduled a", "node_started a", "node_completed a",
            "execution_paused",
        ]);
        let stepped = execution.step(None).await.expect("it is paused");
        assert_eq!(stepped.claimed().collect::<Vec<_>>(), ["b"]);
        wait_for(&execution, "node_completed b", 1).await;
        execution.unpause(None).await.expect("it is paused");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn an_execution_can_be_paused_before_it_does_anything() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let execution = start_with(&engine, &before_b(), Breakpoints::none().before("a")).await;
        is_paused_at(&execution, "a").await;
        assert_eq!(
            log(&execution).await,
            ["workflow_started", "execution_paused"]
        );
        execution.unpause(None).await.expect("it is paused");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed, "its breakpoint is passed");
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn several_breakpoints_that_are_met_together_are_one_pause() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let breakpoints = Breakpoints::none()
            .before("c")
            .before("b")
            .when("state.n >= 1");
        let execution = start_with(&engine, &tools("a -> b, a -> c, c -> d"), breakpoints).await;
        is_paused_at(&execution, "b, c, state.n >= 1").await;
        let told = log(&execution).await;
        assert_eq!(told.last().map(String::as_str), Some("execution_paused"));
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r8_a_condition_is_met_when_it_comes_to_hold_and_once() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let workflow = tools("a -> b, b -> c, c -> d");
        let execution =
            start_with(&engine, &workflow, Breakpoints::none().when("state.n >= 2")).await;
        is_paused_at(&execution, "state.n >= 2").await;
        let told = log(&execution).await;
        assert!(told.contains(&"node_completed b".to_owned()), "{told:?}");
        assert!(!told.contains(&"node_scheduled c".to_owned()), "{told:?}");
        execution.unpause(None).await.expect("it is paused");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn a_condition_that_holds_from_the_first_pauses_at_once_and_one_on_the_end_keeps_it() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let at_once = start_with(
            &engine,
            &before_b(),
            Breakpoints::none().when("!has(state.n)"),
        )
        .await;
        is_paused_at(&at_once, "!has(state.n)").await;
        assert_eq!(
            log(&at_once).await,
            ["workflow_started", "execution_paused"]
        );
        let last = start_with(&engine, &before_b(), Breakpoints::none().when("state.c")).await;
        is_paused_at(&last, "state.c").await;
        let stepped = last.step(None).await.expect("it is paused");
        let ends = stepped
            .events
            .last()
            .is_some_and(|event| event.kind.is_terminal());
        assert!(ends, "{stepped:?}");
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

fn map() -> Value {
    let mut workflow = tools("a -> each, each -> b");
    workflow["nodes"]["each"]["kind"] = json!({
        "type": "map", "over": "[1, 2, 3]", "max_concurrent": 1,
        "body": { "type": "tool", "tool_ref": "t" }, "output_key": "all",
    });
    workflow
}

#[tokio::test]
async fn r21_an_instance_is_named_by_its_index_and_a_map_stands_for_all() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let one = start_with(&engine, &map(), Breakpoints::none().before("each[2]")).await;
        is_paused_at(&one, "each[2]").await;
        let told = log(&one).await;
        assert!(
            told.contains(&"node_completed each[1]".to_owned()),
            "{told:?}"
        );
        assert!(
            !told.contains(&"node_scheduled each[2]".to_owned()),
            "{told:?}"
        );

        let all = start_with(&engine, &map(), Breakpoints::none().before("each")).await;
        is_paused_at(&all, "each").await;
        assert!(
            !log(&all)
                .await
                .contains(&"node_scheduled each[0]".to_owned())
        );
        // Past the map and its first instance; the next instance is a place of its own.
        all.unpause(None).await.expect("it is paused");
        wait_for(&all, "execution_paused", 2).await;
        assert!(
            !log(&all)
                .await
                .contains(&"node_scheduled each[1]".to_owned())
        );

        let done = start_with(
            &engine,
            &map(),
            Breakpoints::none().when("size(state.all) == 3"),
        )
        .await;
        is_paused_at(&done, "size(state.all) == 3").await;
        assert!(!log(&done).await.contains(&"node_scheduled b".to_owned()));
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r22_a_node_of_a_child_pauses_the_child() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let mut workflow = tools("a -> bill");
        workflow["nodes"]["bill"]["kind"] = json!({ "type": "subgraph", "body": {
            "start_node": "count",
            "nodes": {
                "count": { "kind": { "type": "tool", "tool_ref": "x" } },
                "send": { "kind": { "type": "tool", "tool_ref": "x" } },
            },
            "edges": [{ "from": "count", "to": "send" }],
        } });
        let breakpoints = Breakpoints::none()
            .before("bill/send")
            .before("send-nothing/x");
        let refused = breakpoints.check_nodes(&workflow.to_string());
        assert!(refused.is_err(), "there is no `send-nothing`");
        let breakpoints = Breakpoints::none().before("bill/send");
        let parent = start_with(&engine, &workflow, breakpoints).await;
        wait_for(&parent, "child_started bill", 1).await;
        let id = refrain::ExecutionId::of_child(parent.id(), "bill", 1, 0);
        let child = engine.execution(id);
        is_paused_at(&child, "send").await;
        let record = parent.record().await.expect("a record");
        assert_eq!(
            record.status,
            Status::Running,
            "a pause does not pass to the parent"
        );
        child.unpause(None).await.expect("it is paused");
        let end = parent.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn r6_what_the_scheduler_settles_itself_is_settled_and_what_is_behind_is_held() {
    for place in Place::each() {
        let engine = engine(&place).await;
        work(&engine);
        let mut workflow = tools("a -> ask, ask -> b");
        workflow["nodes"]["ask"]["kind"] = json!({ "type": "human_approval", "description": "?" });
        let execution = start_with(&engine, &workflow, Breakpoints::none().before("ask")).await;
        is_paused_at(&execution, "ask").await;
        let told = log(&execution).await;
        assert_eq!(
            told.last().map(String::as_str),
            Some("interrupt_raised ask")
        );
        let approved = execution.approve("ask", Approval::approved("bob")).await;
        approved.expect("it waits for that");
        assert!(
            !log(&execution)
                .await
                .contains(&"node_scheduled b".to_owned())
        );
        execution.unpause(None).await.expect("it is paused");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn what_is_no_place_of_the_workflow_is_refused_and_nothing_is_started() {
    for place in Place::each() {
        let engine = engine(&place).await;
        start(&engine, &before_b()).await;
        for (breakpoints, why) in [
            (Breakpoints::none().before("B"), "did you mean `b`?"),
            (Breakpoints::none().before("b[1]"), "is no map"),
            (Breakpoints::none().when("state.n >="), "state.n >="),
            (Breakpoints::none().when("stat.n"), "stat"),
        ] {
            let start = Start::new("w", "1.0.0", json!({})).breakpoints(breakpoints);
            let refused = engine.start_with(start).await.expect_err(why);
            assert!(
                matches!(refused, EngineError::Breakpoint { .. }),
                "{refused:?}"
            );
            assert!(refused.to_string().contains(why), "{refused}");
        }
        let all = engine.list(refrain::store::ListFilter::default()).await;
        assert_eq!(all.expect("a list").found.len(), 1);
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn a_key_that_has_started_it_before_sets_its_breakpoints() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let parsed = Workflow::from_json(before_b().to_string()).expect("JSON");
        engine.register(parsed).await.expect("it is valid");
        let start = Start::new("w", "1.0.0", json!({})).key("k").by("ada");
        let first = engine.start_with(start.clone()).await.expect("it starts");
        let again = start.breakpoints(Breakpoints::none().before("b"));
        let again = engine.start_with(again).await.expect("it is the same");
        assert_eq!(first.id(), again.id());
        work(&engine);
        is_paused_at(&again, "b").await;
        engine.shutdown().await;
        audit_all(&place, "");
    }
}
