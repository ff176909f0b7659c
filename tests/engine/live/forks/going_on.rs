//! A fork goes on from where its origin stood: what was in flight, open or stalled there.

use std::sync::atomic::Ordering;

use refrain::model::{EventKind, Status};
use refrain::{Approval, EngineError, Fork};
use refrain_tests::engines::{Place, audit_all, engine, log, start, wait_for};
use refrain_tests::workflows::tools;
use serde_json::json;

use super::{are_linked, audit, chain, events, workers};

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
