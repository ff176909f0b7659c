//! Refrain: a durable workflow scheduler whose every decision can be replayed.
//!
//! The modules, from the bottom up; each may use those above it in this list.

mod limits;
mod id;
pub mod contract;
pub mod log;
pub mod store;
pub mod guest;
