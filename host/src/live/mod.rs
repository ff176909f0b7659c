//! The live host: executions that run, now.
//!
//! One event loop has the store's write side and the guests, and works in turns:
//! in a thread of its own, or stepped by hand. Everything async (callers,
//! workers, watchers) stands outside, at its doors.
//!
//! The folders, from the bottom up; each may use those above it in this list.

// What is said and held.
mod values;
// What a fork begins with.
mod fork;
// One execution within a turn.
mod execution;
// What outlives a turn.
mod cache;
// Who does the work. Workers know neither the inbox nor the turn.
mod workers;
// One transaction.
mod turn;
// The event loop, and what reaches it.
mod runtime;
// What users hold.
mod api;

pub use api::builder::Builder;
pub use api::commits::Commits;
pub use api::engine::{Engine, WeakEngine};
pub use api::execution::Execution;
pub use api::finished::Finished;
pub use api::forked::Forked;
pub use api::steps::Steps;
pub use api::subscription::Subscription;
pub use execution::checked::tampering;
pub use runtime::schedule::Next;
pub use values::breakpoints::Breakpoints;
pub use values::budgets::Budgets;
pub use values::claim_request::ClaimRequest;
pub use values::edge::Edge;
pub use values::facts::{Approval, Signal};
pub use values::fork::Fork;
pub use values::node::Node;
pub use values::retry_policy::RetryPolicy;
pub use values::start::Start;
pub use values::stepped::Stepped;
pub use values::work::{Answer, Claim, ClaimId, Receipt};
pub use values::workflow::Workflow;
pub use values::workflow_builder::WorkflowBuilder;
#[cfg(feature = "http")]
pub use workers::HttpWorker;
pub use workers::{reap_orphans, without_secrets};
