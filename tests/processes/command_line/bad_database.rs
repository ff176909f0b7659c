//! Databases that a command cannot use: an error that names them, and they are left
//! as they are.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;

use crate::command_line::desk::{Desk, chain, command};

#[test]
fn a_folder_is_no_database() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    for words in [&["list"][..], &["audit", "--all"], &["run", "w.json"]] {
        let said = desk.types(&[words, &["--db", "."]].concat());
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        let what = "error: . is not a Refrain database: it is a folder; name a file in it";
        assert!(said.err.starts_with(what), "{words:?}: {said:?}");
    }
    assert_eq!(desk.files(), ["w.json"]);
}

#[test]
fn databases_that_cannot_be_used_are_named() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let original = fs::read(desk.path().join("refrain.db")).expect("the database");

    let mut torn = original.clone();
    torn.truncate(original.len() / 2);
    let foreign = |sql: &str| {
        let path = desk.file("foreign.db", []);
        Connection::open(&path)
            .and_then(|db| db.execute_batch(sql))
            .expect("it is made");
        fs::read(path).expect("it is there")
    };
    for (content, place) in [
        (b"what is this".to_vec(), "not a Refrain database"),
        (torn, "damaged"),
        (foreign("CREATE TABLE t (x)"), "not a Refrain database"),
        (
            foreign(
                "PRAGMA application_id = 1380340302; PRAGMA user_version = 99; CREATE TABLE t (x)",
            ),
            "use a newer Refrain",
        ),
    ] {
        desk.file("bad.db", &content);
        for words in [&["list"][..], &["audit", "--all"], &["run", "w.json"]] {
            let words = [words, &["--db", "bad.db"]].concat();
            let said = desk.types(&words);
            assert_eq!(
                (said.code, said.out.as_str()),
                (Some(2), ""),
                "{place} {words:?}: {said:?}"
            );
            assert!(
                said.err.contains("bad.db") && said.err.contains(place),
                "{place} {words:?}: {said:?}"
            );
            assert_eq!(
                fs::read(desk.path().join("bad.db")).expect("it is there"),
                content,
                "{place}: it is left as it is"
            );
        }
    }
}

#[test]
fn a_database_that_is_locked_or_read_only_is_named() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let path = desk.path().join("refrain.db");

    let db = Connection::open(&path).expect("it opens");
    db.execute_batch("BEGIN IMMEDIATE").expect("it is locked");
    assert_eq!(
        desk.types(&["list"]).code,
        Some(0),
        "reading waits for no writer"
    );
    let said = desk.types(&["run", "w.json"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("locked by another process"), "{said:?}");
    drop(db);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("it is ours");
    // Who may do everything is not stopped by permissions.
    if fs::OpenOptions::new().write(true).open(&path).is_err() {
        let said = desk.types(&["run", "w.json"]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("cannot be written"), "{said:?}");
    }
}
