//! The write-ahead log lost its end, wherever: what is left is a clean prefix
//! of what was acknowledged, whole turns of it, and the loss is named by the
//! heads that were noted elsewhere (law 4).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use refrain::guest::Library;
use refrain::id::ExecutionId;
use refrain::log::Head;
use refrain::replay::{Anchors, Auditor, Verdict};
use refrain::store::{ListFilter, Many, Reader, SqliteStore, StoredEvent};
use refrain::{Engine, Workflow};
use refrain_tests::cases;
use refrain_tests::dice::{self, Dice};
use refrain_tests::engines::library;
use serde_json::json;
use tempfile::TempDir;

use super::ground::said;

const DATABASE: &str = "refrain.db";
const WAL: &str = "refrain.db-wal";
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// A database as a crash leaves it: much of it only in the write-ahead log.
struct Crashed {
    database: Vec<u8>,
    wal: Vec<u8>,
    /// What was acknowledged.
    logs: BTreeMap<ExecutionId, Vec<StoredEvent>>,
    /// The same, as `refrain list --json` has it.
    heads: String,
}

#[test]
fn law4_a_write_ahead_log_without_its_end_is_a_clean_prefix() {
    let crashed = crashed();
    let page = usize::from(u16::from_be_bytes([
        crashed.database[16],
        crashed.database[17],
    ]));
    let frame = FRAME_HEADER + page;
    let frames = (crashed.wal.len() - WAL_HEADER) / frame;
    let mut dice = Dice::seeded(dice::seed());
    let mut cuts = vec![0, 1, WAL_HEADER];
    cuts.extend((0..=frames).map(|n| WAL_HEADER + n * frame));
    cuts.extend((0..cases(60)).map(|_| dice.below(crashed.wal.len() as u64) as usize));
    let mut found = Found::new(&crashed);
    for cut in cuts {
        found.after(&crashed.wal[..cut], &format!("cut at byte {cut}"));
    }
    // A byte that went bad is an end, too: the checksums tell.
    for _ in 0..cases(40) {
        let at = dice.below(crashed.wal.len() as u64) as usize;
        let mut wal = crashed.wal.clone();
        wal[at] ^= 1 << dice.below(8);
        found.after(&wal, &format!("byte {at} changed"));
    }
    println!(
        "{frames} frames; {} whole, {} with a loss that only the noted heads name",
        found.whole, found.lost
    );
    assert!(found.whole > 0 && found.lost > 20);
}

/// What is found in one crashed database after another.
struct Found<'a> {
    crashed: &'a Crashed,
    folder: TempDir,
    library: Library,
    anchors: Anchors,
    whole: usize,
    lost: usize,
}

impl<'a> Found<'a> {
    fn new(crashed: &'a Crashed) -> Self {
        Self {
            crashed,
            folder: tempfile::tempdir().expect("a folder"),
            library: library(),
            anchors: Anchors::read(&crashed.heads, "heads.json").expect("heads"),
            whole: 0,
            lost: 0,
        }
    }

    /// With this write-ahead log.
    fn after(&mut self, wal: &[u8], what: &str) {
        lay_down(self.folder.path(), &self.crashed.database, wal);
        let path = self.folder.path().join(DATABASE);
        let mut store = SqliteStore::open(path).unwrap_or_else(|error| panic!("{what}: {error}"));
        for (id, acknowledged) in &self.crashed.logs {
            let log = store.events(*id, 0, 10_000).expect("a log");
            assert!(
                acknowledged.starts_with(&log),
                "{what}: the log of {id} is no prefix"
            );
            self.audits(&mut store, *id, &log, acknowledged.len(), what);
        }
    }

    /// The prefix audits clean, the queue included; and with the noted heads
    /// its first missing event is named.
    fn audits(
        &mut self,
        store: &mut SqliteStore,
        id: ExecutionId,
        log: &[StoredEvent],
        acknowledged: usize,
        what: &str,
    ) {
        let plain = Auditor::new(&mut self.library).audit_stored(store, id);
        let plain = plain.unwrap_or_else(|error| panic!("{what}: {error}"));
        match plain {
            Some(plain) => {
                assert_eq!(
                    plain.verdict,
                    Verdict::Clean,
                    "{what}: {:?}",
                    plain.divergence
                );
                assert_eq!(plain.events, log.len() as u64, "{what}");
            }
            None => assert!(log.is_empty(), "{what}: {id} has events and no record"),
        }
        let anchored = Auditor::new(&mut self.library)
            .with_anchors(self.anchors.clone())
            .audit_stored(store, id)
            .unwrap_or_else(|error| panic!("{what}: {error}"))
            .expect("what was noted is missed");
        if log.len() == acknowledged {
            assert_eq!(anchored.verdict, Verdict::Clean, "{what}");
            self.whole += 1;
            return;
        }
        let divergence = anchored.divergence.expect("the loss is named");
        assert_eq!(
            (anchored.verdict, divergence.sequence),
            (Verdict::Tampered, log.len() as u64 + 1),
            "{what}: {}",
            divergence.message
        );
        self.lost += 1;
    }
}

