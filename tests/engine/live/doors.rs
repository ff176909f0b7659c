//! The doors of an engine: what is read waits for no turn, who follows hears of his own
//! execution only, and who is one too many is told so.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use refrain::error::Overload;
use refrain::model::Status;
use refrain::store::{CommitError, ListFilter, RawEvent, Reader, Store, StoreError, Turn};
use refrain::{Builder, Engine, EngineError, ExecutionId, WorkItem};
use refrain_tests::engines::{Place, audit_all, start, wait_for};
use refrain_tests::workflows::{single, tool};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps commits waiting while it is shut, and counts the pages of logs that further
/// readers are asked for.
#[derive(Clone, Default)]
struct Gate(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_shut: Mutex<bool>,
    opened: Condvar,
    pages: AtomicU64,
}

impl Gate {
    fn is_shut(&self) -> MutexGuard<'_, bool> {
        let is_shut = self.0.is_shut.lock();
        is_shut.unwrap_or_else(PoisonError::into_inner)
    }

    fn shut(&self) {
        *self.is_shut() = true;
    }

    fn open(&self) {
        *self.is_shut() = false;
        self.0.opened.notify_all();
    }

    fn pass(&self) {
        let is_shut = self.is_shut();
        let waited = self.0.opened.wait_while(is_shut, |is_shut| *is_shut);
        drop(waited);
    }

    fn pages(&self) -> u64 {
        self.0.pages.load(Ordering::SeqCst)
    }
}

/// A store whose commits go through a gate.
struct Gated<S: ?Sized> {
    gate: Gate,
    inner: Box<S>,
}

impl Store for Gated<dyn Store> {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        self.gate.pass();
        self.inner.commit(turn)
    }

    refrain::delegate_store!(inner: begin, rollback, purge, reopen, version, watched_file);
}

impl Reader for Gated<dyn Store> {
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let (gate, inner) = (self.gate.clone(), self.inner.reader()?);
        Ok(Box::new(Gated { gate, inner }))
    }

    refrain::delegate_store!(inner: place, is_simulated, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, changed_since, raw_events, items, item);
    refrain::delegate_store!(inner: claimable, expired, claimed_by, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot);
}

impl Reader for Gated<dyn Reader> {
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let (gate, inner) = (self.gate.clone(), self.inner.reader()?);
        Ok(Box::new(Gated { gate, inner }))
    }

    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        self.gate.0.pages.fetch_add(1, Ordering::SeqCst);
        self.inner.raw_events(id, first, max)
    }

    refrain::delegate_store!(inner: place, is_simulated, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, changed_since, items, item);
    refrain::delegate_store!(inner: claimable, expired, claimed_by, lease_holders, due, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot);
}

async fn gated(place: &Place, callers_max: usize) -> (Engine, Gate) {
    gated_like(place, |builder| {
        builder.callers_max(NonZeroUsize::new(callers_max).expect("some"))
    })
    .await
}

async fn gated_like(place: &Place, like: impl FnOnce(Builder) -> Builder) -> (Engine, Gate) {
    let gate = Gate::default();
    let store = Gated {
        gate: gate.clone(),
        inner: place.store(),
    };
    let builder = like(Engine::builder().store(store));
    (builder.start().await.expect("the engine starts"), gate)
}

