//! A file of another schema, of another program, or no database at all: it is
//! named, and left as it is.

use std::fs;

use refrain::store::{SqliteStore, StoreError};
use rusqlite::Connection;

use super::ground::{DATABASE, Ground};

/// All that a person can want of it.
fn wishes(id: &str) -> [Vec<&str>; 7] {
    [
        vec!["list"],
        vec!["show", id],
        vec!["audit", "--all"],
        vec!["run", "steps.json"],
        vec!["resume"],
        vec!["approve", id, "gate"],
        vec!["signal", id, "early"],
    ]
}

#[test]
fn what_is_not_ours_is_left_as_it_is() {
    let ground = Ground::new();
    let edited = |sql: &str| {
        ground.reset();
        let connection = Connection::open(ground.file(DATABASE)).expect("a database");
        connection.execute_batch(sql).expect("it is ours to edit");
        drop(connection);
        fs::read(ground.file(DATABASE)).expect("a file")
    };
    let other = {
        let path = ground.file("other.db");
        Connection::open(&path)
            .and_then(|other| other.execute_batch("CREATE TABLE t (x)"))
            .expect("a database");
        fs::read(path).expect("a file")
    };
    let table = [
        (
            "a newer schema",
            edited("PRAGMA user_version = 99"),
            "has schema version",
        ),
        (
            "another program's database",
            other,
            "is not a Refrain database",
        ),
        (
            "a text",
            b"{\"steps\": 1}\n".repeat(500),
            "is not a Refrain database",
        ),
        (
            "a short text",
            b"nothing".to_vec(),
            "is not a Refrain database",
        ),
        ("half a database", ground.bytes()[..5000].to_vec(), ""),
    ];
    for (what, bytes, reason) in table {
        ground.reset();
        fs::write(ground.file(DATABASE), &bytes).expect("a file");
        for words in wishes(ground.waiting()[0]) {
            let said = ground.types(&words);
            if reason.is_empty() {
                // What is read of it may be whole; it is never taken for more.
                assert!(
                    said.code == Some(2) || words == ["resume"],
                    "{what}: {said:?}"
                );
            } else {
                said.is_refused(reason);
            }
        }
        let now = fs::read(ground.file(DATABASE)).expect("a file");
        assert!(now == bytes, "{what} was written to");
        ground.reset();
    }
    ground.goes_on("all of this");
}

/// Version 0 of the schema had no tables yet, and was never published; it is
/// as old as a file of ours can be.
#[test]
fn an_older_schema_is_brought_up_to_date_by_who_writes() {
    let ground = Ground::new();
    fs::remove_file(ground.file(DATABASE)).expect("a file");
    let connection = Connection::open(ground.file(DATABASE)).expect("a database");
    let sql = "PRAGMA application_id = 1380340302; PRAGMA journal_mode = WAL";
    connection.execute_batch(sql).expect("a header");
    drop(connection);
    let error = SqliteStore::open_read_only(ground.file(DATABASE)).expect_err("it is old");
    assert!(matches!(error, StoreError::Outdated { .. }), "{error}");
    let listed = ground.types(&["list"]);
    listed.is_refused("older than");
    assert!(listed.err.contains("`refrain resume"), "{listed:?}");
    // The remedy that the error names.
    let resumed = ground.types(&["resume"]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let listed = ground.types(&["list"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let run = ground.types(&["run", "steps.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(ground.audited_clean("bringing it up to date"), 1);
}

/// A file without anything in it is nobody's: who writes makes it ours.
#[test]
fn an_empty_file_becomes_a_database_by_writing() {
    let ground = Ground::new();
    fs::write(ground.file(DATABASE), "").expect("a file");
    let listed = ground.types(&["list"]);
    listed.is_refused("is empty, and nothing was stored in it yet");
    assert!(listed.err.contains("`refrain run`"), "{listed:?}");
    let listed = ground.types(&["list", "--json"]);
    assert!(listed.out.contains("\"store_empty\""), "{listed:?}");
    assert_eq!(fs::read(ground.file(DATABASE)).expect("a file"), b"");
    let run = ground.types(&["run", "steps.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(ground.audited_clean("the first run"), 1);
}
