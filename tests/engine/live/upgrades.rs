//! Live executions are handed to another guest (law 10): what is under way goes on,
//! and each guest answers for its own part of the log.

use std::num::NonZeroU64;
use std::sync::LazyLock;

use refrain::guest::Library;
use refrain::model::{EventKind, RefusalCode, Status};
use refrain::replay::{Audit, Auditor, Verdict, from_store};
use refrain::store::{Head, StoreError};
use refrain::{Builder, Claim, Engine, EngineError, Execution, ExecutionId, Receipt, WorkItem};
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::engines::{self, Place, audit_all, library, log, start};
use refrain_tests::twin;
use refrain_tests::wat_guest::WatGuest;
use refrain_tests::workflows::tools;
use rusqlite::Connection;
use serde_json::{Value, json};

/// With the twin and the divergent guest besides the built-in one.
static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let mut library = library();
    twin::add(&mut library);
    library.add(divergent()).expect("it is a component");
    library
});

fn divergent() -> Vec<u8> {
    DIVERGENT.committed().expect("it is committed")
}

fn divergent_digest() -> String {
    refrain::log::digest::digest(&divergent())
}

/// An engine that has all of them at hand.
async fn engine_with(place: &Place, with: impl FnOnce(Builder) -> Builder) -> Engine {
    let builder = Engine::builder()
        .boxed_store(place.store())
        .library(LIBRARY.clone());
    with(builder).start().await.expect("the engine starts")
}

async fn claim(engine: &Engine) -> Claim {
    let claims = engine.claim("tool", 1, "worker").await;
    let mut claims = claims.expect("it can be claimed");
    claims.pop().expect("something waits")
}

async fn complete(engine: &Engine, claim: Claim) {
    let receipt = engine.complete(claim.id, json!({})).await;
    assert_eq!(receipt.expect("it counts"), Receipt::Recorded);
}

/// An engine of the built-in guest alone works on it until it has ended.
async fn to_the_end(place: &Place, id: ExecutionId) -> Execution {
    let engine = engines::engine(place).await;
    engine.work("tool", |_: WorkItem| async move { Ok(json!({})) });
    let execution = engine.execution(id);
    let ended = execution.finished().await.expect("it ends");
    assert_eq!(ended.status, Status::Completed);
    engine.shutdown().await;
    engines::engine(place).await.execution(id)
}

