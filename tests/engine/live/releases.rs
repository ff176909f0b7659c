//! Workers that shut down give their work back (rule R25).

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use refrain::limits::{RELEASES_MAX, TurnLimits};
use refrain::model::{EventKind, Status};
use refrain::store::{ItemRecord, ItemState};
use refrain::{Claim, ClaimId, Engine, EngineError, Next, Receipt, WorkError};
use refrain_tests::engines::{
    Place, as_time_passes, audit_all, log, manual_engine, start, wait_for,
};
use refrain_tests::workflows::{single, tool, tools};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::scene::{Scene, side_by_side};

async fn claim(engine: &Engine) -> Claim {
    let claims = engine.claim("tool", 1, "outside").await;
    let claim = claims.expect("a queue").pop();
    claim.expect("an item waits, and may be claimed")
}

fn is_stale(answer: &Result<Receipt, EngineError>) -> bool {
    matches!(answer, Err(EngineError::Stale { .. }))
}

/// A node with one attempt.
fn once() -> Value {
    single(json!({ "kind": tool()["kind"], "retry_policy": "no_retry" }))
}

#[tokio::test]
async fn r25_work_that_is_given_back_waits_at_once_and_spends_no_attempt() {
    for place in Place::each() {
        let (engine, _) = manual_engine(&place).await;
        let execution = start(&engine, &once()).await;
        let first = claim(&engine).await;
        let given_back = engine.release(first.id.clone(), Some("ada")).await;
        assert_eq!(given_back.expect("it holds"), Receipt::Recorded);
        let second = claim(&engine).await;
        assert_eq!((second.id.attempt, &second.item), (1, &first.item));
        assert!(second.id.fence > first.id.fence);
        let late = engine.complete(first.id.clone(), json!({})).await;
        assert!(is_stale(&late), "{late:?}");
        let told = late.expect_err("it is stale").to_string();
        assert!(told.contains("event 4 gave it back"), "{told}");
        let done = engine.complete(second.id, json!({})).await;
        assert_eq!(done.expect("it holds"), Receipt::Recorded);
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed);
        let events = execution.events(1, 100).await.expect("a log");
        let by = events.iter().find_map(|stored| match &stored.event.kind {
            EventKind::NodeReleased(it) => it.by.clone(),
            _ => None,
        });
        assert_eq!(by.as_deref(), Some("ada"));
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn law7_r25_a_repeated_release_is_already_recorded_and_a_late_one_stale() {
    for place in Place::each() {
        let (engine, _) = manual_engine(&place).await;
        let execution = start(&engine, &tools("a -> b")).await;
        let first = claim(&engine).await.id;
        let release = |claim: &ClaimId| engine.release(claim.clone(), None);
        assert_eq!(release(&first).await.expect("it holds"), Receipt::Recorded);
        let before = log(&execution).await;
        // The one who repeats it need not be the one who said it first.
        let again = engine.release(first.clone(), Some("another")).await;
        assert_eq!(again.expect("as before"), Receipt::AlreadyRecorded);
        let mut foreign = first.clone();
        foreign.fence += 1;
        let stale = release(&foreign).await;
        assert!(is_stale(&stale), "{stale:?}");
        assert_eq!(
            log(&execution).await,
            before,
            "nothing of it entered the log"
        );
        let second = claim(&engine).await.id;
        let again = release(&first).await;
        assert_eq!(again.expect("as before"), Receipt::AlreadyRecorded);
        let done = engine.complete(second.clone(), json!({})).await;
        assert_eq!(done.expect("the other holds it"), Receipt::Recorded);
        let late = release(&second).await;
        assert!(is_stale(&late), "{late:?}");
        let late = engine.fail(first, WorkError::retryable("late")).await;
        assert!(is_stale(&late), "{late:?}");
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

/// What the queue keeps of it is what the audit counts in the log.
#[tokio::test]
async fn r25_the_eleventh_release_of_an_attempt_is_an_expired_lease() {
    for place in Place::each() {
        let (engine, clock) = manual_engine(&place).await;
        let mut workflow = single(json!({ "kind": tool()["kind"], "retry_policy": "two" }));
        workflow["retry_policies"] = json!({ "two": { "max_attempts": 2 } });
        let execution = start(&engine, &workflow).await;
        for attempt in 1..=2 {
            for _ in 0..=RELEASES_MAX {
                let held = claim(&engine).await.id;
                assert_eq!(held.attempt, attempt);
                let given_back = engine.release(held, None).await;
                assert_eq!(given_back.expect("it holds"), Receipt::Recorded);
                audit_all(&place, "");
            }
            clock.advance(Duration::from_secs(2));
        }
        let end = execution.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Failed);
        let told = format!("{:?}", execution.events(1, 100).await.expect("a log"));
        assert!(told.contains("attempts: 2, cause: LeaseExpired"), "{told}");
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

/// While an execution is paused its next attempt may not be ordered: what is left is a
/// dead letter, and no item that could be claimed.
#[tokio::test]
async fn r25_r18_what_is_given_back_too_often_while_paused_is_a_dead_letter() {
    for place in Place::each() {
        let (engine, _) = manual_engine(&place).await;
        let execution = start(&engine, &single(tool())).await;
        for _ in 0..RELEASES_MAX {
            let held = claim(&engine).await.id;
            engine.release(held, None).await.expect("it holds");
        }
        let held = claim(&engine).await.id;
        execution.pause(None).await.expect("it runs");
        engine.release(held, None).await.expect("it holds");
        let items = execution.items().await.expect("a queue").found;
        assert!(!items[0].is_unsettled(), "{items:?}");
        audit_all(&place, "");
        execution.unpause(None).await.expect("it is paused");
        wait_for(&execution, "retry_scheduled a", 1).await;
        engine.shutdown().await;
        audit_all(&place, "");
    }
}

/// The next engine claims the same attempt at once.
#[tokio::test]
async fn r25_an_engine_that_stops_gives_back_what_its_workers_have() {
    for place in Place::each() {
        let (engine, _) = manual_engine(&place).await;
        engine.work("tool", |_| std::future::pending::<Result<Value, _>>());
        let execution = start(&engine, &tools("s -> a, s -> b")).await;
        wait_for(&execution, "node_started s", 1).await;
        let id = execution.id();
        engine.stop().await;
        let (again, _) = manual_engine(&place).await;
        let execution = again.execution(id);
        let expected = [
            "workflow_started",
            "node_scheduled s",
            "node_started s",
            "node_released s",
        ];
        assert_eq!(log(&execution).await, expected);
        let held = claim(&again).await.id;
        assert_eq!(held.attempt, 1);
        again.shutdown().await;
        audit_all(&place, "");
    }
}

/// However little goes into a turn, and whatever else waits for one.
#[test]
fn r25_an_engine_that_stops_gives_all_back_in_as_many_turns_as_it_takes() {
    let little = [
        TurnLimits {
            fuel: 1,
            ..TurnLimits::default()
        },
        TurnLimits {
            facts: 1,
            ..TurnLimits::default()
        },
    ];
    for (place, turn_limits) in Place::each().into_iter().zip(little) {
        let mut scene = Scene::like(place, 16, |builder| builder.turn_limits(turn_limits));
        let ids: Vec<_> = (1..=16)
            .map(|nodes| scene.start(&side_by_side(nodes, &json!({}))).id())
            .collect();
        let claimed = |place: &Place| {
            let items = ids.iter().flat_map(|id| {
                let items = place.store().items(*id).expect("a queue");
                items.all().expect("they can be read")
            });
            let leased = |item: &ItemRecord| matches!(item.state, ItemState::Leased(_));
            items.filter(leased).count()
        };
        for _ in 0..1_000 {
            scene.steps.step();
            if claimed(&scene.place) == 16 {
                break;
            }
        }
        assert_eq!(claimed(&scene.place), 16);
        // Two who wait for the end: each of them ends the turn that is filled.
        let (first, second) = (scene.engine.clone(), scene.engine.clone());
        let (mut first, mut second) = (pin!(first.stop()), pin!(second.stop()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        scene.steps.step();
        assert!(second.as_mut().poll(&mut context).is_pending());
        let ended = (0..1_000).any(|_| scene.steps.step() == Next::Ended);
        assert!(ended, "it comes to its end");
        assert!(first.as_mut().poll(&mut context).is_ready());
        assert!(second.as_mut().poll(&mut context).is_ready());
        assert_eq!(claimed(&scene.place), 0, "all is given back");
        scene.end();
    }
}

/// A worker that never awaits cannot be stopped. Its engine does not wait for ever, and
/// gives back nothing that is still worked on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_what_does_not_end_is_not_given_back_and_keeps_no_engine_alive() {
    for place in Place::each() {
        let (engine, clock) = manual_engine(&place).await;
        let (ends, end) = std::sync::mpsc::channel::<()>();
        let end = std::sync::Mutex::new(end);
        let begun = Arc::new(Notify::new());
        let begun_at_work = Arc::clone(&begun);
        engine.work("tool", move |_| {
            begun_at_work.notify_one();
            // Until its sender is dropped.
            let told = end.lock().expect("one at a time").recv();
            async move { Ok::<_, WorkError>(json!({ "told": told.is_ok() })) }
        });
        let execution = start(&engine, &once()).await;
        // What is claimed and not begun is given back.
        begun.notified().await;
        let before = log(&execution).await;
        let stopping = tokio::spawn({
            let engine = engine.clone();
            async move { engine.stop().await }
        });
        let told = as_time_passes(&clock, Duration::from_secs(1), engine.ended()).await;
        told.expect("as it was told to");
        stopping.await.expect("no panic");
        let (again, _) = manual_engine(&place).await;
        assert_eq!(log(&again.execution(execution.id())).await, before);
        drop(ends);
        again.shutdown().await;
        audit_all(&place, "");
    }
}
