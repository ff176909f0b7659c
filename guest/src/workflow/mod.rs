//! Workflows: the JSON form, its check (rule R1), and the plan that comes of it.
//!
//! [`parse`] is the only door: a [`Plan`] that exists is valid. A workflow
//! passes through four rooms, and each collects faults without stopping the
//! next, so that all of them are reported at once:
//!
//! ```text
//! text --source--> nodes and edges as written --graph--> links between nodes
//!      --order--> ranks, or the cycles --build--> plan
//! ```
//!
//! The JSON is JamJet's. No field is ignored in silence: what would have no
//! effect is a fault, except where JamJet writes it; that is accepted, and
//! listed in the summary. Kinds for somebody's own workers may have fields of
//! their own, because the worker sees them.
//!
//! From the bottom up; each may use those above it in this list.

mod fault;
mod names;
pub mod plan;
mod syntax;
mod fields;
mod table;
mod retry;
mod budget;
mod kind;
mod source;
mod order;
mod cycle;
mod link;
mod failure;
mod graph;
mod build;
#[cfg(not(target_family = "wasm"))]
pub mod reference;

pub(crate) use plan::END;
pub use plan::Plan;

use alloc::format;
use alloc::vec::Vec;

use crate::contract::Fault;
use crate::json;
use crate::limits::WORKFLOW_BYTES_MAX;
use fault::{Faults, Place};

/// Read and check a workflow.
///
/// # Errors
/// Everything that is wrong with it (rule R1); never an empty list.
pub fn parse(text: &str) -> Result<Plan, Vec<Fault>> {
    let faults = Faults::default();
    let plan = plan(text, &faults);
    let faults = faults.into_list();
    match plan {
        Some(plan) if faults.is_empty() => Ok(plan),
        _ => Err(faults),
    }
}

/// None only after a fault was reported.
fn plan(text: &str, faults: &Faults) -> Option<Plan> {
    if text.len() > WORKFLOW_BYTES_MAX {
        let message = format!(
            "the workflow is {} bytes long, {WORKFLOW_BYTES_MAX} are allowed",
            text.len()
        );
        faults.report(&Place::Top, message, "split it into several workflows");
        return None;
    }
    if let Err(malformed) = json::check(text) {
        let message = format!(
            "this is no JSON that can be read: {} at byte {}",
            malformed.message, malformed.offset
        );
        faults.report_at(malformed.pointer, message, "correct the JSON there");
        return None;
    }
    let mut source = source::read(text, faults)?;
    let edges = core::mem::take(&mut source.edges);
    let graph = graph::check(&source, edges, faults);
    if !faults.is_empty() {
        return None;
    }
    Some(build::plan(source, graph, faults.ignored()))
}

#[cfg(test)]
mod tests;
