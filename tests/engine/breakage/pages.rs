//! A page of the file is damaged. Whatever page it is, nothing crashes, no
//! audit calls a damaged log clean, and executions on whole pages are as they
//! were.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::id::ExecutionId;
use refrain::replay::{AuditError, Auditor, Verdict};
use refrain::store::{SqliteStore, StoreError};
use rusqlite::Connection;

use super::ground::{DATABASE, Ground, Said, is_documented};

/// When a command is taken for one that would never end.
const NEVER: Duration = Duration::from_secs(120);

/// What damage does: the bytes of a page become others.
type Damage = fn(&mut [u8]);

const OVERWRITTEN: Damage = |page| page.fill(0xee);
/// One byte, deep within: SQLite itself does not notice.
const ONE_BYTE: Damage = |page| page[2000] ^= 1;

#[test]
fn whichever_page_is_damaged_no_damaged_log_audits_clean() {
    let ground = Ground::new();
    let size = page_size(&ground);
    let logs = logs(&ground);
    let sandbox = Sandbox::new(CallLimits::default()).expect("a sandbox");
    let mut library = Library::new(sandbox);
    let (mut harmless, mut named) = (0, 0);
    for damage in [OVERWRITTEN, ONE_BYTE] {
        for page in 0..ground.bytes().len() / size {
            let mut bytes = ground.bytes().to_vec();
            damage(&mut bytes[page * size..(page + 1) * size]);
            fs::write(ground.file(DATABASE), &bytes).expect("a file");
            let ids = logs.iter().map(|(id, _)| *id);
            let clean = audits_clean(&ground, &mut library, ids);
            for ((id, log), clean) in logs.iter().zip(clean) {
                let whole = *log == read_raw(&ground, *id);
                assert!(
                    whole || !clean,
                    "page {page}: a damaged log of {id} audits clean"
                );
                if clean { harmless += 1 } else { named += 1 }
            }
        }
    }
    println!("{harmless} logs were whole, {named} were named");
    assert!(harmless > 0 && named > 0);
}

/// The execution's events, straight from the file, or nothing.
fn read_raw(ground: &Ground, id: ExecutionId) -> Option<Vec<Vec<Vec<u8>>>> {
    let read = || {
        let connection = Connection::open(ground.file(DATABASE))?;
        let mut select = connection.prepare(
            "SELECT plain, erasable, salt, hash FROM events JOIN executions ON execution = key
             WHERE id = ?1 ORDER BY sequence",
        )?;
        let rows = select.query_map([id.to_string()], |row| {
            (0..4).map(|column| row.get(column)).collect()
        })?;
        rows.collect::<rusqlite::Result<_>>()
    };
    read().ok()
}

type Log = (ExecutionId, Option<Vec<Vec<Vec<u8>>>>);

fn logs(ground: &Ground) -> Vec<Log> {
    let [one, two] = ground.waiting();
    let ids = [one, two, ground.ended()].map(|id| id.parse().expect("an id"));
    ids.map(|id| (id, read_raw(ground, id))).to_vec()
}

