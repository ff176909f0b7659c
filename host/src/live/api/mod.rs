//! What users hold.

mod queue_use;
pub(in crate::live) mod commits;
mod shared;
mod record;
pub(in crate::live) mod subscription;
pub(in crate::live) mod finished;
mod handing_over;
pub(in crate::live) mod execution;
pub(in crate::live) mod forked;
mod forking;
mod closing;
mod working;
mod starting;
pub(in crate::live) mod engine;
pub(in crate::live) mod steps;
mod parts;
pub(in crate::live) mod builder;
