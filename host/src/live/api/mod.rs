//! What users hold.

pub(in crate::live) mod commits;
pub(in crate::live) mod execution;
pub(in crate::live) mod engine;
pub(in crate::live) mod steps;
pub(in crate::live) mod builder;
