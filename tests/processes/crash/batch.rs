//! One step orders hundreds of large items: more than one batch of the
//! scheduler holds, and more than goes into one turn. The process is killed
//! between two of these turns.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use refrain::id::ExecutionId;
use refrain::model::{EventKind, Limits};
use refrain::store::{Reader, SqliteStore};
use refrain::{Engine, Workflow};
use refrain_guest::limits::BATCH_BYTES_MAX;
use refrain_tests::binary::refrain;
use serde_json::{Value, json};

use super::document;

/// Nodes side by side, each with an item of its own.
const WIDTH: usize = 200;
/// Each of these items carries a state of this size.
const STATE_BYTES: usize = 400 * 1024;

const _: () = assert!(
    WIDTH * STATE_BYTES > 2 * BATCH_BYTES_MAX,
    "there are three batches, so that a kill can come after the first and after the second"
);

/// How much is ordered when the process dies, at least.
const MOMENTS: [usize; 2] = [1, WIDTH / 2];

/// A kill may come too late, where the test has to wait for a processor.
const TRIES: usize = 5;

#[test]
fn a_batch_that_a_kill_cuts_goes_on_to_its_end() -> Result<()> {
    let mut cut = 0;
    for moment in MOMENTS.iter().cycle().take(TRIES * MOMENTS.len()) {
        let begun = Begun::new()?;
        cut += usize::from(begun.dies_and_goes_on(*moment)?);
        if cut == MOMENTS.len() {
            return Ok(());
        }
    }
    anyhow::bail!("most kills came when all was ordered: only {cut} came before")
}

/// An execution in a database of its own, whose large state is yet to come.
struct Begun {
    folder: tempfile::TempDir,
    id: ExecutionId,
}

impl Begun {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let runtime = tokio::runtime::Runtime::new()?;
        let id = runtime.block_on(begin(&folder.path().join(DATABASE)))?;
        Ok(Self { folder, id })
    }

    /// Whether the kill came between two batches.
    fn dies_and_goes_on(&self, moment: usize) -> Result<bool> {
        let folder = self.folder.path();
        let mut victim = self.resume().spawn()?;
        self.wait_for(moment, &mut victim)?;
        victim.kill()?;
        victim.wait()?;
        let ordered = self.ordered()?;
        ensure!(ordered >= moment, "{ordered} items are left of {moment}");
        self.is_clean("killed")?;

        let resumed = self.resume().output()?;
        ensure!(resumed.status.success(), "{resumed:?}");
        ensure!(self.ordered()? == WIDTH, "not all items were ordered");
        self.is_clean("resumed")?;
        let id = self.id.to_string();
        let shown = document(refrain(folder).args(["show", &id, "--db", DATABASE, "--json"]))?;
        let state = &shown["final_state"];
        for node in nodes() {
            // What it was handed: the state, and what belongs to it.
            let bytes = state[&node].as_u64().context("a count")?;
            ensure!(
                bytes > STATE_BYTES as u64,
                "{node} was handed {bytes} bytes"
            );
        }
        Ok(ordered < WIDTH)
    }

    fn resume(&self) -> std::process::Command {
        let mut command = refrain(self.folder.path());
        command
            .args(["resume", &self.id.to_string(), "--db", DATABASE])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn wait_for(&self, moment: usize, victim: &mut Child) -> Result<()> {
        while self.ordered()? < moment {
            ensure!(
                victim.try_wait()?.is_none(),
                "it ended before anything was ordered"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// The nodes whose item is ordered.
    fn ordered(&self) -> Result<usize> {
        let mut store = SqliteStore::open_read_only(self.folder.path().join(DATABASE))?;
        let log = store.events(self.id, 0, 100_000)?;
        let ordered = log.iter().filter(|stored| match &stored.event.kind {
            EventKind::NodeScheduled(it) => it.node_id != FIRST,
            _ => false,
        });
        Ok(ordered.count())
    }

    fn is_clean(&self, when: &str) -> Result<()> {
        let audit = ["audit", "--all", "--db", DATABASE, "--json"];
        let audit = document(refrain(self.folder.path()).args(audit))?;
        let verdict = &audit["executions"][0]["verdict"];
        ensure!(*verdict == "clean", "{when}: {audit:#}");
        // So it is where no database is at hand.
        let id = self.id.to_string();
        let export = ["export", &id, "--db", DATABASE, "-o", "log.ndjson"];
        let exported = refrain(self.folder.path()).args(export).output()?;
        ensure!(exported.status.success(), "{when}: {exported:?}");
        let audit = ["audit", "--file", "log.ndjson", "--json"];
        let audit = document(refrain(self.folder.path()).args(audit))?;
        let verdict = &audit["executions"][0]["verdict"];
        ensure!(*verdict == "clean", "{when}, exported: {audit:#}");
        std::fs::remove_file(self.folder.path().join("log.ndjson"))?;
        Ok(())
    }
}

const DATABASE: &str = "batch.db";
const FIRST: &str = "load";

fn nodes() -> impl Iterator<Item = String> {
    (0..WIDTH).map(|n| format!("n{n}"))
}

/// Start it, with room for all of its nodes at once, and do nothing of it.
async fn begin(database: &Path) -> Result<ExecutionId> {
    let engine = Engine::builder()
        .store(SqliteStore::open(database)?)
        .limits(Limits {
            max_concurrent_nodes: WIDTH as u32,
            max_dispatch_per_tick: WIDTH as u32,
        })
        .start()
        .await?;
    engine
        .register(Workflow::from_json(wide().to_string())?)
        .await?;
    let execution = engine.start("wide", "1.0.0", json!({})).await?;
    let id = execution.id();
    engine.shutdown().await;
    Ok(id)
}

/// A large state, and then every node at once, each of which counts what it is
/// handed.
fn wide() -> Value {
    let load = format!("head -c {STATE_BYTES} /dev/zero | tr '\\0' x");
    let command = |argv: &[&str]| json!({"kind": {"type": "command", "argv": argv}, "retry_policy": "patient"});
    let mut workflow = json!({
        "workflow_id": "wide", "version": "1.0.0", "start_node": FIRST,
        "nodes": {FIRST: command(&["sh", "-c", &load])},
        "retry_policies": {"patient": {"max_attempts": 50, "backoff": "fixed", "initial_delay": 1, "max_delay": 1}},
    });
    let mut edges = Vec::new();
    for node in nodes() {
        workflow["nodes"][&node] = command(&["wc", "-c"]);
        edges.push(json!({"from": FIRST, "to": node}));
    }
    workflow["edges"] = edges.into();
    workflow
}
