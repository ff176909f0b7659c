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
mod typed;
mod fields;
mod table;
mod retry;
mod budget;
mod kind;
mod compensate;
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

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec::Vec;

use crate::contract::Fault;
use crate::json::{self, push_pointer};
use crate::limits::{ID_BYTES_MAX, WORKFLOW_BYTES_MAX};
use fault::{Faults, Place, quoted};
use kind::KindSource;
use source::Source;

/// Read and check a workflow.
///
/// # Errors
/// Everything that is wrong with it (rule R1); never an empty list.
pub fn parse(text: &str) -> Result<Plan, Vec<Fault>> {
    check_text(text)?;
    check_all(text, None)
}

/// Read and check the text of an execution's workflow: it may also be one that another
/// has written in place, which is without a name.
///
/// # Errors
/// Everything that is wrong with it (rule R1); never an empty list.
pub fn parse_registered(text: &str) -> Result<Plan, Vec<Fault>> {
    check_text(text)?;
    let is_in_place = text.trim().starts_with('{') && json::member(text, "workflow_id").is_none();
    check_all(text, is_in_place.then_some(""))
}

/// Refuse what nobody can read.
fn check_text(text: &str) -> Result<(), Vec<Fault>> {
    let faults = Faults::default();
    if text.len() > WORKFLOW_BYTES_MAX {
        let message = format!(
            "the workflow is {} bytes long, {WORKFLOW_BYTES_MAX} are allowed",
            text.len()
        );
        faults.report(&Place::Top, message, "split it into several workflows");
    } else if let Err(malformed) = json::check(text) {
        let message = format!(
            "this is no JSON that can be read: {} at byte {}",
            malformed.message, malformed.offset
        );
        faults.report_at(malformed.pointer, message, "correct the JSON there");
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(faults.into_list()),
    }
}

/// Check JSON that can be read. `in_place` is the name of a workflow that is written in
/// place.
fn check_all(text: &str, in_place: Option<&str>) -> Result<Plan, Vec<Fault>> {
    let faults = Faults::default();
    let plan = plan(text, in_place, &faults);
    let faults = faults.into_list();
    match plan {
        Some(plan) if faults.is_empty() => Ok(plan),
        _ => Err(faults),
    }
}

/// None only after a fault was reported.
fn plan(text: &str, in_place: Option<&str>, faults: &Faults) -> Option<Plan> {
    let mut source = source::read(text, in_place.is_some(), faults)?;
    let edges = core::mem::take(&mut source.edges);
    check_in_place(&mut source, in_place, faults);
    let graph = graph::check(&source, edges, faults);
    if !faults.is_empty() {
        return None;
    }
    Some(build::plan(source, graph, faults.ignored()))
}

/// Check the workflows that are written in place (rule R22). They nest no deeper than
/// JSON may, four levels each.
fn check_in_place(source: &mut Source<'_>, name: Option<&str>, faults: &Faults) {
    let parent = name.unwrap_or(&source.id).to_owned();
    for node in &mut source.nodes {
        let in_place = node.kind.as_mut().and_then(KindSource::in_place_mut);
        let Some((subgraph, path)) = in_place else {
            continue;
        };
        let nodes = Place::Top.key("nodes");
        let place = nodes.key(&node.id);
        let mut pointer = place.key("kind").pointer();
        let mut text = node.kind_json;
        for step in path {
            push_pointer(&mut pointer, step);
            text = json::member(text, step).unwrap_or("null");
        }
        let name = format!("{parent}/{}", node.id);
        if name.len() > ID_BYTES_MAX {
            let message = format!(
                "the name of this workflow, {}, would be {} bytes long, {ID_BYTES_MAX} are allowed",
                quoted(&name),
                name.len()
            );
            faults.report_at(pointer.clone(), message, "give the node a shorter name");
        }
        match check_all(text, Some(&name)) {
            Ok(plan) => {
                subgraph.queues = plan.queues().map(ToOwned::to_owned).collect();
                for ignored in plan.ignored {
                    faults.ignore_below(&pointer, &ignored);
                }
            }
            Err(found) => {
                for fault in found {
                    faults.report_at(
                        pointer.clone() + &fault.pointer,
                        fault.message,
                        fault.remedy,
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
