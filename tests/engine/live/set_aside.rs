//! Logs and rows that somebody else has changed: each is named and set aside,
//! the others go on, and what is mended goes on too.

use std::time::Duration;

use refrain::model::Status;
use refrain::replay::Auditor;
use refrain::store::{ListFilter, StoreError};
use refrain::{Approval, Engine, EngineError, ExecutionId, ManualClock, Next, Workflow};
use refrain_tests::engines::{BEGIN, Place, engine, log, start, wait_for};
use rusqlite::Connection;
use serde_json::json;

/// A workflow that waits for a person, and then has work for `tool`.
fn asks() -> serde_json::Value {
    json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "gate",
        "nodes": {
            "gate": {"kind": {"type": "human_approval", "description": "may it?"}},
            "after": {"kind": {"type": "tool", "tool_ref": "t"}},
        },
        "edges": [{"from": "gate", "to": "after"}],
    })
}

fn database(place: &Place) -> Connection {
    let Place::File(folder) = place else {
        panic!("only a file can be changed by hand");
    };
    Connection::open(folder.path().join("refrain.db")).expect("the database opens")
}

/// What an audit names of it: where, if anything.
fn audited(place: &Place, id: ExecutionId) -> Option<u64> {
    let sandbox = refrain::guest::Sandbox::new(refrain::guest::CallLimits::default());
    let mut library = refrain::guest::Library::new(sandbox.expect("a sandbox"));
    let audit = Auditor::new(&mut library).audit_stored(place.store().as_mut(), id);
    let audit = audit.expect("it can be audited").expect("it is there");
    audit.divergence.map(|divergence| divergence.sequence)
}

async fn waiting(place: &Place) -> ExecutionId {
    let first = engine(place).await;
    let execution = start(&first, &asks()).await;
    wait_for(&execution, "interrupt_raised gate", 1).await;
    let id = execution.id();
    first.shutdown().await;
    id
}

async fn another_ends(engine: &Engine) {
    let other = engine.start("w", "1.0.0", json!({})).await;
    let other = other.expect("it is not held up");
    wait_for(&other, "interrupt_raised gate", 1).await;
    let approved = other.approve("gate", Approval::approved("ada")).await;
    approved.expect("it waits for that");
    let end = other.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
}

#[tokio::test]
async fn law4_what_is_not_what_was_written_is_set_aside_until_it_is_mended() {
    for damage in [
        "UPDATE events SET plain = CAST(plain || x'00' AS BLOB) WHERE sequence = 2",
        "UPDATE events SET erasable = CAST(erasable || x'00' AS BLOB) WHERE sequence = 2",
        "UPDATE events SET salt = zeroblob(16) WHERE sequence = 2",
        "UPDATE events SET plain = x'00' WHERE sequence = 2",
        "UPDATE events SET hash = zeroblob(32) WHERE sequence = 2",
        "UPDATE events SET hash = x'00' WHERE sequence = 1",
        "DELETE FROM events WHERE sequence = 1",
        "DELETE FROM events WHERE sequence = 2",
        "UPDATE executions SET last_hash = zeroblob(32)",
    ] {
        let place = Place::file();
        let id = waiting(&place).await;
        let file = database(&place);
        file.execute_batch(
            "CREATE TABLE kept_events AS SELECT * FROM events;
             CREATE TABLE kept_heads AS SELECT key, last_hash FROM executions;",
        )
        .expect("a copy");
        let events = audited_length(&place, id);
        assert!(file.execute(damage, []).expect("it is done") > 0);

        let second = engine(&place).await;
        second.work("tool", |_| async move { Ok(json!({})) });
        let set_aside = second.execution(id);
        let answer = set_aside.approve("gate", Approval::approved("ada")).await;
        let Err(EngineError::Store(error)) = answer else {
            panic!("{damage}: {answer:?}");
        };
        let StoreError::Tampered { sequence, .. } = *error else {
            panic!("{damage}: {error}");
        };
        assert_eq!(audited(&place, id), Some(sequence), "{damage}");
        let record = set_aside.record().await.expect("a record");
        let marked = record.tampering.expect("it is marked");
        assert_eq!(marked.sequence, sequence, "{damage}");
        assert_eq!(
            record.head.sequence, events,
            "{damage}: nothing is appended"
        );
        another_ends(&second).await;
        // Still broken: the mark stays.
        assert!(set_aside.check_anew().await.is_err(), "{damage}");

        file.execute_batch(
            "DELETE FROM events WHERE execution = 1;
             INSERT INTO events SELECT * FROM kept_events;
             UPDATE executions SET last_hash = (SELECT last_hash FROM kept_heads) WHERE key = 1;",
        )
        .expect("it is mended");
        set_aside.check_anew().await.expect("it holds again");
        let approved = set_aside.approve("gate", Approval::approved("ada")).await;
        approved.expect("it goes on");
        let end = set_aside.finished().await.expect("it ends");
        assert_eq!(end.status, Status::Completed, "{damage}");
        second.shutdown().await;
        assert_eq!(audited(&place, id), None, "{damage}");
    }
}

