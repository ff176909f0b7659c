//! Engines that come to their end in other ways than by being told to: every
//! caller hears of it, and claims are given up.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use refrain::store::{CommitError, Reader, Store, Timestamp, Turn};
use refrain::{ClaimRequest, Clock, Engine, EngineError, Execution, SystemClock, WorkItem};
use refrain_tests::engines::{Place, audit_all, engine, start, wait_for};
use refrain_tests::workflows::{single, tool, tools};
use serde_json::json;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the next commit or reading of the clock panics.
#[derive(Clone, Default)]
struct Fuse(Arc<AtomicBool>);

impl Fuse {
    fn light(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn burn(&self) {
        assert!(!self.0.swap(false, Ordering::SeqCst), "the fuse has burnt");
    }
}

/// A store that panics in a commit.
struct PanickingStore {
    inner: Box<dyn Store>,
    fuse: Fuse,
}

impl Store for PanickingStore {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        self.fuse.burn();
        self.inner.commit(turn)
    }

    refrain::delegate_store!(inner: begin, rollback, purge, reopen, version, watched_file);
}

impl Reader for PanickingStore {
    refrain::delegate_store!(inner: place, is_simulated, reader, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
    refrain::delegate_store!(inner: claimable, expired, dead_letters, claimed_by, waiting_queues, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}

/// A clock that panics when it is read.
struct PanickingClock {
    inner: SystemClock,
    fuse: Fuse,
}

impl Clock for PanickingClock {
    fn now(&self) -> Timestamp {
        self.fuse.burn();
        self.inner.now()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }
}

/// An engine whose store or clock panics once the fuse is lit.
async fn fragile(place: &Place, store: &Fuse, clock: &Fuse) -> Engine {
    let store = PanickingStore {
        inner: place.store(),
        fuse: store.clone(),
    };
    let clock = PanickingClock {
        inner: SystemClock::default(),
        fuse: clock.clone(),
    };
    let builder = Engine::builder().store(store).clock(clock);
    builder.start().await.expect("the engine starts")
}

fn is_death<T>(answer: Result<T, EngineError>, of: &str) -> bool {
    matches!(answer, Err(EngineError::Died(why)) if why.contains(of))
}

/// While a worker is at work and a caller waits, `break_it` makes the engine
/// die of what is named. Everyone hears of it, and another engine can go on
/// with the work at once.
async fn everyone_hears(place: &Place, engine: Engine, break_it: impl FnOnce(), of: &str) {
    engine.work("tool", |_| async move {
        std::future::pending::<()>().await;
        Ok(json!({}))
    });
    let execution = start(&engine, &single(tool())).await;
    wait_for(&execution, "node_started a", 1).await;
    let mut subscription = execution.subscribe(1);
    subscription.next().await.expect("a log");
    let waits = tokio::spawn({
        let execution = execution.clone();
        async move { execution.finished().await.map(drop) }
    });
    // What its workers give back is given to nobody here, who could not keep it.
    let outside = engine.clone();
    let request = ClaimRequest::new("outside", "request", ["tool"]).wait(PATIENCE);
    let mut outside = pin!(outside.claim_waiting(request));
    let mut context = Context::from_waker(Waker::noop());
    assert!(outside.as_mut().poll(&mut context).is_pending());
    let later = engine.claim("nothing", 1, "outside").await;
    assert!(later.expect("it lives").is_empty(), "it waits by now");
    // Asked before the engine dies: a read comes after what was asked before it.
    execution.record().await.expect("it lives");
    break_it();
    let told = tokio::time::timeout(PATIENCE, async {
        let cancel = execution.cancel(None).await;
        assert!(is_death(cancel, of), "the call that met it");
        assert!(is_death(waits.await.expect("no panic"), of), "who waited");
        assert!(is_death(outside.await, of), "who waited for work");
        assert!(
            is_death(subscription.next().await.map(drop), of),
            "who followed"
        );
        assert!(is_death(execution.record().await, of), "who comes later");
        assert!(is_death(engine.ended().await, of), "who asks for it");
        engine.shutdown().await;
        engine.stop().await;
    });
    told.await
        .expect("nobody waits for an engine that has died");
    can_go_on(place, &execution).await;
}

#[tokio::test]
async fn a_store_that_panics_ends_the_engine_and_everyone_hears_of_it() {
    for place in Place::each() {
        let fuse = Fuse::default();
        let engine = fragile(&place, &fuse, &Fuse::default()).await;
        everyone_hears(&place, engine, || fuse.light(), "the fuse has burnt").await;
    }
}

#[tokio::test]
async fn a_clock_that_panics_ends_the_engine_and_everyone_hears_of_it() {
    for place in Place::each() {
        let fuse = Fuse::default();
        let engine = fragile(&place, &Fuse::default(), &fuse).await;
        everyone_hears(&place, engine, || fuse.light(), "the fuse has burnt").await;
    }
}

#[tokio::test]
async fn an_engine_that_panics_while_it_starts_says_so() {
    let fuse = Fuse::default();
    fuse.light();
    let clock = PanickingClock {
        inner: SystemClock::default(),
        fuse,
    };
    let place = Place::file();
    let builder = Engine::builder().boxed_store(place.store()).clock(clock);
    // It may have started before its thread reads the clock: then the first
    // who asks is told.
    let told = match builder.start().await {
        Ok(engine) => engine.set_aside().await.map(drop),
        Err(error) => Err(error),
    };
    assert!(is_death(told, "the fuse has burnt"));
}

#[test]
fn a_runtime_that_is_dropped_under_its_engine_leaves_no_claim_behind() {
    for place in Place::each() {
        let (theirs, ours) = (runtime(), runtime());
        let (engine, execution) = theirs.block_on(async {
            let engine = engine(&place).await;
            engine.work("tool", |_| async move {
                std::future::pending::<()>().await;
                Ok(json!({}))
            });
            let execution = start(&engine, &single(tool())).await;
            wait_for(&execution, "node_started a", 1).await;
            (engine, execution)
        });
        drop(theirs);
        ours.block_on(async {
            let ended = tokio::time::timeout(PATIENCE, engine.ended()).await;
            let ended = ended.expect("it does not go on without its runtime");
            assert!(is_death(ended, "Tokio runtime"));
            assert!(is_death(execution.finished().await, "Tokio runtime"));
            can_go_on(&place, &execution).await;
        });
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

/// Another engine need not wait for the end of a lease.
async fn can_go_on(place: &Place, execution: &Execution) {
    let second = engine(place).await;
    let given_back = second.execution(execution.id());
    wait_for(&given_back, "node_released a", 1).await;
    let again = second.claim("tool", 1, "outside").await.expect("a queue");
    assert_eq!(again[0].id.attempt, 1, "no attempt is spent (rule R25)");
    second.shutdown().await;
    audit_all(place, "");
}

/// What is claimed for a runtime that is gone already never begins.
#[test]
fn an_engine_whose_runtime_is_gone_ends_at_its_next_claim() {
    let place = Place::file();
    let (theirs, ours) = (runtime(), runtime());
    let engine = theirs.block_on(engine(&place));
    engine.work("tool", |_| async move { Ok(json!({})) });
    drop(theirs);
    ours.block_on(async {
        let execution = start(&engine, &single(tool())).await;
        let ended = tokio::time::timeout(PATIENCE, execution.finished()).await;
        assert!(is_death(ended.expect("it ends"), "Tokio runtime"));
        can_go_on(&place, &execution).await;
    });
}

#[tokio::test]
async fn a_worker_may_end_its_own_engine() {
    for drains in [true, false] {
        let place = Place::file();
        let engine = engine(&place).await;
        let own = engine.downgrade();
        engine.work("tool", move |_: WorkItem| {
            let own = own.clone();
            async move {
                let engine = own.upgrade().expect("it is held outside");
                if drains {
                    engine.shutdown().await;
                } else {
                    engine.stop().await;
                }
                Ok(json!({ "last": true }))
            }
        });
        let execution = start(&engine, &tools("a -> b")).await;
        let ended = tokio::time::timeout(PATIENCE, engine.ended()).await;
        ended.expect("it ends").expect("as it was told to");
        let mut store = place.store();
        let last = store.execution(execution.id()).expect("a store");
        let last = last.expect("it is there").head.sequence;
        // Either a is completed and b ordered, or a is stopped and given back.
        assert_eq!(last, if drains { 5 } else { 4 });
        audit_all(&place, "");
    }
}

#[tokio::test]
async fn a_worker_that_knows_its_engine_does_not_keep_it_alive() {
    let place = Place::file();
    let engine = engine(&place).await;
    let own = engine.downgrade();
    let seen = own.clone();
    engine.work("tool", move |_: WorkItem| {
        let known = own.upgrade().is_some();
        async move { Ok(json!({ "known": known })) }
    });
    let execution = start(&engine, &single(tool())).await;
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.final_state.as_str(), r#"{"known":true}"#);
    drop((engine, execution));
    assert!(seen.upgrade().is_none());
}

/// An engine that workers hold as strongly as anyone ends when it is told to.
#[tokio::test]
async fn an_engine_that_its_workers_hold_ends_when_it_is_told_to() {
    let engine = engine(&Place::file()).await;
    let (own, seen) = (engine.clone(), engine.downgrade());
    engine.work("tool", move |_: WorkItem| {
        let digest = own.guest_digest().to_owned();
        async move { Ok(json!({ "digest": digest })) }
    });
    engine.shutdown().await;
    drop(engine);
    assert!(seen.upgrade().is_none(), "its workers are gone with it");
}
