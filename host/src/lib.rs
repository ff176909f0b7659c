//! Refrain: a durable workflow scheduler whose every decision can be replayed.
//!
//! The modules, from the bottom up; each may use those above it in this list.

pub mod contract;
pub mod guest;
pub mod id;
pub mod limits;
pub mod log;
pub mod names;
pub mod store;
pub mod replay;