fn audit(place: &Place, library: &mut Library, other: Option<&str>, id: ExecutionId) -> Audit {
    let auditor = Auditor::new(library);
    let mut auditor = match other {
        Some(digest) => auditor.with_guest(digest.to_owned()),
        None => auditor,
    };
    let audit = auditor.audit_stored(place.store().as_mut(), id);
    audit.expect("it can be audited").expect("it is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn law10_a_live_execution_is_handed_to_another_guest() {
    for place in Place::each() {
        let first = engine_with(&place, |builder| builder).await;
        let execution = start(&first, &tools("a -> b, b -> c")).await;
        complete(&first, claim(&first).await).await;
        let under_way = claim(&first).await;
        let handed = execution.clone().by("ada").upgrade(twin::digest()).await;
        assert_eq!(handed.expect("it may be"), Receipt::Recorded);
        let record = execution.record().await.expect("a record");
        assert_eq!(*record.guest_digest, *twin::digest());
        let again = first.upgrade(execution.id(), twin::digest()).await;
        assert_eq!(again.expect("it is so"), Receipt::AlreadyRecorded);
        let same = execution.record().await.expect("a record");
        assert_eq!(same.head, record.head, "nothing is written twice");
        complete(&first, under_way).await;
        first.shutdown().await;

        // The next one has the other guest from the store.
        let execution = to_the_end(&place, execution.id()).await;
        assert_eq!(
            log(&execution).await,
            [
                "workflow_started",
                "node_scheduled a",
                "node_started a",
                "node_completed a",
                "node_scheduled b",
                "node_started b",
                "guest_changed",
                "node_completed b",
                "node_scheduled c",
                "node_started c",
                "node_completed c",
                "workflow_completed"
            ]
        );
        let events = execution.events(7, 1).await.expect("events");
        let EventKind::GuestChanged(changed) = &events[0].event.kind else {
            panic!("{events:?}");
        };
        assert!(changed.guest_digest == *twin::digest());
        assert_eq!(changed.by.as_deref(), Some("ada"));
        let audited = audit(&place, &mut library(), None, execution.id());
        assert_eq!(
            (audited.verdict, audited.decisions),
            (Verdict::Clean, 4),
            "{:?}",
            audited.divergence
        );
        exported_with_both(&place, execution.id());
    }
}

/// One file is all that an auditor needs.
fn exported_with_both(place: &Place, id: ExecutionId) {
    let mut store = place.store();
    let reading = from_store(store.as_mut(), id).expect("the store can be read");
    let mut recording = reading.expect("it is there").expect("it is a log");
    let missing = recording.fetch_components(store.as_mut());
    assert_eq!(missing.expect("they can be read"), Vec::<String>::new());
    assert_eq!(recording.components.len(), 2);
    let export = recording.export(Vec::new()).expect("a vector takes it");
    let audit = Auditor::new(&mut library()).audit_export(&export[..], "memory");
    let audit = audit.expect("it can be audited");
    assert_eq!(audit.verdict, Verdict::Clean, "{:?}", audit.divergence);
}

#[tokio::test(flavor = "multi_thread")]
async fn law10_who_cannot_be_handed_over_is_refused_and_nothing_changes() {
    for place in Place::each() {
        let engine = engine_with(&place, |builder| builder).await;
        let execution = start(&engine, &tools("a -> b")).await;
        let before = execution.record().await.expect("a record");
        let nobody = engine.execution(ExecutionId::from_bytes([7; 16]));
        let nobodys = "0".repeat(64);
        let table = [
            (execution.upgrade("no digest").await, "unknown_guest"),
            (execution.upgrade(&nobodys).await, "unknown_guest"),
            (nobody.upgrade(twin::digest()).await, "unknown_execution"),
            (
                execution.upgrade_at(twin::digest(), Head::default()).await,
                "head_moved",
            ),
        ];
        for (answer, code) in table {
            let error = answer.expect_err("it cannot be");
            assert_eq!(error.code(), code, "{error}");
        }
        let after = execution.record().await.expect("a record");
        assert_eq!(after, before);
        assert_eq!(
            place.store().component(twin::digest()).expect("a store"),
            None,
            "no log names it"
        );
        let handed = execution.upgrade_at(twin::digest(), after.head).await;
        assert_eq!(handed.expect("it has not gone on"), Receipt::Recorded);
        for _ in 0..2 {
            complete(&engine, claim(&engine).await).await;
        }
        let ended = execution.upgrade(engine.guest_digest()).await;
        let Err(EngineError::Refused { code, reason, .. }) = ended else {
            panic!("{ended:?}");
        };
        assert_eq!(code, RefusalCode::Ended, "{reason}");
        engine.shutdown().await;
        audit_all(&place, "refused");
    }
}

/// A guest that has failed is no longer asked, and another one goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn law9_a_stall_by_a_failing_guest_is_cured_by_another() {
    for place in Place::each() {
        let honest = engines::engine(&place).await;
        let ended = start(&honest, &tools("a -> b")).await;
        ended.cancel(None).await.expect("it lives");
        honest.shutdown().await;
        let failing = WatGuest::default().component().expect("a component");
        let failing = engine_with(&place, |builder| builder.guest(failing)).await;
        let stalled = failing.start("w", "1.0.0", json!({})).await;
        let id = stalled.expect("it begins all the same").id();
        failing.shutdown().await;

        let engine = engines::engine(&place).await;
        let execution = engine.execution(id);
        let record = execution.record().await.expect("a record");
        assert_eq!(record.status, Status::Stalled);
        let handed = execution.upgrade(engine.guest_digest()).await;
        assert_eq!(handed.expect("the other is not asked"), Receipt::Recorded);
        let record = execution.record().await.expect("a record");
        assert_eq!(record.status, Status::Stalled, "nobody has lifted that");
        execution.lift_stall(None).await.expect("it is stalled");
        engine.shutdown().await;
        let execution = to_the_end(&place, id).await;
        let log = log(&execution).await;
        assert_eq!(
            log[..4],
            [
                "workflow_started",
                "host_stalled",
                "guest_changed",
                "stall_lifted"
            ]
        );
        audit_all(&place, "cured");
    }
}

