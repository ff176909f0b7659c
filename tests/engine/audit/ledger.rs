//! An execution on file, to be tampered with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use refrain::ExecutionId;
use refrain::guest::Library;
use refrain::log::{Head, StoredEvent, canonical, packed};
use refrain::model::Event;
use refrain::replay::{Audit, Auditor, Verdict};
use refrain::store::{Reader, SqliteStore};
use refrain_tests::binary;
use refrain_tests::chained::follow;
use refrain_tests::engines;
use rusqlite::Connection;
use tempfile::TempDir;

/// One failure with a retry, one that is for good, a choice, a skipped branch.
const WORKFLOW: &str = r#"{
    "workflow_id": "ledger", "version": "1.0.0", "start_node": "begin",
    "retry_policies": {"soon": {"max_attempts": 2, "backoff": "fixed", "initial_delay": {"secs": 0, "nanos": 1000000}}},
    "nodes": {
        "begin": {"kind": {"type": "command", "argv": ["echo", "{\"size\": 3}"]}},
        "choose": {"kind": {"type": "condition", "branches": [
            {"condition": "state.size > 2", "target": "large"}, {"condition": null, "target": "small"}]}},
        "large": {"kind": {"type": "command", "argv": ["echo", "7.50"]}},
        "small": {"kind": {"type": "command", "argv": ["echo", "1"]}},
        "fragile": {"kind": {"type": "command", "argv": ["false"]}, "retry_policy": "soon"}
    },
    "edges": [{"from": "begin", "to": "choose"}, {"from": "begin", "to": "fragile"}]
}"#;

/// A database of its own with the execution in it.
pub(crate) struct Ledger {
    _folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) id: ExecutionId,
    /// The events as they were written.
    pub(crate) events: Vec<StoredEvent>,
}

/// The database's bytes, and the execution in it: made once, copied often.
fn original() -> &'static (Vec<u8>, ExecutionId) {
    static ORIGINAL: OnceLock<(Vec<u8>, ExecutionId)> = OnceLock::new();
    ORIGINAL.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("ledger.json"), WORKFLOW).expect("a file");
        let run = binary::refrain(folder.path())
            .args(["run", "ledger.json", "--json"])
            .output()
            .expect("it starts");
        assert_eq!(run.status.code(), Some(1), "{}", binary::stderr(&run));
        let report: serde_json::Value =
            serde_json::from_slice(&run.stdout).expect("one JSON document");
        let id = report["execution_id"]
            .as_str()
            .expect("an id")
            .parse()
            .expect("an id");
        let path = folder.path().join("refrain.db");
        let checkpoint =
            |db: Connection| db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Connection::open(&path)
            .and_then(checkpoint)
            .expect("one file");
        (fs::read(&path).expect("the file"), id)
    })
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let (bytes, id) = original();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("refrain.db");
        fs::write(&path, bytes).expect("a file");
        let events = SqliteStore::open_read_only(&path)
            .and_then(|mut store| store.events(*id, 1, 1000))
            .expect("events");
        Self {
            _folder: folder,
            path,
            id: *id,
            events,
        }
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> u64 {
        self.events.len() as u64
    }

    /// The sequence of the first event of this kind about this node.
    pub(crate) fn sequence(&self, kind: &str, node: Option<&str>) -> u64 {
        let json = |event: &Event| refrain::log::json::write_event(event);
        let about =
            |text: &str| node.is_none_or(|node| text.contains(&format!("\"node_id\":\"{node}\"")));
        let named = |stored: &&StoredEvent| {
            let text = json(&stored.event);
            text.contains(&format!("\"type\":\"{kind}\"")) && about(&text)
        };
        self.events
            .iter()
            .find(named)
            .map(|stored| stored.event.sequence)
            .expect("there is such an event")
    }

    pub(crate) fn connection(&self) -> Connection {
        let connection = Connection::open(&self.path).expect("the database opens");
        // What is tampered with need not survive a power cut.
        connection
            .pragma_update(None, "synchronous", "OFF")
            .expect("it is told");
        connection
    }

    /// Do this to the database, behind everyone's back.
    pub(crate) fn sql(&self, sql: &str) {
        self.connection()
            .execute_batch(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Write another log, with a chain that is right for it.
    pub(crate) fn rewrite(&self, events: impl IntoIterator<Item = Event>) {
        let db = self.connection();
        db.execute("DELETE FROM events", []).expect("they go");
        let mut head = Head::default();
        let mut last_at = 0;
        for event in events {
            let bytes = canonical::write(&event);
            let stored = follow(&head, event);
            db.execute(
                "INSERT INTO events SELECT key, ?1, ?2, ?3, ?4, ?5 FROM executions",
                (
                    stored.event.sequence as i64,
                    packed::pack(&bytes.plain),
                    packed::pack(&bytes.erasable),
                    stored.salt,
                    stored.hash,
                ),
            )
            .expect("they come");
            (head, last_at) = (stored.head(), stored.event.at);
        }
        let record = (head.sequence as i64, head.hash, last_at as i64);
        db.execute(
            "UPDATE executions SET last_sequence = ?1, last_hash = ?2, last_at = ?3",
            record,
        )
        .expect("the record follows");
    }

    /// The events, without their hashes.
    pub(crate) fn plain_events(&self) -> Vec<Event> {
        self.events
            .iter()
            .map(|stored| stored.event.clone())
            .collect()
    }

    /// The database as the audit opens it.
    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open_read_only(&self.path).expect("the database opens")
    }

    pub(crate) fn audit(&self) -> Audit {
        self.audit_with(&mut self.store())
    }

    pub(crate) fn audit_with(&self, store: &mut SqliteStore) -> Audit {
        let audit = Auditor::new(&mut library()).audit_stored(store, self.id);
        audit
            .expect("it can be audited")
            .expect("the execution is there")
    }
}

/// One library for all: compiling a component takes a while.
pub(crate) fn library() -> MutexGuard<'static, Library> {
    static LIBRARY: OnceLock<Mutex<Library>> = OnceLock::new();
    let new = || Mutex::new(engines::library());
    LIBRARY
        .get_or_init(new)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// The verdict and the sequence, for tables.
pub(crate) fn concluded(audit: &Audit) -> (Verdict, Option<u64>) {
    (
        audit.verdict,
        audit
            .divergence
            .as_ref()
            .map(|divergence| divergence.sequence),
    )
}

/// What the command line says: its exit code and its document.
pub(crate) fn command_line(folder: &Path, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let output = binary::refrain(folder)
        .arg("audit")
        .args(arguments)
        .arg("--json")
        .output()
        .expect("it starts");
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", binary::stderr(&output)));
    (output.status.code(), document)
}
