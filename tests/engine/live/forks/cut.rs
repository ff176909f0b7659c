//! Where a log may be cut for a fork, and what is not forked.

use refrain::erase::{Eraser, erase};
use refrain::log::{Head, chain};
use refrain::replay::{LinkState, Verdict};
use refrain::{EngineError, Fork};
use refrain_tests::engines::{Place, audit_all, engine, library, log, start};
use refrain_tests::workflows::tools;
use serde_json::json;

use super::{audit, events, refused, workers};

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
    let mut library = library();
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