/// Two nodes at once, behind one.
fn forked() -> Value {
    let tool = json!({ "kind": { "type": "tool", "tool_ref": "t" } });
    json!({
        "workflow_id": "forked", "version": "1.0.0", "start_node": "first",
        "nodes": {
            "first": tool, "left": tool, "right": tool,
            "split": { "kind": { "type": "parallel", "branches": ["left", "right"] } },
        },
        "edges": [{ "from": "first", "to": "split" }],
    })
}

/// What it would have decided is not asked: an audit tells that.
#[tokio::test(flavor = "multi_thread")]
async fn law2_each_guest_answers_for_its_own_part_of_the_log() {
    let ours = ["node_scheduled left", "node_scheduled right"];
    let theirs = ["node_scheduled right", "node_scheduled left"];
    for (completed_before, order, verdict) in
        [(0, theirs, Verdict::Clean), (1, ours, Verdict::Divergent)]
    {
        let place = Place::memory();
        let engine = engine_with(&place, |builder| builder).await;
        let execution = start(&engine, &forked()).await;
        for _ in 0..completed_before {
            complete(&engine, claim(&engine).await).await;
        }
        let other = divergent_digest();
        let would = audit(&place, &mut LIBRARY.clone(), Some(&other), execution.id());
        assert_eq!(would.verdict, verdict, "{:?}", would.divergence);
        let handed = execution.upgrade(&other).await;
        assert_eq!(handed.expect("it lives"), Receipt::Recorded);
        for _ in completed_before..3 {
            complete(&engine, claim(&engine).await).await;
        }
        let ended = execution.finished().await.expect("it ends");
        assert_eq!(ended.status, Status::Completed);
        let log = log(&execution).await;
        let scheduled = log.iter().filter(|name| ours.contains(&name.as_str()));
        assert_eq!(scheduled.collect::<Vec<_>>(), order);
        engine.shutdown().await;
        audit_all(&place, "each asked for its own part");
    }
}

/// The former guest's snapshot is none of the other's.
#[tokio::test(flavor = "multi_thread")]
async fn law10_a_snapshot_of_the_former_guest_is_not_used() {
    for place in Place::each() {
        let (id, built_in) = upgraded_with_snapshots_after(1_000, &place).await;
        let snapshot = place.store().snapshot(id).expect("a store");
        let snapshot = snapshot.expect("it was taken before");
        assert_eq!(snapshot.guest_digest, built_in);
        let execution = to_the_end(&place, id).await;
        let record = execution.record().await.expect("a record");
        assert_eq!(*record.guest_digest, *twin::digest());
        audit_all(&place, "with a snapshot of the former guest");
    }
}

/// Else the log would be read whole, again and again, until it has grown much.
#[tokio::test(flavor = "multi_thread")]
async fn law10_what_is_handed_over_has_a_snapshot_of_its_new_guest() {
    for place in Place::each() {
        let (id, _) = upgraded_with_snapshots_after(4, &place).await;
        let snapshot = place.store().snapshot(id).expect("a store");
        let snapshot = snapshot.expect("one is taken at once");
        assert_eq!(snapshot.guest_digest, twin::digest());
        to_the_end(&place, id).await;
        audit_all(&place, "from a snapshot of its new guest");
    }
}

