//! What is said and held all over the engine: work, facts, workflows, chance.
//! Nothing here knows of turns, of stores or of guests.

pub(in crate::live) mod ending;
pub(in crate::live) mod panics;
pub(in crate::live) mod workflow;
pub(in crate::live) mod retry_policy;
pub(in crate::live) mod node;
pub(in crate::live) mod edge;
pub(in crate::live) mod budgets;
pub(in crate::live) mod workflow_builder;
pub(in crate::live) mod work;
pub(in crate::live) mod facts;
mod labels;
pub(in crate::live) mod breakpoints;
pub(in crate::live) mod start;
pub(in crate::live) mod fork;
pub(in crate::live) mod claim_request;
pub(in crate::live) mod random;
pub(in crate::live) mod callers;
pub(in crate::live) mod closing;
pub(in crate::live) mod stepped;
pub(in crate::live) mod links;