/// Which of these audit clean. What does not says why.
fn audits_clean(
    ground: &Ground,
    library: &mut Library,
    ids: impl Iterator<Item = ExecutionId>,
) -> Vec<bool> {
    let mut store = match SqliteStore::open_read_only(ground.file(DATABASE)) {
        Ok(store) => store,
        Err(
            StoreError::Foreign { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Newer { .. }
            | StoreError::Older { .. }
            | StoreError::Malformed { .. }
            | StoreError::Io { .. },
        ) => {
            return ids.map(|_| false).collect();
        }
        Err(other) => panic!("{other}"),
    };
    let mut auditor = Auditor::new(library);
    let audits = ids.map(|id| match auditor.audit_stored(&mut store, id) {
        Ok(Some(audit)) => {
            let clean = audit.verdict == Verdict::Clean;
            assert_eq!(clean, audit.divergence.is_none());
            clean
        }
        // It is no longer found under its id.
        Ok(None) => false,
        Err(
            AuditError::Store(StoreError::Corrupt { .. } | StoreError::Malformed { .. })
            | AuditError::Component { .. },
        ) => false,
        Err(other) => panic!("{other}"),
    });
    audits.collect()
}

#[test]
fn a_damaged_log_stops_its_execution_only() {
    for (damage, refused) in [(OVERWRITTEN, "is damaged"), (ONE_BYTE, "tampered")] {
        let ground = Ground::new();
        let [one, two] = ground.waiting();
        let whole = damaged(&ground, input_page(&ground, b'a'), damage);
        // The other one goes on to its end.
        let approved = ground.types(&["approve", two, "gate"]);
        assert_eq!(approved.code, Some(0), "{approved:?}");
        let resumed = ground.types(&["resume", two]);
        assert_eq!(resumed.code, Some(0), "{resumed:?}");
        let audit = ground.types(&["audit", two, ground.ended()]);
        assert_eq!(audit.code, Some(0), "{audit:?}");
        // The damaged one is named, and the rest of an audit of all is done.
        let audit = ground.types(&["audit", "--all"]);
        assert_eq!(audit.code, Some(1), "{audit:?}");
        let said = format!("{}{}", audit.out, audit.err);
        assert!(said.contains(refused) && said.contains(one), "{said}");
        assert_eq!(audit.out.matches("  clean  ").count(), 2, "{audit:?}");
        let shown = ground.types(&["show", one]);
        assert!(!shown.err.contains("panicked"), "{shown:?}");

        fs::write(ground.file(DATABASE), repaired(&ground, &whole)).expect("a file");
        let approved = ground.types(&["approve", one, "gate"]);
        assert_eq!(approved.code, Some(0), "{approved:?}");
        let resumed = ground.types(&["resume", one]);
        assert_eq!(resumed.code, Some(0), "{resumed:?}");
        assert_eq!(ground.audited_clean("the page is whole again"), 3);
    }
    is_documented("is damaged");
}

#[test]
fn a_damaged_index_or_first_page_is_named() {
    let ground = Ground::new();
    let [one, _] = ground.waiting();
    let root = root_page(&ground, "executions_by_start");
    damaged(&ground, root, OVERWRITTEN);
    for words in [&["list"][..], &["resume"]] {
        let said = ground.types(words);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("is damaged"), "{said:?}");
    }
    ground
        .types(&["run", "steps.json"])
        .is_refused("is damaged");
    // What needs no index is as it was.
    for words in [["show", one], ["log", one], ["audit", one]] {
        let said = ground.types(&words);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    ground.reset();
    damaged(&ground, 0, OVERWRITTEN);
    for words in [
        &["list"][..],
        &["audit", "--all"],
        &["run", "steps.json"],
        &["resume"],
        &["approve", one, "gate"],
    ] {
        ground.types(words).is_refused("is not a Refrain database");
    }
    let mut bytes = ground.bytes().to_vec();
    bytes[..page_size(&ground)].fill(0xee);
    assert!(
        fs::read(ground.file(DATABASE)).expect("a file") == bytes,
        "it was written to"
    );
    ground.reset();
    ground.goes_on("a damaged first page");
}

/// A page of every kind of every tree: whatever is damaged, nobody waits for what
/// cannot come, and a command that cannot go on names a remedy.
#[test]
fn whichever_page_is_damaged_every_command_comes_to_its_end() {
    let ground = Ground::new();
    let pages = pages_of_all_trees(&ground);
    assert!(pages.len() > 20, "{pages:?}");
    let (mut done, mut refused) = (0, 0);
    for (tree, page) in pages {
        ground.reset();
        damaged(&ground, page, OVERWRITTEN);
        for words in [&["run", "steps.json"][..], &["resume"]] {
            let said = ends(&ground, words, &tree);
            let error = said.err.lines().any(|line| line.starts_with("error: "));
            let remedy = ["refrain restore", "is not a Refrain database"];
            match said.code {
                Some(0) => done += 1,
                Some(1) => assert!(
                    format!("{}{}", said.out, said.err).contains("is damaged"),
                    "{tree}: {said:?}"
                ),
                Some(2) => {
                    refused += 1;
                    let named = remedy.iter().any(|it| said.err.contains(it));
                    assert!(error && named, "{tree}: {said:?}");
                }
                _ => panic!("{tree}: {said:?}"),
            }
            assert!(!said.err.contains("panicked"), "{tree}: {said:?}");
            // What was a cache is not missed.
            if tree.starts_with("snapshots") {
                assert_eq!(said.code, Some(0), "{said:?}");
            }
        }
    }
    assert!(
        done > 0 && refused > 0,
        "{done} were done, {refused} refused"
    );
    is_documented("is damaged where all executions depend on it");
}

/// What is left without a backup, where nothing can be gone on with.
#[test]
fn where_nothing_can_be_gone_on_with_logs_are_listed_and_exported() {
    let ground = Ground::new();
    let [one, two] = ground.waiting();
    let ids = [one, two, ground.ended()];
    let before = ids.map(|id| ground.types(&["export", id]).out);
    let mut saved = 0;
    for (tree, page) in pages_of_all_trees(&ground) {
        ground.reset();
        damaged(&ground, page, OVERWRITTEN);
        let said = ends(&ground, &["resume"], &tree);
        if !said.err.contains("where all executions depend on it") {
            continue;
        }
        assert_eq!(said.code, Some(2), "{tree}: {said:?}");
        for remedy in ["`refrain restore ", "`refrain list ", "`refrain export "] {
            assert!(said.err.contains(remedy), "{tree}: {said:?}");
        }
        let listed = ground.types(&["list"]);
        for (id, before) in ids.iter().zip(&before) {
            let export = ground.types(&["export", id]);
            if export.code != Some(0) {
                assert!(export.err.contains("is damaged"), "{tree}: {export:?}");
                continue;
            }
            assert_eq!(export.out, *before, "{tree}");
            assert!(listed.out.contains(id), "{tree}: {listed:?}");
            saved += 1;
        }
        println!("{tree}: {saved} logs were saved so far");
    }
    assert!(saved > 0, "no log was saved");
}

/// The command's own end, which a test that hangs would never show.
fn ends(ground: &Ground, words: &[&str], tree: &str) -> Said {
    let mut command = ground.refrain(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it starts");
    let id = child.id();
    let (heard, output) = std::sync::mpsc::channel();
    std::thread::spawn(move || heard.send(child.wait_with_output()));
    let Ok(output) = output.recv_timeout(NEVER) else {
        let _ = Command::new("kill").arg("-9").arg(id.to_string()).status();
        panic!("a damaged page of {tree}: {words:?} does not come to an end");
    };
    Said::of(&output.expect("it ends"))
}

/// One page of each kind of each tree, by its name and number. Of components, of
/// which there are many pages, only the first.
fn pages_of_all_trees(ground: &Ground) -> Vec<(String, usize)> {
    let file = Connection::open(ground.file(DATABASE)).expect("a database");
    let sql = "SELECT name || ' ' || pagetype, min(pageno) FROM dbstat
        GROUP BY name, pagetype ORDER BY 2";
    let mut select = file.prepare(sql).expect("a statement");
    let rows = select.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, u32>(1)? as usize - 1))
    });
    let pages: rusqlite::Result<Vec<_>> = rows.expect("it is asked").collect();
    pages.expect("all pages")
}

