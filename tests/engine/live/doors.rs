//! The doors of an engine: what is read waits for no turn, who follows hears of his own
//! execution only, and who is one too many is told so.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::task::{Context, Waker};

use refrain::error::Overload;
use refrain::model::Status;
use refrain::store::ListFilter;
use refrain::{EngineError, WorkItem};
use refrain_tests::engines::{Place, audit_all, start, wait_for};
use refrain_tests::workflows::{single, tool};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::gate::{PATIENCE, gated, gated_like};

#[tokio::test]
async fn what_is_read_waits_for_no_turn() {
    for place in Place::each() {
        let (engine, gate) = gated(&place, 100).await;
        let execution = start(&engine, &single(tool())).await;
        gate.commits.shut();
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
        gate.commits.open();
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
        while gate.pages_read() < 2 {
            tokio::task::yield_now().await;
        }
        let before = gate.pages_read();
        for _ in 0..20 {
            let other = engine.start("w", "1.0.0", json!({})).await;
            let other = other.expect("it starts");
            other.cancel(None).await.expect("it is cancelled");
        }
        assert_eq!(
            gate.pages_read(),
            before,
            "it looks only when it is told to"
        );
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
        gate.commits.shut();
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
        gate.commits.open();
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
        gate.commits.shut();
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
        gate.commits.open();
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