#[tokio::test]
async fn what_is_read_waits_for_no_turn() {
    for place in Place::each() {
        let (engine, gate) = gated(&place, 100).await;
        let execution = start(&engine, &single(tool())).await;
        gate.shut();
        let cancelling = tokio::spawn({
            let execution = execution.clone();
            async move { execution.cancel(None).await }
        });
        let read = timeout(PATIENCE, async {
            let record = execution.record().await.expect("a record");
            assert_eq!(record.status, Status::Running);
            let events = execution.events(1, 10).await.expect("a log");
            assert_eq!(events.len() as u64, record.head.sequence);
            let items = execution.items().await.expect("items");
            assert_eq!(items.found.len(), 1);
            let listed = engine.list(ListFilter {
                max: 10,
                ..ListFilter::default()
            });
            assert_eq!(listed.await.expect("a list").found, [record]);
            engine.workflow("w", "1.0.0").await.expect("a workflow");
        });
        read.await.expect("it is read while the turn is open");
        assert!(!cancelling.is_finished(), "its turn is not written");
        gate.open();
        cancelling.await.expect("no panic").expect("it is taken");
        // What was acknowledged is read.
        let record = execution.record().await.expect("a record");
        assert_eq!(record.status, Status::Cancelled);
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn who_follows_an_execution_is_not_woken_for_others() {
    for place in Place::each() {
        let (engine, gate) = gated(&place, 100).await;
        let quiet = start(&engine, &single(tool())).await;
        let mut followed = quiet.subscribe(1);
        followed.next().await.expect("a log").expect("it goes on");
        let following = tokio::spawn(async move { followed.next().await });
        // Its first look finds nothing.
        while gate.pages() < 2 {
            tokio::task::yield_now().await;
        }
        let before = gate.pages();
        for _ in 0..20 {
            let other = engine.start("w", "1.0.0", json!({})).await;
            let other = other.expect("it starts");
            other.cancel(None).await.expect("it is cancelled");
        }
        assert_eq!(gate.pages(), before, "it looks only when it is told to");
        quiet.cancel(None).await.expect("it is cancelled");
        let events = timeout(PATIENCE, following).await.expect("it is told");
        let events = events.expect("no panic").expect("the log can be read");
        assert!(!events.expect("there are more").is_empty());
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn one_caller_too_many_is_told_so_and_own_workers_never() {
    for place in Place::each() {
        let (engine, gate) = gated(&place, 3).await;
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        engine.work("tool", {
            let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
            move |_: WorkItem| {
                let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
                async move {
                    begun.notify_one();
                    finish.notified().await;
                    Ok(json!({}))
                }
            }
        });
        let execution = start(&engine, &single(tool())).await;
        wait_for(&execution, "node_started a", 1).await;
        begun.notified().await;
        gate.shut();
        let mut waiting: Vec<_> = ["k0", "k1", "k2"]
            .map(|key| Box::pin(execution.signal(key, json!({}))))
            .into();
        let mut context = Context::from_waker(Waker::noop());
        for signal in &mut waiting {
            assert!(signal.as_mut().poll(&mut context).is_pending());
        }
        let refused = execution.record().await;
        let refused = refused.expect_err("there is no room for one more");
        assert!(
            matches!(
                refused,
                EngineError::Overloaded(Overload::Callers { waiting: 3 })
            ),
            "{refused}"
        );
        assert_eq!(refused.code(), "overloaded");
        let signal = execution.signal("k4", json!({})).await;
        assert!(matches!(signal, Err(EngineError::Overloaded { .. })));
        // The answer of its worker comes in, and is kept.
        finish.notify_one();
        gate.open();
        for signal in waiting {
            signal.await.expect("it is taken");
        }
        let finished = timeout(PATIENCE, execution.finished()).await;
        let finished = finished.expect("it ends").expect("its end can be told");
        assert_eq!(finished.status, Status::Completed);
        engine.shutdown().await;
        audit_all(&place, "after a crowd");
    }
}

#[tokio::test]
async fn callers_bring_so_much_together_and_no_more() {
    for place in Place::each() {
        let bytes_max = NonZeroUsize::new(1_000).expect("some");
        let (engine, gate) =
            gated_like(&place, |builder| builder.callers_bytes_max(bytes_max)).await;
        let execution = start(&engine, &single(tool())).await;
        let large = json!("x".repeat(498));
        gate.shut();
        let mut waiting: Vec<_> = ["k0", "k1"]
            .map(|key| Box::pin(execution.signal(key, large.clone())))
            .into();
        let mut context = Context::from_waker(Waker::noop());
        for signal in &mut waiting {
            assert!(signal.as_mut().poll(&mut context).is_pending());
        }
        let refused = execution.signal("k2", json!(1)).await;
        let refused = refused.expect_err("there is no room for one byte more");
        assert!(
            matches!(
                refused,
                EngineError::Overloaded(Overload::Bytes { waiting: 1_000 })
            ),
            "{refused}"
        );
        assert_eq!(refused.code(), "overloaded");
        // Who brings nothing is not kept out.
        execution.record().await.expect("a record");
        gate.open();
        for signal in waiting {
            signal.await.expect("it is taken");
        }
        execution.signal("k2", large).await.expect("there is room");
        engine.shutdown().await;
        audit_all(&place, "after large callers");
    }
}

/// Its readers do not keep an SQLite file from being tidied up.
#[tokio::test]
async fn an_engine_that_has_ended_has_closed_its_store() {
    let place = Place::file();
    let Place::File(folder) = &place else {
        unreachable!("it is a file");
    };
    let (engine, _) = gated(&place, 100).await;
    let execution = start(&engine, &single(tool())).await;
    for _ in 0..3 {
        let (one, other) = tokio::join!(execution.record(), execution.events(1, 10));
        one.expect("a record");
        other.expect("a log");
    }
    engine.shutdown().await;
    let read = execution.record().await;
    assert!(matches!(read, Err(EngineError::ShutDown)), "{read:?}");
    let entries = std::fs::read_dir(folder.path()).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names: Vec<_> = names.collect();
    assert_eq!(names, ["refrain.db"], "no log of changes is left");
}
