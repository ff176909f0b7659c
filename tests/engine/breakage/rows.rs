//! A row of the file is damaged: it is named, and all others are shown, audited
//! and gone on with.

use refrain::Engine;
use refrain::store::SqliteStore;
use rusqlite::Connection;
use tokio::runtime::Runtime;

use super::ground::{DATABASE, Ground};

#[test]
fn a_damaged_row_is_named_beside_all_others() {
    for damage in [
        "UPDATE executions SET status = 'melted' WHERE id = ?1",
        "UPDATE executions SET last_hash = x'00' WHERE id = ?1",
    ] {
        let ground = Ground::new();
        let [one, two] = ground.waiting();
        let file = Connection::open(ground.file(DATABASE)).expect("a database");
        assert_eq!(file.execute(damage, [one]).expect("it is done"), 1);
        drop(file);
        for words in [&["list"][..], &["audit", "--all"]] {
            let said = ground.types(words);
            assert_eq!(said.code, Some(1), "{said:?}");
            assert!(
                said.err.contains("is damaged") && said.err.contains(one),
                "{said:?}"
            );
            assert!(
                said.out.contains(two) && said.out.contains(ground.ended()),
                "{said:?}"
            );
        }
        let approved = ground.types(&["approve", two, "gate"]);
        assert_eq!(approved.code, Some(0), "{approved:?}");
        let resumed = ground.types(&["resume"]);
        assert_eq!(resumed.code, Some(1), "{resumed:?}");
        assert!(
            resumed.out.contains(two) && resumed.out.contains("completed"),
            "{resumed:?}"
        );
        assert!(resumed.err.contains(one), "{resumed:?}");
    }
}

