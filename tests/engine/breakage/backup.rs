//! Copies of the database: of a live one, and back in its place; and what is
//! left next to a database that was copied over.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use refrain::store::{ListFilter, Reader, SqliteStore};

use super::ground::{DATABASE, Ground};

/// How many executions there are.
fn executions(path: &Path) -> usize {
    let mut store = SqliteStore::open_read_only(path).expect("it opens");
    let all = ListFilter {
        max: 1000,
        ..ListFilter::default()
    };
    store.list(&all).expect("a list").found.len()
}

/// A `resume` that lives, and has written a turn of its own.
fn living(ground: &Ground) -> Child {
    let mut command = ground.refrain(&["run", "asks.json"]);
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let before = executions(&ground.file(DATABASE));
    while executions(&ground.file(DATABASE)) == before {
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn prepared() -> Ground {
    let ground = Ground::new();
    let asks = r#"{"workflow_id":"more","version":"1.0.0","start_node":"gate","nodes":{"gate":{"kind":{"type":"human_approval","description":"?"}}},"edges":[]}"#;
    fs::write(ground.file("asks.json"), asks).expect("a file");
    ground
}

fn path(ground: &Ground, name: &str) -> String {
    ground.file(name).display().to_string()
}

fn kill(mut child: Child) {
    child.kill().expect("it lives");
    child.wait().expect("it ends");
}

#[test]
fn law8_a_live_copy_is_whole_and_replaces_nothing() {
    let ground = prepared();
    let run = living(&ground);
    let copy = path(&ground, "copy.db");
    let said = ground.types(&["backup", &copy]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
    assert_eq!(executions(Path::new(&copy)), 4);
    // One file, which is all of it.
    assert!(!ground.file("copy.db-wal").exists());
    let audit = ground.types(&["audit", "--all", "--db", &copy]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
    let bytes = fs::read(&copy).expect("a file");
    let again = ground.types(&["backup", &copy]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.err.contains("a backup replaces nothing"), "{again:?}");
    assert!(fs::read(&copy).expect("a file") == bytes);
    kill(run);
    let left: Vec<_> = fs::read_dir(ground.file(""))
        .expect("a folder")
        .map(|entry| entry.expect("a file").file_name())
        .filter(|name| name.to_string_lossy().contains("partial"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn law8_restore_refuses_while_somebody_works_and_keeps_what_stood_there() {
    let ground = prepared();
    let copy = path(&ground, "copy.db");
    assert_eq!(ground.types(&["backup", &copy]).code, Some(0));
    let run = living(&ground);
    ground
        .types(&["restore", &copy])
        .is_refused("is locked by another process");
    // Killed, it leaves its log of changes behind.
    kill(run);
    assert!(ground.file("refrain.db-wal").exists());
    let said = ground.types(&["restore", &copy]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("refrain.db.replaced"), "{said:?}");
    assert_eq!(executions(&ground.file(DATABASE)), 3);
    assert_eq!(executions(&ground.file("refrain.db.replaced")), 4);
    ground.goes_on("a backup was restored");
}

/// What was kept from others is kept from them in its copies.
#[test]
fn copies_may_be_read_by_those_who_may_read_the_original() {
    let ground = prepared();
    let mode = |name: &str| {
        let metadata = fs::metadata(ground.file(name)).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    let set = |name: &str, mode: u32| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(ground.file(name), permissions).expect("it is there");
    };
    for (original, backup) in [(0o600, 0o644), (0o640, 0o600), (0o664, 0o600)] {
        set(DATABASE, original);
        let copy = path(&ground, "copy.db");
        assert_eq!(ground.types(&["backup", &copy]).code, Some(0));
        assert_eq!(mode("copy.db"), original);
        // Whatever has become of the copy, it gets the rights of what it replaces.
        set("copy.db", backup);
        assert_eq!(ground.types(&["restore", &copy]).code, Some(0));
        assert_eq!(mode(DATABASE), original);
        fs::remove_file(ground.file(DATABASE)).expect("it is there");
        assert_eq!(ground.types(&["restore", &copy]).code, Some(0));
        assert_eq!(mode(DATABASE), backup);
        fs::remove_file(&copy).expect("it is there");
    }
}

/// There, SQLite would take it for changes that are not yet in the database.
#[test]
fn no_copy_stands_where_a_databases_own_files_do() {
    let ground = prepared();
    for name in ["refrain.db-wal", "refrain.db-shm", "refrain.db-journal"] {
        let path = path(&ground, name);
        for words in [
            &["backup", &path][..],
            &["export", ground.ended(), "-o", &path],
        ] {
            // A reader of a database makes some of these.
            for part in ["refrain.db-wal", "refrain.db-shm"] {
                let _ = fs::remove_file(ground.file(part));
            }
            let said = ground.types(words);
            assert_eq!(said.code, Some(2), "{said:?}");
            assert!(said.err.contains("belongs to the database"), "{said:?}");
        }
    }
    ground.goes_on("nothing was written");
}

#[test]
fn only_a_refrain_database_is_restored() {
    let ground = prepared();
    let other = ground.file("other.db");
    rusqlite::Connection::open(&other)
        .and_then(|other| other.execute_batch("CREATE TABLE t (x)"))
        .expect("a database");
    let text = path(&ground, "asks.json");
    for (from, reason) in [
        (path(&ground, "other.db"), "is not a Refrain database"),
        (text, "is not a Refrain database"),
        (path(&ground, "nothing.db"), "there is no backup"),
        (path(&ground, DATABASE), "restored from itself"),
    ] {
        let said = ground.types(&["restore", &from]);
        assert_eq!(said.code, Some(2), "{from}: {said:?}");
        assert!(said.err.contains(reason), "{from}: {said:?}");
        assert!(fs::read(ground.file(DATABASE)).expect("a file") == ground.bytes());
    }
    ground.goes_on("nothing was restored");
}

/// What a plain copy of a backup is opened with: not the old log of changes.
#[test]
fn law8_an_old_log_is_not_worked_into_a_backup_that_was_copied_over() {
    let ground = prepared();
    // Of the same database, from before; and of another one.
    let other = prepared();
    let theirs = path(&other, DATABASE);
    fs::remove_file(&theirs).expect("it is there");
    let run = other.types(&["run", "steps.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let own = path(&ground, "own.db");
    assert_eq!(ground.types(&["backup", &own]).code, Some(0));
    for (backup, count) in [(own, 3), (theirs, 1)] {
        // Turns that are worked into the file, so that the log begins anew.
        assert_eq!(ground.types(&["run", "steps.json"]).code, Some(0));
        kill(living(&ground));
        fs::copy(&backup, ground.file(DATABASE)).expect("a copy");
        let listed = ground.types(&["list"]);
        assert_eq!(listed.code, Some(0), "{listed:?}");
        assert!(listed.err.contains("was not its own"), "{listed:?}");
        assert_eq!(executions(&ground.file(DATABASE)), count, "{backup}");
        let audit = ground.types(&["audit", "--all"]);
        assert_eq!(audit.code, Some(0), "{audit:?}");
    }
    assert!(ground.file("refrain.db-wal.stale-2").exists());
}

/// A copy of both files, made while nobody wrote, is whole, and stays so.
#[test]
fn law8_a_log_that_is_the_databases_own_is_worked_in() {
    let ground = prepared();
    kill(living(&ground));
    for _ in 0..3 {
        for name in ["", "-wal"] {
            let (from, to) = (format!("refrain.db{name}"), format!("pair.db{name}"));
            fs::copy(ground.file(&from), ground.file(&to)).expect("a copy");
        }
        let before = executions(&ground.file("pair.db"));
        assert_eq!(executions(&ground.file(DATABASE)), before);
        kill(living(&ground));
        assert_eq!(executions(&ground.file(DATABASE)), before + 1);
    }
    assert!(!ground.file("refrain.db-wal.stale-1").exists());
    assert!(!ground.file("pair.db-wal.stale-1").exists());
}
