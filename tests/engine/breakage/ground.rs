//! A database that something happens to, and the proof that it goes on
//! afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use refrain::model::{EventKind, Status};
use refrain::store::SqliteStore;
use refrain::{Engine, Workflow};
use refrain_tests::binary;
use refrain_tests::component::workspace;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::namespace::Namespace;

/// The name of the database in its folder.
pub(crate) const DATABASE: &str = "refrain.db";

/// Two executions that wait for somebody, and one that has ended. Each brings
/// an input of some pages, so that damage can be done to one alone.
pub(crate) struct Ground {
    folder: TempDir,
    /// Where the program sees another file system than the test.
    namespace: Option<Namespace>,
    pattern: &'static Pattern,
}

struct Pattern {
    bytes: Vec<u8>,
    waiting: [String; 2],
    ended: String,
    /// What `refrain export` says of the one that has ended.
    export: String,
}

/// What came back from the program.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let ground = Self::empty(None);
        ground.reset();
        ground
    }

    /// A ground on a disk of its own, which this shell script mounts on the
    /// folder `$0`; or why that cannot be on this machine.
    pub(crate) fn mounting(script: &str) -> Result<Self, String> {
        let mut ground = Self::empty(None);
        ground.namespace = Some(Namespace::mounting(script, ground.folder.path())?);
        Ok(ground)
    }

    fn empty(namespace: Option<Namespace>) -> Self {
        static PATTERN: OnceLock<Pattern> = OnceLock::new();
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            namespace,
            pattern: PATTERN.get_or_init(Pattern::new),
        }
    }

    /// Make everything as it was at first.
    pub(crate) fn reset(&self) {
        for companion in ["refrain.db-wal", "refrain.db-shm"] {
            // Mostly they are not there.
            let _ = fs::remove_file(self.file(companion));
        }
        fs::write(self.file(DATABASE), &self.pattern.bytes).expect("a file");
        fs::write(self.file("steps.json"), steps().to_string()).expect("a file");
    }

    /// A file of the ground, as the test reaches it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        match &self.namespace {
            Some(namespace) => namespace.path(&path),
            None => path,
        }
    }

    /// Mount something on the folder `$0`, for the program alone; or why that
    /// cannot be on this machine.
    pub(crate) fn mount(&mut self, script: &str) -> Result<(), String> {
        self.namespace = Some(Namespace::mounting(script, self.folder.path())?);
        Ok(())
    }

    /// Take the mount away.
    pub(crate) fn unmount(&mut self) {
        self.namespace = None;
    }

    /// The bytes of the database as it was at first.
    pub(crate) fn bytes(&self) -> &'static [u8] {
        &self.pattern.bytes
    }

    /// The executions that wait for an approval of `gate`.
    pub(crate) fn waiting(&self) -> [&str; 2] {
        [&self.pattern.waiting[0], &self.pattern.waiting[1]]
    }

    /// The execution that has ended.
    pub(crate) fn ended(&self) -> &str {
        &self.pattern.ended
    }

    /// The program, told these words. Files are named by their whole paths,
    /// because in a namespace the program is in no folder of its own.
    pub(crate) fn refrain(&self, words: &[&str]) -> Command {
        let folder = self.folder.path();
        let mut command = match &self.namespace {
            Some(namespace) => namespace.refrain(),
            None => binary::refrain(folder),
        };
        command.env("REFRAIN_DB", folder.join(DATABASE));
        command.args(words.iter().map(|word| match word.ends_with("steps.json") {
            true => folder.join(word).into_os_string(),
            false => word.into(),
        }));
        command
    }

    /// Type `refrain` and these words.
    pub(crate) fn types(&self, words: &[&str]) -> Said {
        said(&mut self.refrain(words))
    }

    /// Everything goes on: what has ended is as it was, what waits can be
    /// approved and ends, a new run ends, and all of it audits clean.
    pub(crate) fn goes_on(&self, after: &str) {
        let export = self.types(&["export", self.ended()]);
        assert_eq!(export.out, self.pattern.export, "after {after}: {export:?}");
        for id in self.waiting() {
            let approved = self.types(&["approve", id, "gate"]);
            assert_eq!(approved.code, Some(0), "after {after}: {approved:?}");
        }
        let resumed = self.types(&["resume"]);
        assert_eq!(resumed.code, Some(0), "after {after}: {resumed:?}");
        let run = self.types(&["run", "steps.json"]);
        assert_eq!(run.code, Some(0), "after {after}: {run:?}");
        let listed = self.document(&["list", "--json"]);
        let all = listed["executions"].as_array().expect("a list");
        assert!(
            all.len() >= 4 && all.iter().all(|it| it["status"] == "completed"),
            "after {after}: {listed:#}"
        );
        assert_eq!(self.audited_clean(after), all.len(), "after {after}");
    }

    /// How many executions there are, all of which audit clean.
    pub(crate) fn audited_clean(&self, after: &str) -> usize {
        let audit = self.document(&["audit", "--all", "--json"]);
        let all = audit["executions"].as_array().expect("a list");
        let clean = all.iter().all(|it| it["verdict"] == "clean");
        assert!(clean, "after {after}: {audit:#}");
        all.len()
    }

    fn document(&self, words: &[&str]) -> Value {
        let said = self.types(words);
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{words:?}: {said:?}"))
    }
}

