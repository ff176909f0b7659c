//! A guest that an execution is to be handed to, or that is to begin a fork, and that does
//! not: nothing is changed, whatever it did meanwhile, and the former one goes on.

use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::model::Status;
use refrain::{Engine, EngineError, Fork, WorkItem};
use refrain_tests::engines::{Place, audit_all, log, start};
use refrain_tests::ordering_guest::lawful;
use refrain_tests::wat_guest::TAKE_ALL;
use refrain_tests::workflows::tools;
use serde_json::json;

use super::steps::{TIMED_OUT, a_few, append_after, component, ends_at, refuse};

/// The last event before the fact.
const BEFORE: &str = "(i64.sub (local.get $last) (i64.extend_i32_u (local.get $facts_length)))";

/// An engine whose library has a guest that takes each step like this, and the guest's
/// digest. New executions have the built-in guest.
async fn knowing_hostile(place: &Place, step: &str) -> (Engine, String) {
    let guest = component(step, &lawful());
    let digest = refrain::log::digest::digest(&guest);
    let sandbox = Sandbox::new(CallLimits::default()).expect("wasmtime runs here");
    let mut library = Library::new(sandbox);
    library.add(guest).expect("it is a component");
    let engine = Engine::builder()
        .boxed_store(place.store())
        .library(library)
        .start()
        .await
        .expect("the engine starts");
    (engine, digest)
}

#[tokio::test(flavor = "multi_thread")]
async fn law10_who_does_not_take_an_execution_leaves_it_as_it_was() {
    let refuses = format!("{} {}", refuse(&[0]), ends_at(BEFORE));
    let decides_besides = format!(
        "{TIMED_OUT} {} {} {}",
        append_after(BEFORE),
        refuse(&[0]),
        ends_at(&format!("(i64.add {BEFORE} (i64.const 1))"))
    );
    let table = [
        ("unreachable", "guest_failed"),
        ("(loop (br 0)) unreachable", "guest_failed"),
        (refuses.as_str(), "refused"),
        (decides_besides.as_str(), "refused"),
    ];
    for (step, code) in table {
        for place in Place::each() {
            let (engine, digest) = knowing_hostile(&place, step).await;
            let execution = start(&engine, &tools("a -> b")).await;
            let before = execution.record().await.expect("a record");
            let answer = execution.upgrade(&digest).await;
            let error = answer.expect_err(step);
            assert_eq!(error.code(), code, "{step}: {error}");
            let named = matches!(&error, EngineError::Guest { digest: it, .. } if *it == digest);
            assert_eq!(named, code == "guest_failed", "{step}: {error}");
            let after = execution.record().await.expect("a record");
            assert_eq!(after, before, "{step}");
            let kept = place.store().component(&digest).expect("a store");
            assert_eq!(kept, None, "{step}: no log names it");

            engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
            let ended = execution.finished().await.expect("it ends");
            assert_eq!(ended.status, Status::Completed, "{step}");
            let log = log(&execution).await;
            assert!(!log.iter().any(|name| name == "guest_changed"), "{log:?}");
            engine.shutdown().await;
            audit_all(&place, step);
        }
    }
}

/// A fork that a guest is to begin, and that it does not begin: there is none.
#[tokio::test(flavor = "multi_thread")]
async fn law11_who_does_not_begin_a_fork_leaves_nothing_behind() {
    let refuses = format!("{} {}", refuse(&[0]), ends_at(BEFORE));
    let later = |then: &str| {
        format!("(if (i64.gt_u (local.get $last) (i64.const 1)) (then {then})) {TAKE_ALL}")
    };
    let refuses_first = format!("{refuses} (drop)");
    let takes_all = format!("{} (drop)", ends_at("(local.get $last)"));
    let refuses_the_fork = format!(
        "(if (i64.gt_u (local.get $last) (i64.const 1)) (then {refuses_first}))
        (if (i64.le_u (local.get $last) (i64.const 1)) (then {takes_all}))
        (i32.const 1024)"
    );
    let table = [
        ("unreachable".to_owned(), 1),
        ("(loop (br 0)) unreachable".to_owned(), 1),
        (refuses, 1),
        (later("unreachable"), 1),
        (later("(loop (br 0)) unreachable"), 1),
        (refuses_the_fork, 1),
        // It takes everything, and decides nothing: event 2 is not its own.
        (TAKE_ALL.to_owned(), 2),
    ];
    for (step, at) in table {
        for place in Place::each() {
            let (engine, digest) = knowing_hostile(&place, &step).await;
            let origin = start(&engine, &tools("a -> b")).await;
            let before = origin.record().await.expect("a record");
            let fork = Fork::of(origin.id()).at(at).guest(&digest).by("ada");
            let error = engine.fork(fork).await.map(|it| it.common);
            let error = error.expect_err(&step);
            assert!(
                matches!(error.code(), "guest_failed" | "not_forked"),
                "{step}: {error}"
            );
            assert_eq!(origin.record().await.expect("a record"), before, "{step}");
            let all = engine.list(a_few()).await.expect("a list");
            assert_eq!(all.found.len(), 1, "{step}: there is no fork");
            let kept = place.store().component(&digest).expect("a store");
            assert_eq!(kept, None, "{step}: no log names it");

            engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
            let ended = origin.finished().await.expect("it ends");
            assert_eq!(ended.status, Status::Completed, "{step}");
            engine.shutdown().await;
            audit_all(&place, &step);
        }
    }
}
