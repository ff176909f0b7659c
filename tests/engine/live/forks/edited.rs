//! A fork that is to go another way: with other results, another input, another workflow.

use refrain::model::EventKind;
use refrain::{EngineError, Fork, Workflow};
use refrain_tests::engines::{Place, engine, log, start};
use refrain_tests::workflows::tools;
use serde_json::json;

use super::{are_linked, events, refused, workers};

#[tokio::test]
async fn law11_a_result_or_the_input_is_another_one_in_the_fork() {
    for place in Place::each() {
        let engine = engine(&place).await;
        workers(&engine, "b");
        let origin = start(&engine, &tools("a -> b, b -> c")).await;
        origin.finished().await.expect("it ends");
        let edit = Fork::of(origin.id()).result("b", json!({"b": "by hand"}));
        let unnamed = refused(&engine, edit.clone()).await;
        assert!(unnamed.contains("has to be named"), "{unnamed}");
        let forked = engine.fork(edit.by("ada")).await.expect("a fork");
        let end = forked.execution.finished().await.expect("it ends");
        assert_eq!(
            end.final_state.to_string(),
            r#"{"a":true,"b":"by hand","c":true}"#
        );
        let of_fork = events(&forked.execution).await;
        let edited = of_fork.iter().find_map(|stored| match &stored.event.kind {
            EventKind::NodeCompleted(it) => it.edited_by.clone(),
            _ => None,
        });
        assert_eq!(edited.as_deref(), Some("ada"));
        are_linked(&place, &origin, &forked);

        let anew = Fork::of(origin.id()).input(json!({"other": 1}));
        let anew = engine.fork(anew).await.expect("a fork");
        assert_eq!(anew.common, 1);
        let first = &events(&anew.execution).await[0];
        let EventKind::WorkflowStarted(started) = &first.event.kind else {
            panic!("{first:?}");
        };
        assert_eq!(started.initial_input, r#"{"other":1}"#);
        anew.execution.finished().await.expect("it ends");
        are_linked(&place, &origin, &anew);
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn law11_results_of_several_nodes_are_other_ones_in_one_fork() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let origin = start(&engine, &tools("a -> b, a -> c, b -> d, c -> d")).await;
        for claimed in [1, 2] {
            let claims = engine.claim("tool", claimed, "w").await.expect("claims");
            assert_eq!(claims.len(), claimed);
            for claim in claims {
                let output = json!({ claim.id.node_id.clone(): 1 });
                engine.complete(claim.id, output).await.expect("it counts");
            }
        }
        workers(&engine, "");
        origin.finished().await.expect("it ends");
        let fork = || Fork::of(origin.id()).by("ada");
        let (two, three) = (json!({"c": 2, "x": 2}), json!({"b": 3, "x": 3}));
        let forked = engine.fork(fork().result("c", two).result("b", three));
        let forked = forked.await.expect("a fork");
        let end = forked.execution.finished().await.expect("it ends");
        assert_eq!(
            end.final_state.to_string(),
            r#"{"a":1,"b":3,"c":2,"d":true,"x":3}"#
        );
        let names = log(&forked.execution).await;
        let common = forked.common as usize;
        assert_eq!(
            names[common..common + 3],
            ["node_completed c", "node_completed b", "execution_forked"]
        );
        are_linked(&place, &origin, &forked);
        for (fork, reason) in [
            (
                fork().result("a", json!({})).result("b", json!({})),
                "no worker has claimed node \"b\" by event 3",
            ),
            (
                fork().result("b", json!({})).result("b", json!({})),
                "two results are given for node \"b\"",
            ),
            (
                fork().result("b", json!({})).result("x", json!({})),
                "no worker has come to an end with node \"x\"",
            ),
        ] {
            let found = refused(&engine, fork).await;
            assert!(found.contains(reason), "{found}");
        }
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn law11_another_workflow_goes_on_where_it_has_led_to_the_same() {
    let place = Place::memory();
    let engine = engine(&place).await;
    workers(&engine, "b");
    let origin = start(&engine, &tools("a -> b")).await;
    origin.finished().await.expect("it ends");
    let mut other = tools("a -> c");
    other["version"] = json!("2.0.0");
    let mut unlike = tools("x -> b");
    unlike["version"] = json!("3.0.0");
    for workflow in [&other, &unlike] {
        let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
        engine.register(workflow).await.expect("it is valid");
    }
    let to = |version: &str| Fork::of(origin.id()).from_node("b").workflow("w", version);
    let found = refused(&engine, to("3.0.0")).await;
    assert!(found.contains("divergent there: event 2"), "{found}");
    let forked = engine.fork(to("2.0.0")).await.expect("a fork");
    let end = forked.execution.finished().await.expect("it ends");
    assert_eq!(end.final_state.to_string(), r#"{"a":true,"c":true}"#);
    are_linked(&place, &origin, &forked);
    let unknown = engine.fork(to("9.0.0")).await.map(drop);
    assert!(
        matches!(unknown, Err(EngineError::UnknownWorkflow { .. })),
        "{unknown:?}"
    );
    engine.shutdown().await;
}
