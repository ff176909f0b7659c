//! Workflows: the JSON form, its check (rule R1), and the plan that comes of it.
//!
//! [`parse`] is the only door: a [`Plan`] that exists is valid.

pub mod plan;

pub use plan::Plan;
