//! The native core against the component: how many times as long the component
//! takes over the same log.
//!
//! The host does not link the core, so this is a crate of its own, which has
//! both. The modules, from the bottom up; each may use those above it:
//!
//! - `across`: from the host's model to the native core's types, and back
//! - `workflows`: what is measured
//! - `run`: one execution in the component and in memory, driven by hand
//! - `compare`: the same logs, replayed by both, in turns

mod across;
mod workflows;
mod run;
mod compare;

pub use across::across;
pub use compare::{Compared, compare};
pub use run::{start, start_in};
pub use workflows::{chain, layered};
