//! What users hold.

mod queue_use;
pub(in crate::live) mod commits;
mod shared;
mod record;
pub(in crate::live) mod subscription;
pub(in crate::live) mod finished;
pub(in crate::live) mod execution;
pub(in crate::live) mod forked;
mod forking;
mod closing;
pub(in crate::live) mod engine;
mod working;
pub(in crate::live) mod steps;
mod parts;
pub(in crate::live) mod builder;
