//! Forks: another execution goes on from a place in a log (law 11).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use refrain::erase::{Eraser, erase};
use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::log::{Head, chain};
use refrain::model::{EventKind, Status};
use refrain::replay::{Audit, Auditor, LinkState, Verdict};
use refrain::store::StoredEvent;
use refrain::{
    Approval, Engine, EngineError, Execution, Fork, Forked, WorkError, WorkItem, Workflow,
};
use refrain_tests::engines::{Place, audit_all, engine, log, start, wait_for};
use refrain_tests::workflows::tools;
use serde_json::{Value, json};

/// `n01 -> n02 -> … `, so many.
fn chain(nodes: usize) -> Value {
    let names: Vec<String> = (1..=nodes).map(|number| format!("n{number:02}")).collect();
    let edges: Vec<String> = names.windows(2).map(|pair| pair.join(" -> ")).collect();
    tools(&edges.join(", "))
}

/// Workers that complete everything with `{NODE: true}`, but for this node, at which
/// they fail for good until they are told to be willing.
fn workers(engine: &Engine, fails_at: &'static str) -> Arc<AtomicBool> {
    let willing = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&willing);
    engine.work("tool", move |item: WorkItem| {
        let fails = item.node_id == fails_at && !asked.load(Ordering::SeqCst);
        async move {
            match fails {
                true => Err(WorkError::permanent("not today")),
                false => Ok(json!({ item.node_id: true })),
            }
        }
    });
    willing
}

async fn events(execution: &Execution) -> Vec<StoredEvent> {
    execution.events(1, 1000).await.expect("a log")
}

/// What the audit of an execution says.
fn audit(place: &Place, execution: &Execution) -> Audit {
    let mut library = Library::new(Sandbox::new(CallLimits::default()).expect("a sandbox"));
    let mut store = place.store();
    let audit = Auditor::new(&mut library).audit_stored(store.as_mut(), execution.id());
    audit.expect("it can be audited").expect("it is there")
}

/// Both audit clean, and their logs are linked.
fn are_linked(place: &Place, origin: &Execution, forked: &Forked) {
    audit_all(place, "forks");
    let link = audit(place, &forked.execution).forked_from;
    let link = link.expect("it names its origin");
    assert_eq!(link.link, LinkState::Linked);
    assert_eq!(
        (link.execution_id, link.sequence),
        (origin.id().to_string(), forked.common)
    );
}

