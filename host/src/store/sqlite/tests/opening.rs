//! What is opened, and what is refused.

use super::*;
use crate::store::laws::draft::{Draft, START, turn};

#[test]
fn a_newer_schema_is_refused() {
    let file = File::new();
    drop(file.store());
    file.raw().pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(
        file.refusal(),
        format!(
            "DB has schema version 99, and this program knows versions up to {}; use a newer Refrain",
            schema::VERSION
        )
    );
}

/// The version that the first step made, with an execution in it.
#[test]
fn an_older_schema_is_brought_up_to_date() {
    let file = File::new();
    let mut one = Draft::new(1);
    let mut store = file.store();
    store.begin().unwrap();
    store
        .commit(&turn([one.append([one.enqueue("a", 0)])]))
        .unwrap();
    drop(store);
    file.raw()
        .execute_batch(
            "DROP TABLE children;
             DROP INDEX items_claimable;
             ALTER TABLE executions DROP COLUMN priority;
             CREATE INDEX items_claimable ON items (tenant, queue, claimable_at, ordered)
                 WHERE state = 'waiting' AND held = 0;
             PRAGMA user_version = 11;",
        )
        .unwrap();
    let error = SqliteStore::open_read_only(file.path()).unwrap_err();
    assert!(error.to_string().contains("schema version 11"), "{error}");
    let mut store = file.store();
    assert_eq!(store.execution(one.id()).unwrap(), Some(one.record));
    let found = store.claimable("default", "tool", START, 9).unwrap().found;
    assert_eq!(found.len(), 1);
}

#[test]
fn another_program_s_database_is_left_alone() {
    let file = File::new();
    file.raw()
        .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        .unwrap();
    let before = std::fs::read(file.path()).unwrap();
    assert_eq!(
        file.refusal(),
        "DB is not a Refrain database: it is a SQLite database of another program (application id 0)"
    );
    file.raw().pragma_update(None, "application_id", 7).unwrap();
    assert!(file.refusal().ends_with("(application id 7)"));
    file.raw().pragma_update(None, "application_id", 0).unwrap();
    // Only SQLite's own change counters differ.
    assert_eq!(std::fs::read(file.path()).unwrap()[100..], before[100..]);
}

#[test]
fn what_is_no_database_is_refused() {
    let file = File::new();
    std::fs::write(file.path(), "{ \"id\": \"claims\" }".repeat(100)).unwrap();
    assert_eq!(
        file.refusal(),
        "DB is not a Refrain database: it is no SQLite database, or its first bytes are damaged"
    );
}

#[test]
fn a_path_that_cannot_be_is_named() {
    let file = File::new();
    let folder = file.folder.path();
    let refusal = |path: PathBuf| SqliteStore::open(path).unwrap_err().to_string();
    let missing = refusal(folder.join("no/such/refrain.db"));
    assert!(
        missing.ends_with("/no/such does not exist; create it"),
        "{missing}"
    );
    let is_folder = refusal(folder.to_path_buf());
    assert!(
        is_folder.ends_with("it is a folder; name a file in it"),
        "{is_folder}"
    );
}

#[test]
fn reading_creates_nothing() {
    let file = File::new();
    let error = SqliteStore::open_read_only(file.path()).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
    assert!(!file.path().exists());
    std::fs::write(file.path(), "").unwrap();
    let error = SqliteStore::open_read_only(file.path()).unwrap_err();
    assert!(matches!(error, StoreError::Empty { .. }), "{error}");
    assert_eq!(std::fs::read(file.path()).unwrap(), b"");
    // An empty file becomes a database by the first who writes.
    drop(file.store());
    SqliteStore::open_read_only(file.path()).unwrap();
}

#[test]
fn a_reader_sees_what_is_committed_and_writes_nothing() {
    let file = File::new();
    let mut store = file.store();
    let mut reader = SqliteStore::open_read_only(file.path()).unwrap();
    let mut one = Draft::new(1);
    store.begin().unwrap();
    store.commit(&turn([one.append([])])).unwrap();
    assert_eq!(
        reader.execution(one.id()).unwrap(),
        Some(one.record.clone())
    );
    let error = reader.begin().unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    // Also when no writer lives any more, and nothing but the one file is left.
    drop((store, reader));
    let mut reader = SqliteStore::open_read_only(file.path()).unwrap();
    assert_eq!(reader.execution(one.id()).unwrap(), Some(one.record));
}

#[test]
fn what_may_only_be_read_is_refused_for_writing() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may write everything");
        return;
    }
    let (file, folder) = (File::new(), File::new());
    drop((file.store(), folder.store()));
    set_permissions(file.path(), Permissions::from_mode(0o444)).unwrap();
    set_permissions(folder.folder.path(), Permissions::from_mode(0o555)).unwrap();
    let refusals = [file.refusal(), folder.refusal()];
    set_permissions(folder.folder.path(), Permissions::from_mode(0o755)).unwrap();
    for refusal in refusals {
        assert!(
            refusal
                .starts_with("DB cannot be written; check its permissions and those of its folder"),
            "{refusal}"
        );
    }
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let file = File::new();
    std::thread::scope(|scope| {
        for n in 1..=8 {
            let file = &file;
            scope.spawn(move || {
                let mut store = SqliteStore::open(file.path()).unwrap();
                store.begin().unwrap();
                store.commit(&turn([Draft::new(n).append([])])).unwrap();
            });
        }
    });
    assert_eq!(
        file.store()
            .list(&ListFilter {
                max: 99,
                ..ListFilter::default()
            })
            .and_then(Many::all)
            .unwrap()
            .len(),
        8
    );
}

#[test]
fn law8_commits_are_synced_unless_said_otherwise() {
    let file = File::new();
    let synchronous = |store: &SqliteStore| -> i64 {
        store
            .reader
            .database
            .connection
            .query_row("PRAGMA synchronous", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(synchronous(&file.store()), 2);
    let normal = SqliteStore::options()
        .durability(Durability::Normal)
        .open(file.path())
        .unwrap();
    assert_eq!(synchronous(&normal), 1);
    let mode: String = normal
        .reader
        .database
        .connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(
        normal.watched_file(),
        Some(file.folder.path().join("refrain.db-wal"))
    );
    assert!(normal.watched_file().is_some_and(|file| file.exists()));
}

#[test]
fn a_file_is_of_the_kind_of_time_that_it_was_created_for() {
    for simulated in [false, true] {
        let file = File::new();
        let open = |simulated| {
            let options = SqliteStore::options().simulated(simulated);
            options.open(file.path()).unwrap()
        };
        let mut store = open(simulated);
        for (n, begun) in [(1, true), (2, false)] {
            store.begin().unwrap();
            let committed = store.commit(&turn([Draft::new(n).begun(begun)]));
            assert_eq!(committed.is_ok(), begun == simulated, "{committed:?}");
        }
        let copy = file.folder.path().join("copy.db");
        SqliteStore::backup(file.path(), &copy).unwrap();
        let read = SqliteStore::open_read_only(file.path()).unwrap();
        let copied = SqliteStore::open(copy).unwrap();
        for store in [store, open(!simulated), read, copied] {
            assert_eq!(store.is_simulated(), simulated);
        }
    }
}
