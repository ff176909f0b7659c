//! Erasing: what is left of an erased log, and that nothing else is.
//!
//! `left` is what callers hear and what stands in the files; `verdicts` are tables of
//! what is done to an erased log or its export, and what the audit says; `components`
//! are exports that bring their scheduler; `signed` is who vouches for an attestation.

mod components;
mod left;
mod signed;
mod verdicts;

use std::path::Path;

use refrain::erase::{EraseError, Erased, Eraser, erase};
use refrain::model::Status;
use refrain::replay::{Audit, Auditor, from_store};
use refrain::signing::Signer;
use refrain::store::Store;
use refrain::{Approval, Engine, Execution, ExecutionId, Start, WorkError, WorkItem, Workflow};
use refrain_tests::engines::{Place, engine, library};
use serde_json::{Value, json};

/// Stands in everything that can be erased.
const SECRET: &str = "Ada of Lovelace";

/// The key of the execution.
const KEY: &str = "Ada of Lovelace's key";

/// A failure, a retry, an approval, a signal that nobody waits for, and a result: each
/// says the secret.
fn workflow() -> Value {
    json!({
        "workflow_id": "claims", "version": "1.0.0", "start_node": "score",
        "retry_policies": { "soon": { "max_attempts": 3, "backoff": "fixed", "initial_delay": 1, "max_delay": 1 } },
        "nodes": {
            "score": { "kind": { "type": "tool", "tool_ref": "score" }, "retry_policy": "soon" },
            "ask": { "kind": { "type": "human_approval", "description": "Go on?" } },
            "pay": { "kind": { "type": "tool", "tool_ref": "pay" } },
        },
        "edges": [{ "from": "score", "to": "ask" }, { "from": "ask", "to": "pay" }],
    })
}

/// Workers that answer with the secret, and fail first with the secret.
fn work(engine: &Engine) {
    engine.work("tool", |item: WorkItem| async move {
        match item.attempt {
            1 if item.node_id == "score" => Err(WorkError::retryable(format!("{SECRET} is out"))),
            _ => Ok(json!({ item.node_id: SECRET.repeat(1000), "of": SECRET })),
        }
    });
}

/// Register the workflow, and start it.
async fn begin(engine: &Engine) -> Execution {
    begin_with(engine, KEY).await
}

/// The same, with a key.
async fn begin_with(engine: &Engine, key: &str) -> Execution {
    let workflow = Workflow::from_json(workflow().to_string()).expect("it is JSON");
    engine.register(workflow).await.expect("it is valid");
    let start = Start::new("claims", "1.0.0", json!({ "name": SECRET })).key(key);
    engine.start_with(start).await.expect("it starts")
}

/// It goes on to its end.
async fn end(execution: &Execution) {
    let node = async {
        let mut events = execution.subscribe(1);
        while let Some(page) = events.next().await.expect("a log") {
            let asks = |kind: &refrain::model::EventKind| {
                matches!(kind, refrain::model::EventKind::InterruptRaised(_))
            };
            if page.iter().any(|stored| asks(&stored.event.kind)) {
                return;
            }
        }
    };
    node.await;
    let noted = execution.signal("key", json!({ "from": SECRET })).await;
    noted.expect("it is taken");
    let approved = Approval::approved(SECRET).comment(SECRET);
    let approved = execution.approve("ask", approved).await;
    approved.expect("it waits");
    let end = execution.finished().await.expect("it ends");
    assert_eq!(end.status, Status::Completed);
}

/// An execution that has ended, its engine having gone.
async fn ended(place: &Place) -> ExecutionId {
    ended_with(place, KEY).await
}

/// The same, with a key.
async fn ended_with(place: &Place, key: &str) -> ExecutionId {
    let engine = engine(place).await;
    work(&engine);
    let execution = begin_with(&engine, key).await;
    end(&execution).await;
    engine.shutdown().await;
    execution.id()
}

/// Erase one execution.
fn erase_one(store: &mut dyn Store, id: ExecutionId) -> Result<Erased, EraseError> {
    erase_signed(store, id, None)
}

/// Erase one execution, with a signature if there is a signer.
fn erase_signed(
    store: &mut dyn Store,
    id: ExecutionId,
    signer: Option<&dyn Signer>,
) -> Result<Erased, EraseError> {
    let eraser = Eraser {
        by: "the tests",
        at: 1_800_000_000_000,
        signer,
    };
    let mut erased = erase(store, &mut library(), &[id], &eraser);
    let (of, erased) = erased.pop().expect("there is an answer");
    assert_eq!(of, id);
    erased
}

fn audit(store: &mut dyn Store, id: ExecutionId) -> Audit {
    let mut library = library();
    let audit = Auditor::new(&mut library).audit_stored(store, id);
    audit.expect("it can be audited").expect("it is there")
}

/// Its export, as text.
fn export(store: &mut dyn Store, id: ExecutionId) -> String {
    let recording = from_store(store, id).expect("the store answers");
    let recording = recording.expect("it is there").expect("it is readable");
    let export = recording.export(Vec::new()).expect("a vector takes it");
    String::from_utf8(export).expect("it is text")
}

/// The files of this folder in which a text stands.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let holds = |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).expect("the file");
        bytes.windows(text.len()).any(|it| it == text.as_bytes())
    };
    let found = paths.filter(holds);
    found.map(|path| path.display().to_string()).collect()
}
