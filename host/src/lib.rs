//! Refrain: a durable workflow scheduler whose every decision can be replayed.
//!
//! ```
//! use refrain::store::SqliteStore;
//! use refrain::{Engine, WorkItem, Workflow};
//! use serde_json::json;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(folder.path())?;
//! # macro_rules! include_str { ("claims.json") => { core::include_str!("../examples/claims.json") } }
//! let engine = Engine::builder().store(SqliteStore::open("refrain.db")?).start().await?;
//! engine.register(Workflow::from_json(include_str!("claims.json"))?).await?;
//! engine.work("tool", |item: WorkItem| async move { Ok(json!({ "score": 7 })) });
//! let execution = engine.start("claims", "1.0.0", json!({ "claim": 17 })).await?;
//! println!("{}", execution.finished().await?.final_state);
//! # assert_eq!(execution.finished().await?.final_state.as_str(), r#"{"score":7}"#);
//! # engine.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! The modules, from the bottom up; each may use those above it in this list.

pub mod id;
pub mod limits;
pub mod model;
pub mod json;
pub mod queues;
pub mod log;
mod order_rules;
mod machine;
mod shorten;
pub mod names;
mod trouble;
pub mod store;
pub mod guest;
pub mod error;
pub mod clock;
pub mod replay;
pub mod live;

pub use clock::{Clock, LogClock, ManualClock, SystemClock};
pub use error::{EngineError, WorkError};
pub use id::ExecutionId;
pub use json::Json;
pub use live::{
    Answer, Approval, Builder, Claim, ClaimId, Commits, Engine, Execution, Finished, Next, Receipt,
    Start, Steps, Subscription, WeakEngine, Workflow, reap_orphans,
};
pub use model::WorkItem;
