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
//! engine.work("tool", |_: WorkItem| async move { Ok(json!({ "score": 7 })) });
//! let execution = engine.start("claims", "1.0.0", json!({ "claim": 17 })).await?;
//! println!("{}", execution.finished().await?.final_state);
//! # assert_eq!(execution.finished().await?.final_state.as_str(), r#"{"score":7}"#);
//! # engine.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
#![doc = include_str!("../guide.md")]
//! # Cargo features
//!
//! All are on by default.
//!
//! * `cli`: the program `refrain`. It brings `http` and `sqlite`.
//! * `compile`: scheduler components become machine code, and others than the built-in one
//!   can run. Without it, the built-in one is interpreted, and others are refused
//!   ([`guest::ComponentError::NoCompiler`]).
//! * `http`: `HttpWorker` and `Engine::work_http`. Without it, nodes of the kind `http`
//!   wait until somebody claims their work.
//! * `sqlite`: `store::SqliteStore`. Without it there are [`store::MemoryStore`] and stores
//!   of one's own.
//!
//! # The modules
//!
//! The modules, from the bottom up; each may use those above it in this list,
//! whether by a path or by a method, and a parent stands on its children. A test
//! of the workspace (`tests/native/layers.rs`) holds the sources to that.

#![warn(missing_debug_implementations)]

// An execution's id.
pub mod id;
// Every limit, with its reason.
pub mod limits;
// Foreign text as it may be shown.
pub mod escaped;
// Long texts, cut where they may be.
mod shorten;
// What was perhaps meant by a name that is not known.
pub mod resembling;
// JSON text kept verbatim, and what is accepted of it.
pub mod json;
// The nouns: events, work items, outcomes.
pub mod model;
// The names of statuses and states, as they are written.
pub mod names;
// Times as they are written.
pub mod time;
// Texts of a payload that are templates for the worker.
mod templates;
// Codes and data become sentences: the one place for the words.
pub mod render;
// What a workflow's text says of its nodes and edges.
mod graph;
// The queues, and the kinds of nodes whose items they take.
pub mod queues;
// Signatures, and the files that their keys come in.
pub mod signing;
// The log: its form, its chain, its exports.
pub mod log;
// What a workflow lets be ordered: the trust boundary.
mod order_rules;
// The machine: its name, its processes, how long it has been up.
mod machine;
// Problems that are reported at once, then now and then, and when they are over.
mod trouble;
// What is durable: a trait and its contract, in memory, in SQLite.
pub mod store;
// Scheduler components in their sandbox.
pub mod guest;
// Why something could not be done, for callers of the engine.
pub mod error;
// Secrets: where they come from, and how they are kept out of what is said.
pub mod secrets;
// What helps against an error, as a value.
mod remedy;
// The clock that an engine is given, and the time of the log.
pub mod clock;
// The same log to the same component: audits.
pub mod replay;
// Logs, and what every auditor has to say of them.
pub mod conformance;
// What executions said, removed for good.
pub mod erase;
// Executions that run, now.
pub mod live;
// An engine in memory on a clock that is moved by hand, with simulated workers.
mod world;
// The same answers and times of work, scheduled anew.
pub mod simulation;
// Tests of workflows, by the real scheduler on a simulated clock.
pub mod testing;
// Workflows and executions as graphs, drawn.
pub mod picture;
// Executions in one HTML file that audits itself.
pub mod report;

pub use clock::{Clock, LogClock, ManualClock, SystemClock};
pub use error::{EngineError, WorkError};
pub use id::ExecutionId;
pub use json::Json;
#[cfg(feature = "http")]
pub use live::HttpWorker;
pub use live::{
    Answer, Approval, Breakpoints, Builder, Claim, ClaimId, ClaimRequest, Commits, Engine,
    Execution, Finished, Fork, Forked, Next, Receipt, Signal, Start, Stepped, Steps, Subscription,
    WeakEngine, Workflow, reap_orphans, tampering, without_secrets,
};
pub use live::{Budgets, Edge, Node, RetryPolicy, WorkflowBuilder};
pub use model::WorkItem;
pub use remedy::ErrorRemedy;
pub use trouble::IN_THE_LOG;
