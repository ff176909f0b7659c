//! The live host: executions that run, now.
//!
//! One owner has the store's write side and the guests, and works in turns: in
//! a thread of its own, or stepped by hand. Everything async (callers, workers,
//! watchers) stands outside, at its doors.
//!
//! The modules, from the bottom up; each may use those above it in this list.

mod panics;
mod shorten;
mod workflow;
mod work;
mod facts;
mod chance;
// What one turn is made of.
mod items;
mod known;
mod scope;
mod checked;
mod staged;
mod ports;
mod lawful_orders;
mod rules_cache;
mod settle;
mod guests;
mod lease_watch;
mod set_aside;
mod core;
mod tells;
mod sound;
mod budget;
mod costly;
mod turn;
mod steps_owed;
mod writes;
mod apart;
mod stall;
mod snapshots;
mod start;
mod answers;
mod claims;
mod due;
mod liveness;
mod simulation;
mod slots;
// Around the turns.
mod link;
mod workers;
mod commit;
mod wake;
mod owner;
mod notice;
// What users hold.
mod commits;
mod execution;
mod engine;
mod steps;
mod builder;

pub use builder::Builder;
pub use commits::Commits;
pub use engine::{Engine, WeakEngine};
pub use execution::{Execution, Finished, Subscription};
pub use facts::Approval;
pub use owner::Next;
pub use start::Start;
pub use steps::Steps;
pub use work::{Answer, Claim, ClaimId, Receipt};
pub use workers::reap_orphans;
pub use workflow::Workflow;