/// An execution has a snapshot, and is handed to the twin by an engine that takes them
/// after this many events. Answers it and its first guest.
async fn upgraded_with_snapshots_after(events: u64, place: &Place) -> (ExecutionId, String) {
    let every = |events| NonZeroU64::new(events).expect("it is not zero");
    let first = engine_with(place, |builder| builder.events_per_snapshot(every(4))).await;
    let execution = start(&first, &tools("a -> b")).await;
    complete(&first, claim(&first).await).await;
    let built_in = first.guest_digest().to_owned();
    first.shutdown().await;

    let second = engine_with(place, |builder| builder.events_per_snapshot(every(events))).await;
    let execution = second.execution(execution.id());
    let handed = execution.upgrade(twin::digest()).await;
    assert_eq!(handed.expect("it lives"), Receipt::Recorded);
    second.shutdown().await;
    (execution.id(), built_in)
}

/// Law 4: a person who changes the record alone would have the former guest decide again.
#[tokio::test(flavor = "multi_thread")]
async fn law4_a_record_that_names_another_guest_than_the_log_is_found() {
    let built_in = LIBRARY.built_in();
    for (upgraded, named, place_of_fault) in [
        (true, built_in, 6),
        (true, &*divergent_digest(), 6),
        (false, twin::digest(), 1),
    ] {
        let place = Place::file();
        let engine = engine_with(&place, |builder| builder).await;
        let execution = start(&engine, &tools("a -> b")).await;
        let id = execution.id();
        complete(&engine, claim(&engine).await).await;
        if upgraded {
            let handed = execution.upgrade(twin::digest()).await;
            assert_eq!(handed.expect("it lives"), Receipt::Recorded);
        }
        engine.shutdown().await;
        let Place::File(folder) = &place else {
            panic!("it is a file");
        };
        let file = Connection::open(folder.path().join("refrain.db")).expect("a database");
        file.execute("UPDATE executions SET guest_digest = ?1", [named])
            .expect("it is written");
        drop(file);

        let engine = engine_with(&place, |builder| builder).await;
        let answer = engine.execution(id).pause(None).await;
        let Err(EngineError::Store(error)) = answer else {
            panic!("{named}: {answer:?}");
        };
        let StoreError::Tampered {
            sequence, message, ..
        } = &*error
        else {
            panic!("{named}: {error}");
        };
        assert_eq!(*sequence, place_of_fault, "{message}");
        assert!(message.contains("names another guest"), "{message}");
        engine.shutdown().await;
        let audited = audit(&place, &mut LIBRARY.clone(), None, id);
        assert_eq!(audited.verdict, Verdict::Divergent);
    }
}

/// Law 4: the change is bound like all else.
#[tokio::test(flavor = "multi_thread")]
async fn law4_an_edited_change_of_the_guest_is_found() {
    let place = Place::memory();
    let engine = engine_with(&place, |builder| builder).await;
    let execution = start(&engine, &tools("a -> b")).await;
    let handed = execution.upgrade(twin::digest()).await;
    assert_eq!(handed.expect("it lives"), Receipt::Recorded);
    engine.shutdown().await;
    let reading = from_store(place.store().as_mut(), execution.id()).expect("a store");
    let recording = reading.expect("it is there").expect("it is a log");
    let export = recording.export(Vec::new()).expect("a vector takes it");
    let export = String::from_utf8(export).expect("it is text");
    let changed = export.replace(twin::digest(), LIBRARY.built_in());
    assert_ne!(changed, export);
    let audit = Auditor::new(&mut LIBRARY.clone()).audit_export(changed.as_bytes(), "memory");
    let audit = audit.expect("it can be audited");
    let place = audit.divergence.map(|divergence| divergence.sequence);
    assert_eq!((audit.verdict, place), (Verdict::Tampered, Some(3)));
}