fn audited_length(place: &Place, id: ExecutionId) -> u64 {
    let record = place.store().execution(id).expect("a store");
    record.expect("it is there").head.sequence
}

#[tokio::test]
async fn a_workflow_that_was_changed_is_named_by_those_that_began_with_it() {
    let place = Place::file();
    let id = waiting(&place).await;
    let changed = "UPDATE workflows SET text = replace(text, 'may it?', 'may he?')";
    assert_eq!(database(&place).execute(changed, []).expect("done"), 1);
    let second = engine(&place).await;
    let answer = second.execution(id);
    let answer = answer.approve("gate", Approval::approved("ada")).await;
    let error = answer.expect_err("it is not believed").to_string();
    assert!(error.contains("tampered with at event 1"), "{error}");
    assert_eq!(audited(&place, id), Some(1));
    second.shutdown().await;
}

/// More damaged ones than a worker has slots, all of them before the whole one.
#[tokio::test]
async fn rows_that_cannot_be_read_take_nobodys_place() {
    for damage in [
        "UPDATE items SET attempt = -1 WHERE execution <= 4",
        "UPDATE executions SET status = 'melted' WHERE key <= 4",
        "UPDATE executions SET last_at = -1 WHERE key <= 4",
        "UPDATE items SET held = 0, claimable_at = 0 WHERE execution <= 4",
        "UPDATE executions SET id = 'exec_' || key WHERE key <= 4",
        "DELETE FROM executions WHERE key = 5",
    ] {
        let place = Place::file();
        let first = engine(&place).await;
        let workflow = refrain_tests::workflows::tools("a");
        let mut ids = vec![start(&first, &workflow).await.id()];
        for _ in 1..6 {
            let next = first.start("w", "1.0.0", json!({})).await;
            ids.push(next.expect("it starts").id());
        }
        first.shutdown().await;
        let file = database(&place);
        file.pragma_update(None, "foreign_keys", false)
            .expect("it is told");
        assert!(file.execute(damage, []).expect("it is done") > 0);

        let second = engine(&place).await;
        second.work_with_slots("tool", 1, |_| async move { Ok(json!({})) });
        let whole = second.execution(ids[5]);
        let end = tokio::time::timeout(Duration::from_secs(20), whole.finished());
        let end = end
            .await
            .unwrap_or_else(|_| panic!("{damage}: it is held up"));
        assert_eq!(end.expect("it ends").status, Status::Completed, "{damage}");
        let new = second.start("w", "1.0.0", json!({})).await;
        let new = new.expect("others begin");
        assert_eq!(
            new.finished().await.expect("it ends").status,
            Status::Completed,
            "{damage}: {:?}",
            log(&new).await
        );
        let listed = second.list(ListFilter {
            max: 100,
            ..ListFilter::default()
        });
        let listed = listed.await.expect("a list");
        assert!(listed.found.iter().any(|record| record.id == ids[5]));
        second.shutdown().await;
    }
}

/// A turn in which a damaged one is due is written with all else that it holds: who asks
/// for something of others in it is not told of the damage.
#[test]
fn law3_what_a_turn_holds_of_others_does_not_fail_with_a_damaged_one() {
    let place = Place::file();
    let clock = ManualClock::new(BEGIN);
    let builder = Engine::builder().boxed_store(place.store());
    let (engine, mut steps) = builder.clock(clock.clone()).stepped().expect("its parts");
    let sleeps = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "first",
        "nodes": {
            "first": {"kind": {"type": "wait", "condition": "timer", "timeout_secs": 1}},
            "nap": {"kind": {"type": "wait", "condition": "timer", "timeout_secs": 3600}},
            "work": {"kind": {"type": "tool", "tool_ref": "t"}},
        },
        "edges": [{"from": "first", "to": "nap"}, {"from": "first", "to": "work"}],
    });
    let workflow = Workflow::from_json(sleeps.to_string()).expect("JSON");
    let registered = steps.until(engine.register(workflow));
    registered.expect("it is answered").expect("it is valid");
    let started = steps.until(engine.start("w", "1.0.0", json!({})));
    let damaged = started.expect("it is answered").expect("it starts").id();
    clock.advance(Duration::from_secs(2));
    assert!(matches!(steps.step(), Next::Now | Next::At(_)));
    let changed = database(&place).execute("UPDATE items SET attempt = -1", []);
    assert_eq!(changed.expect("it is done"), 1, "its work waits");

    clock.advance(Duration::from_secs(3600));
    let started = steps.until(engine.start("w", "1.0.0", json!({})));
    started.expect("it is answered").expect("it is another");
    let set_aside = steps.until(engine.set_aside()).expect("it is answered");
    let set_aside = set_aside.expect("it lives");
    assert_eq!(set_aside.keys().collect::<Vec<_>>(), [&damaged]);
}