/// A page before it was damaged.
struct Whole {
    page: usize,
    bytes: Vec<u8>,
}

fn damaged(ground: &Ground, page: usize, damage: Damage) -> Whole {
    let size = page_size(ground);
    let place = page * size..(page + 1) * size;
    let mut bytes = fs::read(ground.file(DATABASE)).expect("a file");
    let whole = Whole {
        page,
        bytes: bytes[place.clone()].to_vec(),
    };
    damage(&mut bytes[place]);
    fs::write(ground.file(DATABASE), bytes).expect("a file");
    whole
}

/// The file as it is now, with the page that was.
fn repaired(ground: &Ground, whole: &Whole) -> Vec<u8> {
    let mut bytes = fs::read(ground.file(DATABASE)).expect("a file");
    let start = whole.page * whole.bytes.len();
    bytes[start..start + whole.bytes.len()].copy_from_slice(&whole.bytes);
    bytes
}

/// A page that holds nothing but a part of the input made of this letter.
fn input_page(ground: &Ground, letter: u8) -> usize {
    let size = page_size(ground);
    let full = |page: &[u8]| page[4..].iter().all(|byte| *byte == letter);
    ground
        .bytes()
        .chunks(size)
        .position(full)
        .expect("the input fills pages")
}

fn root_page(ground: &Ground, name: &str) -> usize {
    let connection = Connection::open(ground.file(DATABASE)).expect("a database");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let number: u32 = connection
        .query_row(sql, [name], |row| row.get(0))
        .expect("a table or index");
    number as usize - 1
}

fn page_size(ground: &Ground) -> usize {
    usize::from(u16::from_be_bytes([ground.bytes()[16], ground.bytes()[17]]))
}
