//! The file is no longer the one at its path: that is told, exit code 2, and
//! nothing is reported as kept that is not (laws 8 and 9).

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use refrain::store::SqliteStore;
use refrain::{Engine, EngineError, Workflow};
use serde_json::json;

use super::ground::{DATABASE, Ground, Said};

const GONE: &str = "is no longer the file that was opened";

/// What befalls the file at this path while somebody works on it.
type Blow = fn(&Path);

fn next_to(path: &Path, name: &str) -> std::path::PathBuf {
    path.with_file_name(name)
}

const BLOWS: [(&str, Blow); 5] = [
    ("removed", |path| {
        for name in [DATABASE, "refrain.db-wal", "refrain.db-shm"] {
            fs::remove_file(next_to(path, name)).expect("it is there");
        }
    }),
    ("renamed", |path| {
        fs::rename(path, next_to(path, "other.db")).expect("it is there");
    }),
    ("replaced", |path| {
        fs::copy(path, next_to(path, "new.db")).expect("it is there");
        fs::rename(next_to(path, "new.db"), path).expect("it is there");
    }),
    ("without its log of changes", |path| {
        fs::remove_file(next_to(path, "refrain.db-wal")).expect("it is there");
    }),
    ("with its folder renamed", |path| {
        let folder = path.parent().expect("a folder");
        fs::rename(folder, folder.with_extension("elsewhere")).expect("it is there");
    }),
];

/// At once, while the run still tells of the last commit, and later, when it
/// rests until something happens.
const AFTER: [Duration; 2] = [Duration::ZERO, Duration::from_millis(300)];

#[test]
fn law8_a_run_whose_file_is_gone_says_so() {
    for ((what, blow), after) in BLOWS.iter().flat_map(|it| AFTER.map(|after| (it, after))) {
        let ground = Ground::new();
        let folder = ground.file("folder");
        fs::create_dir(&folder).expect("a folder");
        let path = folder.join(DATABASE);
        let started = ground.file("started");
        let touch = format!("touch {} && sleep 1", started.display());
        let workflow = json!({
            "workflow_id": "slow", "version": "1.0.0", "start_node": "a",
            "nodes": {
                "a": { "kind": { "type": "command", "argv": ["sh", "-c", touch] } },
                "b": { "kind": { "type": "command", "argv": ["true"] } },
            },
            "edges": [{ "from": "a", "to": "b" }],
        });
        let file = ground.file("slow.json");
        fs::write(&file, workflow.to_string()).expect("a file");
        let mut run = ground.refrain(&["run", &file.display().to_string()]);
        run.env("REFRAIN_DB", &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let run = run.spawn().expect("it starts");
        while !started.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(after);
        blow(&path);
        println!("{what} after {after:?}");
        let output = run.wait_with_output().expect("it ends");
        Said::of(&output).is_refused(GONE);
    }
}

/// An engine within another program: who waits for an end is told, and it can
/// be shut down.
#[tokio::test(flavor = "multi_thread")]
async fn law9_who_waits_on_a_store_that_is_gone_is_told() {
    for (what, blow) in BLOWS {
        let ground = tempfile::tempdir().expect("a folder");
        let folder = ground.path().join("folder");
        fs::create_dir(&folder).expect("a folder");
        let path = folder.join(DATABASE);
        let engine = Engine::builder()
            .store(SqliteStore::open(&path).expect("it opens"))
            .start()
            .await
            .expect("it starts");
        engine.work("tool", |_| {
            std::future::pending::<Result<serde_json::Value, _>>()
        });
        let workflow = json!({
            "workflow_id": "w", "version": "1.0.0", "start_node": "a",
            "nodes": { "a": { "kind": { "type": "tool", "tool_ref": "t" } } }, "edges": [],
        });
        let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
        engine.register(workflow).await.expect("it is valid");
        let execution = engine
            .start("w", "1.0.0", json!({}))
            .await
            .expect("it starts");
        // One waits for the end, one for what comes next, one for any commit.
        let patience = Duration::from_secs(30);
        let mut commits = engine.commits();
        let mut subscription = execution.subscribe(1);
        let following = tokio::spawn(async move {
            loop {
                match subscription.next().await {
                    Ok(Some(_)) => {}
                    other => return other,
                }
            }
        });
        let any = tokio::spawn(async move {
            loop {
                if let Err(error) = commits.next().await {
                    return error;
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        blow(&path);
        let told = tokio::time::timeout(patience, following).await;
        let error = told.expect("it is told").expect("no panic");
        let error = error.expect_err("nothing follows").to_string();
        assert!(error.contains(GONE), "{what}: {error}");
        let told = tokio::time::timeout(patience, any).await;
        let error = told.expect("it is told").expect("no panic").to_string();
        assert!(error.contains(GONE), "{what}: {error}");
        let waited = tokio::time::timeout(patience, execution.finished()).await;
        let error = waited.expect("it is told").expect_err("it cannot end");
        assert!(matches!(error, EngineError::Store(_)), "{what}: {error}");
        assert!(error.to_string().contains(GONE), "{what}: {error}");
        let late = engine.start("w", "1.0.0", json!({})).await;
        let error = late.expect_err("it is not kept").to_string();
        assert!(error.contains(GONE), "{what}: {error}");
        let ended = tokio::time::timeout(patience, engine.shutdown()).await;
        ended.expect("it comes to its end");
    }
}
