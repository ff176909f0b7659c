//! An engine that is stepped by hand: no thread, no runtime, no waiting; and
//! with a seed, the same logs for ever.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use refrain::model::{EventKind, Status};
use refrain::store::{Head, ListFilter, Many};
use refrain::{
    Clock, Engine, EngineError, ManualClock, Next, Steps, WorkError, WorkItem, Workflow,
};
use refrain_tests::engines::{BEGIN, Place, audit_all};
use refrain_tests::workflows::tools;
use serde_json::json;

fn stepped(place: &Place, seed: u64) -> (Engine, Steps, ManualClock) {
    let clock = ManualClock::new(BEGIN);
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(clock.clone())
        .seed(seed);
    let (engine, steps) = builder.stepped().expect("it can be put together");
    (engine, steps, clock)
}

fn register(engine: &Engine, steps: &mut Steps, edges: &str) {
    let workflow = Workflow::from_json(tools(edges).to_string()).expect("JSON");
    let registered = steps.until(engine.register(workflow));
    registered.expect("it is answered").expect("it is valid");
}

#[test]
fn own_workers_go_on_within_the_steps() {
    for place in Place::each() {
        let (engine, mut steps, clock) = stepped(&place, 1);
        let tried = Arc::new(AtomicU32::new(0));
        engine.work("tool", move |item: WorkItem| {
            let first = tried.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if first {
                    return Err(WorkError::retryable("not yet"));
                }
                Ok(json!({ item.node_id: 1 }))
            }
        });
        register(&engine, &mut steps, "a -> b, a -> c");
        let started = steps.until(engine.start("w", "1.0.0", json!({})));
        let execution = started.expect("it is answered").expect("it starts");
        let unfinished = steps.until(execution.finished());
        assert_eq!(unfinished.map(drop), None, "a retry waits for its time");
        let Next::At(due_at) = steps.step() else {
            panic!("only time is waited for")
        };
        assert_eq!(due_at, BEGIN + 2_000, "2^1 seconds of back-off");
        clock.advance(Duration::from_millis(due_at - BEGIN));
        let finished = steps.until(execution.finished());
        let finished = finished.expect("it ends").expect("it can be read");
        assert_eq!(finished.status, Status::Completed);
        assert_eq!(finished.final_state.as_str(), r#"{"a":1,"b":1,"c":1}"#);
        assert_eq!(steps.step(), Next::WhenAsked);
        assert_eq!(steps.until(engine.shutdown()), Some(()));
        assert_eq!(steps.step(), Next::Ended);
        let late = steps.until(execution.record());
        assert!(matches!(late, Some(Err(EngineError::ShutDown))), "{late:?}");
        drop(steps);
        audit_all(&place, "stepped");
    }
}

/// Two executions are paused in the very turn in which a worker asks for an
/// item, and theirs waited for longest.
#[test]
fn r18_what_is_paused_in_a_turn_hides_no_other_work() {
    for place in Place::each() {
        let (engine, mut steps, clock) = stepped(&place, 1);
        register(&engine, &mut steps, "a");
        let mut executions = Vec::new();
        for _ in 0..3 {
            let started = steps.until(engine.start("w", "1.0.0", json!({})));
            executions.push(started.expect("it is answered").expect("it starts"));
            clock.advance(Duration::from_secs(1));
        }
        let turn = steps.until(async {
            tokio::join!(
                executions[0].pause(None),
                executions[1].pause(None),
                engine.claim("tool", 1, "outside"),
            )
        });
        let (first, second, claims) = turn.expect("it is answered");
        first.and(second).expect("both can be paused");
        let claims: Vec<_> = claims
            .expect("a queue")
            .into_iter()
            .map(|claim| claim.id.execution)
            .collect();
        assert_eq!(claims, [executions[2].id()]);
    }
}

/// A worker that is at work for four leases.
#[test]
fn a_lease_is_renewed_for_as_long_as_its_worker_is_at_work() {
    for place in Place::each() {
        let (engine, mut steps, clock) = stepped(&place, 1);
        let shown = clock.clone();
        engine.work("tool", move |_: WorkItem| {
            let shown = shown.clone();
            poll_fn(move |context| {
                if shown.monotonic() >= Duration::from_secs(40) {
                    return Poll::Ready(Ok(json!({})));
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
        });
        register(&engine, &mut steps, "a");
        let started = steps.until(engine.start("w", "1.0.0", json!({})));
        let execution = started.expect("it is answered").expect("it starts");
        for _ in 0..41 {
            steps.step();
            clock.advance(Duration::from_secs(1));
        }
        let finished = steps.until(execution.finished());
        let finished = finished.expect("it ends").expect("it can be read");
        assert_eq!(finished.status, Status::Completed);
        let log = steps.until(execution.events(1, 100));
        let log = log.expect("it is answered").expect("it can be read");
        let claims = log
            .iter()
            .filter(|stored| matches!(stored.event.kind, EventKind::NodeStarted(_)));
        assert_eq!(claims.count(), 1, "no lease ended: {log:#?}");
    }
}

/// Callers, a worker, a lease that ends, an engine that is dropped halfway
/// and another one that follows it: all heads.
fn heads(place: &Place, seed: u64) -> Vec<(String, Head)> {
    let (engine, mut steps, _) = stepped(place, seed);
    register(&engine, &mut steps, "a -> b, a -> c, b -> d, c -> d");
    for _ in 0..3 {
        let started = steps.until(engine.start("w", "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts");
    }
    let claims = steps.until(engine.claim("tool", 2, "outside"));
    let claims = claims.expect("it is answered").expect("two claims");
    assert_eq!(claims.len(), 2);
    let completed = steps.until(engine.complete(claims[0].id.clone(), json!({ "x": 1 })));
    completed.expect("it is answered").expect("it holds");
    drop(steps);
    let (engine, mut steps, clock) = stepped(place, seed + 1);
    clock.advance(Duration::from_secs(60));
    engine.work("tool", |item: WorkItem| async move {
        Ok(json!({ item.node_id: item.attempt }))
    });
    for _ in 0..10 {
        while steps.step() == Next::Now {}
        clock.advance(Duration::from_secs(10));
    }
    let all = ListFilter {
        max: 100,
        ..ListFilter::default()
    };
    let records = place
        .store()
        .list(&all)
        .and_then(Many::all)
        .expect("a list");
    assert!(records.iter().all(|it| it.status == Status::Completed));
    let head = |it: &refrain::store::ExecutionRecord| (it.id.to_string(), it.head);
    records.iter().map(head).collect()
}

#[test]
fn the_same_seed_gives_the_same_logs_on_every_store() {
    let [memory, file] = Place::each();
    let expected = heads(&memory, 17);
    assert_eq!(expected.len(), 3);
    assert_eq!(heads(&file, 17), expected);
    assert_eq!(heads(&Place::each()[0], 17), expected);
    assert_ne!(heads(&Place::each()[0], 18), expected);
}