async fn refused(engine: &Engine, fork: Fork) -> String {
    match engine.fork(fork).await {
        Ok(forked) => panic!("it was forked at {}", forked.common),
        Err(EngineError::NotForked { reason, .. }) => reason,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn law11_an_execution_that_failed_at_its_last_node_ends_well_in_a_fork() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let willing = workers(&engine, "n30");
        let origin = start(&engine, &chain(30)).await;
        let end = origin.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Failed);
        let before = events(&origin).await;
        willing.store(true, Ordering::SeqCst);
        let forked = engine
            .fork(Fork::of(origin.id()).by("ada"))
            .await
            .expect("it is forked");
        let end = forked.execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        let after = events(&forked.execution).await;
        let common = forked.common as usize;
        assert_eq!(after.len(), common + 5, "only the last node runs again");
        assert_eq!(before, events(&origin).await, "the origin is left as it is");
        for (own, others) in after[1..common].iter().zip(&before[1..common]) {
            assert_eq!((&own.event, own.salt), (&others.event, others.salt));
        }
        let EventKind::ExecutionForked(fact) = &after[common].event.kind else {
            panic!("{:?}", after[common].event);
        };
        assert_eq!(fact.by.as_deref(), Some("ada"));
        are_linked(&place, &origin, &forked);
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn law11_what_is_in_flight_waits_again_for_the_forks_own_workers() {
    for place in Place::each() {
        let engine = engine(&place).await;
        let origin = start(&engine, &tools("a -> b, a -> c")).await;
        let claims = engine.claim("tool", 1, "w").await.expect("a claim");
        let answered = engine.complete(claims[0].id.clone(), json!({"x": 1})).await;
        answered.expect("it is taken");
        let held = engine.claim("tool", 1, "w").await.expect("a claim");
        let forked = engine.fork(Fork::of(origin.id())).await.expect("a fork");
        let items = forked.execution.items().await.expect("items").found;
        let waiting: Vec<_> = items
            .iter()
            .map(|it| (it.item.node_id.as_str(), it.state.lease().is_some()))
            .collect();
        assert_eq!(waiting, [("b", false), ("c", false)]);
        let EngineError::Stale { .. } = engine
            .complete(
                refrain::ClaimId {
                    execution: forked.execution.id(),
                    ..held[0].id.clone()
                },
                json!({}),
            )
            .await
            .expect_err("the claim is the origin's")
        else {
            panic!("it is stale");
        };
        audit_all(&place, "in flight");
        workers(&engine, "");
        let of_fork = forked.execution.finished().await.expect("it ends");
        assert_eq!(of_fork.status, Status::Completed);
        let kept = engine.complete(held[0].id.clone(), json!({})).await;
        kept.expect("the origin's claim holds");
        origin.finished().await.expect("it ends");
        are_linked(&place, &origin, &forked);
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn law11_an_open_approval_is_asked_for_anew_in_the_fork() {
    let place = Place::memory();
    let engine = engine(&place).await;
    let mut workflow = tools("h -> a");
    workflow["nodes"]["h"] = json!({"kind": {"type": "human_approval", "description": "go on?"}});
    let origin = start(&engine, &workflow).await;
    wait_for(&origin, "interrupt_raised h", 1).await;
    let forked = engine.fork(Fork::of(origin.id())).await.expect("a fork");
    assert_eq!(
        log(&forked.execution).await[1..],
        [
            "interrupt_raised h",
            "execution_forked",
            "interrupt_raised h"
        ]
    );
    workers(&engine, "");
    for execution in [&forked.execution, &origin] {
        let approved = execution.approve("h", Approval::approved("ada")).await;
        approved.expect("it waits for that");
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
    }
    are_linked(&place, &origin, &forked);
    engine.shutdown().await;
}

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
async fn law11_a_fork_is_cut_before_an_end_and_in_no_batch() {
    let place = Place::memory();
    let engine = engine(&place).await;
    workers(&engine, "c");
    let origin = start(&engine, &tools("a -> b, a -> c")).await;
    origin.finished().await.expect("it ends");
    // 2 a is scheduled, 3 claimed, 4 completed; 5 and 6 b and c are scheduled.
    let names = log(&origin).await;
    assert_eq!(names[4..6], ["node_scheduled b", "node_scheduled c"]);
    let all = names.len() as u64;
    for (asked, common) in [(1, 1), (3, 3), (4, 4), (5, 4), (6, 6)] {
        let forked = engine.fork(Fork::of(origin.id()).at(asked)).await;
        assert_eq!(forked.expect("a fork").common, common, "asked for {asked}");
    }
    let last = engine.fork(Fork::of(origin.id()).at(all)).await;
    assert!(last.expect("a fork").common < all);
    let node = engine.fork(Fork::of(origin.id()).from_node("c")).await;
    assert_eq!(node.expect("a fork").common, 4);
    for (fork, reason) in [
        (Fork::of(origin.id()).at(0), "event 1 is the first"),
        (Fork::of(origin.id()).at(all + 1), "there is no event"),
        (
            Fork::of(origin.id()).from_node("x"),
            "node \"x\" has not begun in it; those that have begun are \"a\", \"b\", \"c\"",
        ),
        (
            Fork::of(origin.id()).result("x", json!(1)).by("ada"),
            "no worker has come to an end",
        ),
    ] {
        let found = refused(&engine, fork).await;
        assert!(found.contains(reason), "{found}");
    }
    engine.shutdown().await;
    audit_all(&place, "cuts");
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

#[tokio::test]
async fn law11_a_fork_is_forked_and_a_stalled_one_stays_stalled() {
    let place = Place::file();
    let engine = engine(&place).await;
    let willing = workers(&engine, "b");
    let mut workflow = tools("a -> b");
    workflow["retry_policies"] = json!({"ask": {"max_attempts": 1, "on_exhausted": "pause"}});
    workflow["nodes"]["b"]["retry_policy"] = json!("ask");
    let origin = start(&engine, &workflow).await;
    wait_for(&origin, "stalled b", 1).await;
    let first = engine.fork(Fork::of(origin.id())).await.expect("a fork");
    let second = Fork::of(first.execution.id());
    let second = engine.fork(second).await.expect("a fork");
    assert!(second.common > first.common);
    let record = second.execution.record().await.expect("a record");
    assert_eq!(record.status, Status::Stalled);
    willing.store(true, Ordering::SeqCst);
    let retried = second.execution.retry("b", None).await;
    retried.expect("it can be retried");
    second.execution.finished().await.expect("it ends");
    are_linked(&place, &origin, &first);
    are_linked(&place, &first.execution, &second);
    assert_eq!(audit(&place, &origin).forked_from, None);
    engine.shutdown().await;
}

/// What an execution was started with cannot be guessed when it is erased, not even by
/// somebody who has a fork of it that was started with something else.
#[tokio::test]
async fn law4_a_fork_does_not_tell_what_an_erased_origin_was_started_with() {
    let place = Place::memory();
    let engine = engine(&place).await;
    workers(&engine, "");
    let origin = start(&engine, &tools("a -> b")).await;
    origin.finished().await.expect("it ends");
    let fork = Fork::of(origin.id()).input(json!({"other": true}));
    let fork = engine.fork(fork).await.expect("a fork").execution;
    let (first, own) = (
        events(&origin).await.remove(0),
        events(&fork).await.remove(0),
    );
    // A person who guesses right would come to the hash that stands in the erased log.
    let hash = |salt| chain::follow(&Head::default(), first.event.clone(), salt).hash;
    assert_eq!(hash(first.salt), first.hash);
    assert_ne!(hash(own.salt), first.hash);
    engine.shutdown().await;
}

#[tokio::test]
async fn law11_what_is_not_there_or_erased_is_not_forked() {
    let place = Place::file();
    let engine = engine(&place).await;
    workers(&engine, "");
    let origin = start(&engine, &tools("a -> b")).await;
    origin.finished().await.expect("it ends");
    let unknown = refrain::ExecutionId::random();
    let found = engine.fork(Fork::of(unknown)).await.map(drop);
    assert!(
        matches!(found, Err(EngineError::UnknownExecution(id)) if id == unknown),
        "{found:?}"
    );
    let forked = engine.fork(Fork::of(origin.id())).await.expect("a fork");
    forked.execution.finished().await.expect("it ends");
    let mut library = Library::new(Sandbox::new(CallLimits::default()).expect("a sandbox"));
    let mut store = place.store();
    let eraser = Eraser {
        by: "ada",
        at: 1,
        signer: None,
    };
    for (_, erased) in erase(store.as_mut(), &mut library, &[origin.id()], &eraser) {
        erased.expect("it is erased");
    }
    let found = engine.fork(Fork::of(origin.id())).await.map(drop);
    assert_eq!(found.expect_err("it is erased").code(), "log_erased");
    engine.shutdown().await;
    // What is left of it is compared all the same.
    let audit = audit(&place, &forked.execution);
    assert_eq!(audit.verdict, Verdict::Clean);
    let link = audit.forked_from.expect("it names its origin");
    assert_eq!(link.link, LinkState::Linked);
}