/// Run a command to its end.
pub(crate) fn said(command: &mut Command) -> Said {
    Said::of(&command.output().expect("it starts"))
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: binary::stdout(output),
            err: binary::stderr(output),
        }
    }

    /// It could not be done, for a reason that the page on operating has: exit code 2, an
    /// error that names the file, and nothing on stdout.
    #[track_caller]
    pub(crate) fn is_refused(&self, reason: &str) {
        assert_eq!(self.code, Some(2), "{reason:?} expected: {self:?}");
        let error = self.err.lines().find(|line| line.starts_with("error: "));
        let error = error.unwrap_or_else(|| panic!("no error is said: {self:?}"));
        assert!(
            error.contains(reason) && error.contains(DATABASE),
            "{reason:?} expected: {self:?}"
        );
        assert!(!self.err.contains("panicked"), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        is_documented(reason);
    }
}

/// The page on operating tells what to do about it.
#[track_caller]
pub(crate) fn is_documented(reason: &str) {
    let page = fs::read_to_string(workspace().join("docs/operating.md")).expect("the page");
    let breaks = page.split("## When something breaks").nth(1);
    let chapter = breaks.expect("a chapter `When something breaks` in docs/operating.md");
    let chapter = chapter.split("\n## ").next().unwrap_or_default();
    assert!(
        chapter.contains(reason),
        "docs/operating.md, `When something breaks`, does not tell of {reason:?}"
    );
}

impl Pattern {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(DATABASE);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let [one, two, ended] = runtime.block_on(begun(&path));
        let export = said(binary::refrain(folder.path()).args(["export", &ended]));
        assert_eq!(export.code, Some(0), "{export:?}");
        Self {
            bytes: fs::read(&path).expect("a database"),
            waiting: [one, two],
            ended,
            export: export.out,
        }
    }
}

async fn begun(path: &Path) -> [String; 3] {
    let store = SqliteStore::open(path).expect("a database");
    let engine = Engine::builder()
        .store(store)
        .start()
        .await
        .expect("an engine");
    engine.work_commands(1);
    for workflow in [asks(), steps()] {
        let workflow = Workflow::from_json(workflow.to_string()).expect("JSON");
        engine.register(workflow).await.expect("a valid workflow");
    }
    let mut ids = Vec::new();
    for (workflow, letter) in [("asks", "a"), ("asks", "b"), ("steps", "c")] {
        let input = json!({ "text": letter.repeat(20_000) });
        let execution = engine
            .start(workflow, "1.0.0", input)
            .await
            .expect("it starts");
        ids.push(execution.id().to_string());
        let mut log = execution.subscribe(1);
        let asked = |events: &[refrain::log::StoredEvent]| {
            events
                .iter()
                .any(|it| matches!(it.event.kind, EventKind::InterruptRaised(_)))
        };
        if workflow == "asks" {
            while !asked(&log.next().await.expect("a log").expect("it waits")) {}
        } else {
            assert_eq!(
                execution.finished().await.expect("an end").status,
                Status::Completed
            );
        }
    }
    engine.shutdown().await;
    ids.try_into().expect("three of them")
}

fn asks() -> Value {
    json!({
        "workflow_id": "asks", "version": "1.0.0", "start_node": "gate",
        "nodes": {
            "gate": {"kind": {"type": "human_approval", "description": "may it?"}},
            "after": echo("after"),
        },
        "edges": [{"from": "gate", "to": "after"}],
    })
}

/// A chain of short commands.
fn steps() -> Value {
    let names: Vec<String> = (0..8).map(|n| format!("n{n}")).collect();
    let nodes: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| (name.clone(), echo(name)))
        .collect();
    let edges: Vec<Value> = names
        .windows(2)
        .map(|pair| json!({"from": pair[0], "to": pair[1]}))
        .collect();
    json!({
        "workflow_id": "steps", "version": "1.0.0", "start_node": "n0",
        "nodes": nodes, "edges": edges,
    })
}

fn echo(name: &str) -> Value {
    json!({"kind": {"type": "command", "argv": ["echo", format!("{{\"{name}\": true}}")]}})
}
