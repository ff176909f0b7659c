//! For tests: an engine on a file, and an execution that waits for a person.

use std::path::PathBuf;

use refrain::store::SqliteStore;
use refrain::{Engine, Execution, Workflow};
use tempfile::TempDir;

const WAITS: &str = r#"{
    "workflow_id": "waits", "version": "1.0.0", "start_node": "ask",
    "nodes": { "ask": { "kind": { "type": "human_approval", "description": "Go on?" } } },
    "edges": []
}"#;

/// An engine that nobody else uses, and one execution.
pub(super) struct WaitingWorld {
    pub(super) file: PathBuf,
    pub(super) engine: Engine,
    pub(super) execution: Execution,
    /// Removed with it.
    _folder: TempDir,
}

impl WaitingWorld {
    pub(super) async fn begin() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("refrain.db");
        let store = SqliteStore::open(&file)?;
        let engine = Engine::builder().store(store).start().await?;
        engine.register(Workflow::from_json(WAITS)?).await?;
        let input = serde_json::json!({});
        let execution = engine.start("waits", "1.0.0", input).await?;
        Ok(Self {
            file,
            engine,
            execution,
            _folder: folder,
        })
    }
}