/// The same through the program, where nobody noted anything and where
/// somebody did; and what is left goes on.
#[test]
fn law4_the_program_names_a_lost_end_by_the_noted_heads() {
    let crashed = crashed();
    let folder = tempfile::tempdir().expect("a folder");
    lay_down(
        folder.path(),
        &crashed.database,
        &crashed.wal[..crashed.wal.len() / 2],
    );
    fs::write(folder.path().join("heads.json"), &crashed.heads).expect("a file");
    let types = |words: &[&str]| said(refrain_tests::binary::refrain(folder.path()).args(words));
    let plain = types(&["audit", "--all"]);
    assert_eq!(plain.code, Some(0), "{plain:?}");
    let anchored = types(&["audit", "--all", "--anchors", "heads.json"]);
    assert_eq!(anchored.code, Some(1), "{anchored:?}");
    assert!(
        anchored.out.contains("is missing: ")
            && anchored.out.contains("its anchored head is event"),
        "{anchored:?}"
    );
    fs::write(folder.path().join("none.json"), "{}").expect("a file");
    for (file, reason) in [
        ("none.json", "it holds no heads"),
        ("gone.json", "cannot read"),
    ] {
        let refused = types(&["audit", "--all", "--anchors", file]);
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (Some(2), ""),
            "{refused:?}"
        );
        assert!(
            refused.err.contains(reason) && refused.err.contains(file),
            "{refused:?}"
        );
    }
    let resumed = types(&["resume"]);
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let audit = types(&["audit", "--all"]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
}

fn lay_down(folder: &Path, database: &[u8], wal: &[u8]) {
    // What the last one shared with others is not there after a power cut.
    let _ = fs::remove_file(folder.join("refrain.db-shm"));
    fs::write(folder.join(DATABASE), database).expect("a file");
    fs::write(folder.join(WAL), wal).expect("a file");
}

fn crashed() -> Crashed {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(work(folder.path()))
}

/// Some executions run, and while the engine still holds the files they are
/// copied: nothing of what is in the write-ahead log has gone anywhere else.
async fn work(folder: &Path) -> Crashed {
    let path = folder.join(DATABASE);
    // The schema and the component are settled, as in a database of some age.
    let settled = Engine::builder().store(SqliteStore::open(&path).expect("a database"));
    let engine = settled.start().await.expect("an engine");
    let workflow = Workflow::from_json(steps().to_string()).expect("JSON");
    engine
        .register(workflow.clone())
        .await
        .expect("it is valid");
    engine
        .start("steps", "1.0.0", json!({}))
        .await
        .expect("it starts");
    engine.shutdown().await;

    let store = SqliteStore::open(&path).expect("a database");
    let engine = Engine::builder()
        .store(store)
        .start()
        .await
        .expect("an engine");
    engine.work_commands(1);
    for number in 0..3 {
        let started = engine
            .start("steps", "1.0.0", json!({ "number": number }))
            .await;
        started
            .expect("it starts")
            .finished()
            .await
            .expect("it ends");
    }
    let listed = refrain_tests::binary::refrain(folder)
        .args(["list", "--json"])
        .output();
    let heads = refrain_tests::binary::stdout(&listed.expect("it starts"));
    let crashed = Crashed {
        database: fs::read(&path).expect("a file"),
        wal: fs::read(folder.join(WAL)).expect("a file"),
        logs: logs(&path),
        heads,
    };
    engine.shutdown().await;
    assert!(
        crashed
            .logs
            .values()
            .all(|log| heads_name(&crashed.heads, log))
    );
    crashed
}

/// The noted heads are those of these logs.
fn heads_name(heads: &str, log: &[StoredEvent]) -> bool {
    let head = log.last().map(StoredEvent::head).unwrap_or_default();
    let Head { hash, .. } = head;
    heads.contains(&refrain::log::digest::hex(&hash))
}

fn logs(path: &Path) -> BTreeMap<ExecutionId, Vec<StoredEvent>> {
    let mut store = SqliteStore::open_read_only(path).expect("a database");
    let all = ListFilter {
        max: 100,
        ..ListFilter::default()
    };
    let records = store.list(&all).and_then(Many::all).expect("a list");
    let log = |id| store.events(id, 0, 10_000).expect("a log");
    let ids: Vec<ExecutionId> = records.iter().map(|record| record.id).collect();
    ids.iter()
        .copied()
        .zip(ids.iter().copied().map(log))
        .collect()
}

fn steps() -> serde_json::Value {
    let node = |name: &str| json!({"kind": {"type": "command", "argv": ["echo", format!("{{\"{name}\": 1}}")]}});
    json!({
        "workflow_id": "steps", "version": "1.0.0", "start_node": "a",
        "nodes": {"a": node("a"), "b": node("b"), "c": node("c"), "d": node("d")},
        "edges": [
            {"from": "a", "to": "b"}, {"from": "a", "to": "c"},
            {"from": "b", "to": "d"}, {"from": "c", "to": "d"},
        ],
    })
}
