//! Files of programs from before the first release: their logs are of another
//! format. They are refused by all, and left as they are.

use std::fs;

use refrain::store::{SqliteStore, StoreError};
use rusqlite::Connection;

use super::ground::{DATABASE, Ground, is_documented};

#[test]
fn files_with_logs_of_another_format_are_refused_and_left_as_they_are() {
    for version in 1..7 {
        let ground = Ground::new();
        let file = Connection::open(ground.file(DATABASE)).expect("a database");
        file.execute_batch(&format!("PRAGMA user_version = {version}"))
            .expect("it is marked");
        drop(file);
        let before = fs::read(ground.file(DATABASE)).expect("a file");
        for words in [
            &["list"][..],
            &["audit", "--all"],
            &["export", ground.ended()],
            &["resume"],
            &["run", "steps.json"],
        ] {
            ground.types(words).is_refused("of another format");
        }
        let error = SqliteStore::open(ground.file(DATABASE)).expect_err("it is too old");
        assert!(matches!(error, StoreError::Older { .. }), "{error}");
        let after = fs::read(ground.file(DATABASE)).expect("a file");
        // Only SQLite's own change counters may differ.
        assert!(after[100..] == before[100..], "schema {version}");
    }
    is_documented("of another format");
}