#[test]
fn a_tampered_log_is_named_by_all_who_show_it() {
    let ground = Ground::new();
    let [one, two] = ground.waiting();
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    let change = "UPDATE events SET hash = zeroblob(32) WHERE sequence = 2
        AND execution = (SELECT key FROM executions WHERE id = ?1)";
    assert_eq!(file.execute(change, [one]).expect("it is done"), 1);
    drop(file);
    let approved = ground.types(&["approve", one, "gate"]);
    assert_eq!(approved.code, Some(2), "{approved:?}");
    for words in [&["list"][..], &["show", one]] {
        let said = ground.types(words);
        assert!(said.out.contains("tampered at 2"), "{said:?}");
    }
    let resumed = ground.types(&["resume", one]);
    assert_eq!(resumed.code, Some(1), "{resumed:?}");
    assert!(resumed.out.contains("tampered at 2"), "{resumed:?}");
    let audit = ground.types(&["audit", one]);
    assert_eq!(audit.code, Some(1), "{audit:?}");
    assert!(audit.out.contains("event 2 was changed"), "{audit:?}");
    let approved = ground.types(&["approve", two, "gate"]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let resumed = ground.types(&["resume"]);
    assert!(resumed.out.contains("completed"), "{resumed:?}");
    assert_eq!(resumed.code, Some(1), "{resumed:?}");
}

/// Nobody goes on with what has ended: a command that asks for its log has it held against its
/// chain.
#[test]
fn the_log_of_an_ended_execution_is_checked_by_all_who_show_it() {
    let ground = Ground::new();
    let [one, _] = ground.waiting();
    assert_eq!(ground.types(&["approve", one, "gate"]).code, Some(0));
    let resumed = ground.types(&["resume", one]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    let change = "UPDATE events SET hash = zeroblob(32) WHERE sequence = 3
        AND execution = (SELECT key FROM executions WHERE id = ?1)";
    assert_eq!(file.execute(change, [one]).expect("it is done"), 1);
    drop(file);
    let listed = ground.types(&["list"]);
    assert!(
        !listed.out.contains("tampered"),
        "no log is read: {listed:?}"
    );
    for (words, json) in [
        (&["show", one][..], "/tampered/sequence"),
        (&["log", one], "/tampered/sequence"),
        (&["explain", one, "gate"], "/tampered/sequence"),
        (&["resume", one], "/executions/0/tampered/sequence"),
    ] {
        let said = ground.types(words);
        assert_eq!(said.code, Some(1), "{words:?}: {said:?}");
        let all = format!("{}{}", said.out, said.err);
        assert!(all.contains("tampered"), "{words:?}: {said:?}");
        assert!(all.contains("event 3 was changed"), "{words:?}: {said:?}");
        let said = ground.types(&[words, &["--json"]].concat());
        assert_eq!(said.code, Some(1), "{words:?}: {said:?}");
        let mut documents = serde_json::Deserializer::from_str(&said.out).into_iter();
        let first: serde_json::Value = documents.next().expect("a document").expect("JSON");
        assert_eq!(first.pointer(json), Some(&3.into()), "{words:?}: {said:?}");
    }
    // Its mark is written by who had the right to.
    let listed = ground.types(&["list"]);
    assert!(listed.out.contains("tampered at 3"), "{listed:?}");
}

/// A record that says something else than its log is not believed: work would be
/// simulated that is to be done, or a log go on in another year.
#[test]
fn a_record_that_contradicts_its_log_is_set_aside() {
    for (change, what) in [
        ("tenant = 'other'", "tenant"),
        ("caller_key = 'other'", "key"),
        ("workflow_id = 'steps'", "workflow"),
        ("workflow_version = '2.0.0'", "version"),
        ("started_at = 9223372036854775807", "start"),
        ("last_at = last_at + 3600000", "last time"),
        ("last_at = 9223372036854775807", "last time"),
    ] {
        let ground = Ground::new();
        let [one, two] = ground.waiting();
        let file = Connection::open(ground.file(DATABASE)).expect("a database");
        let events = || {
            let count = "SELECT count(*) FROM events
                WHERE execution = (SELECT key FROM executions WHERE id = ?1)";
            let count: rusqlite::Result<i64> = file.query_row(count, [one], |row| row.get(0));
            count.expect("a number")
        };
        let before = events();
        let update = format!("UPDATE executions SET {change} WHERE id = ?1");
        assert_eq!(file.execute(&update, [one]).expect("it is done"), 1);

        let approved = ground.types(&["approve", one, "gate"]);
        assert_eq!(approved.code, Some(2), "{change}: {approved:?}");
        let named = format!("names another {what} than event");
        assert!(approved.err.contains(&named), "{change}: {approved:?}");
        for words in [&["show", one][..], &["explain", one, "gate"], &["log", one]] {
            let said = ground.types(words);
            assert!(!said.err.contains("panicked"), "{change}: {said:?}");
        }
        let approved = ground.types(&["approve", two, "gate"]);
        assert_eq!(approved.code, Some(0), "{change}: {approved:?}");
        let resumed = ground.types(&["resume"]);
        assert_eq!(resumed.code, Some(1), "{change}: {resumed:?}");
        let ended = resumed.out.contains(two) && resumed.out.contains("completed");
        assert!(ended, "{change}: {resumed:?}");
        assert_eq!(events(), before, "{change}: something was appended");
        let listed = ground.types(&["list"]);
        assert!(listed.out.contains("tampered at"), "{change}: {listed:?}");
    }
}

/// The file says of itself which executions it keeps, and event 1 of each is held against
/// that.
#[test]
fn what_is_not_of_the_file_s_kind_of_time_is_set_aside() {
    let ground = Ground::new();
    let [one, two] = ground.waiting();
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    let simulated = "PRAGMA application_id = 0x52465253";
    file.execute_batch(simulated).expect("it is done");
    for id in [one, two] {
        let approved = ground.types(&["approve", id, "gate"]);
        assert_eq!(approved.code, Some(2), "{approved:?}");
        assert!(
            approved.err.contains("event 1 is of real time"),
            "{approved:?}"
        );
    }
    let audit = ground.types(&["audit", "--all"]);
    assert_eq!(audit.code, Some(1), "{audit:?}");
    assert!(audit.out.contains("/simulated"), "{audit:?}");
    let real = "PRAGMA application_id = 0x5246524e";
    file.execute_batch(real).expect("it is undone");
    drop(file);
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(check_anew(&ground, &[one, two]));
    ground.goes_on("it is of the file's kind again");
}

/// Has what was set aside checked once more.
async fn check_anew(ground: &Ground, ids: &[&str]) {
    let store = SqliteStore::open(ground.file(DATABASE)).expect("a database");
    let engine = Engine::builder().store(store).only([]).start().await;
    let engine = engine.expect("it starts");
    for id in ids {
        let execution = engine.execution(id.parse().expect("an id"));
        execution.check_anew().await.expect("its log holds");
    }
    engine.shutdown().await;
}

#[test]
fn a_workflow_that_cannot_be_read_is_named_and_its_execution_shown() {
    let ground = Ground::new();
    let [one, _] = ground.waiting();
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    let change = "UPDATE workflows SET text = 'no JSON' WHERE workflow_id = 'asks'";
    assert_eq!(file.execute(change, []).expect("it is done"), 1);
    let shown = ground.types(&["show", one]);
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(
        shown.out.contains("the text of workflow asks 1.0.0"),
        "{shown:?}"
    );
    // A command that goes on with it finds out what that means, and says so.
    let approved = ground.types(&["approve", one, "gate"]);
    assert_eq!(approved.code, Some(2), "{approved:?}");
    let shown = ground.types(&["show", one]);
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(shown.out.contains("tampered at 1"), "{shown:?}");
}
