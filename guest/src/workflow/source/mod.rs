//! The JSON form of a workflow, field by field, to nodes and edges as written.
//!
//! This room knows names, types and limits. Whether the names that nodes and
//! edges mention exist is for [`graph`](super::graph) to say.
//!
//! From the bottom up; each may use those above it in this list.

mod tables;
mod settings;
mod node;

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use super::budget;
use super::fault::{Faults, Place, quoted};
use super::fields::{BY_TEXT, BY_TEXT_DIGITS, Fields, is_version};
use super::plan::{Budgets, On};
use super::table::{Field, check, check_object};
use super::typed::List;
use crate::condition::Expression;
use crate::digest::digest_of_text;
use crate::json::elements;

pub(in crate::workflow) use node::NodeSource;
pub(in crate::workflow) use settings::Timeouts;
pub(in crate::workflow) use tables::{
    EDGE, LIMITS, NODE, OF_WORK, POLICY, TIMEOUT, TIMEOUTS, WORKFLOW,
};

/// A workflow as written.
pub(in crate::workflow) struct Source<'a> {
    pub(in crate::workflow) id: Cow<'a, str>,
    pub(in crate::workflow) version: Cow<'a, str>,
    /// None if it is faulty.
    pub(in crate::workflow) start: Option<Cow<'a, str>>,
    /// Sorted by id.
    pub(in crate::workflow) nodes: Vec<NodeSource<'a>>,
    pub(in crate::workflow) edges: Vec<EdgeSource<'a>>,
    pub(in crate::workflow) timeouts: Timeouts,
    pub(in crate::workflow) max_concurrent_nodes: Option<u32>,
    pub(in crate::workflow) max_dispatch_per_tick: Option<u32>,
    pub(in crate::workflow) budgets: Option<Budgets>,
}

/// An edge as written, by its place in the list.
pub(in crate::workflow) struct EdgeSource<'a> {
    pub(in crate::workflow) index: usize,
    pub(in crate::workflow) from: Cow<'a, str>,
    pub(in crate::workflow) to: Cow<'a, str>,
    pub(in crate::workflow) condition: Option<Expression>,
    pub(in crate::workflow) on: On,
}

/// Read checked JSON. None, and a fault, if it is not even an object; else
/// whatever can be read, and a fault for whatever cannot.
pub(in crate::workflow) fn read<'a>(
    text: &'a str,
    is_in_place: bool,
    faults: &Faults,
) -> Option<Source<'a>> {
    let workflow = Fields::read(&Place::Top, text.trim(), faults)?;
    check_workflow(&workflow, is_in_place);
    let [max_concurrent_nodes, max_dispatch_per_tick] = settings::limits(&workflow);
    let timeouts = settings::timeouts(&workflow);
    Some(Source {
        id: workflow.get("workflow_id").unwrap_or_default(),
        version: match is_in_place {
            true => Cow::Borrowed(""),
            false => version(&workflow, text),
        },
        start: workflow.get("start_node"),
        nodes: node::nodes(&workflow, &timeouts),
        edges: edges(&workflow),
        timeouts,
        max_concurrent_nodes,
        max_dispatch_per_tick,
        budgets: budget::read(&workflow),
    })
}

/// What is written in place has no name of its own: it is known by the node in which it
/// stands (rule R22).
fn check_workflow(workflow: &Fields<'_, '_>, is_in_place: bool) {
    let is_name = |field: &Field| matches!(field.name, "workflow_id" | "version");
    workflow.check_names(WORKFLOW.iter().map(Field::allowed));
    for field in WORKFLOW
        .iter()
        .filter(|field| !is_in_place || !is_name(field))
    {
        check(workflow, field);
    }
    for field in WORKFLOW
        .iter()
        .filter(|field| is_in_place && is_name(field))
    {
        if workflow.has(field.name) {
            let message = format!(
                "a workflow that is written in place has no `{}`",
                field.name
            );
            workflow.fault(field.name, message, "leave it out: it is known by its node");
        }
    }
}

/// The version as written. A workflow without one is known by its text (rule R1): so an
/// edited file needs no new number.
fn version<'a>(workflow: &Fields<'a, '_>, text: &str) -> Cow<'a, str> {
    if !workflow.has("version") {
        let digest = digest_of_text(text);
        return Cow::Owned(format!("{BY_TEXT}{}", &digest[..BY_TEXT_DIGITS]));
    }
    let Some(version): Option<Cow<'a, str>> = workflow.get("version") else {
        return Cow::Borrowed("");
    };
    if !is_version(&version) {
        let message = format!("{} is no version of three numbers", quoted(&version));
        let remedy = "write it like \"1.0.0\", or leave it out";
        workflow.fault("version", message, remedy);
    }
    version
}

fn edges<'a>(workflow: &Fields<'a, '_>) -> Vec<EdgeSource<'a>> {
    let place = workflow.place.key("edges");
    let edge = |(index, json)| {
        let place = place.index(index);
        let fields = Fields::read(&place, json, workflow.faults)?;
        check_object(&fields, &EDGE);
        let (from, to) = (fields.get("from"), fields.get("to"));
        let on = on(&fields);
        let condition = match on {
            On::Success => fields.expression("condition"),
            On::Failure | On::Always => fields.expression_on_failure("condition"),
        };
        Some(EdgeSource {
            index,
            from: from?,
            to: to?,
            condition,
            on,
        })
    };
    let List(all) = workflow.get("edges").unwrap_or(List("[]"));
    elements(all).enumerate().filter_map(edge).collect()
}

/// What has to become of an edge's source (rule R26).
fn on(edge: &Fields<'_, '_>) -> On {
    match edge.get::<Cow<'_, str>>("on").as_deref() {
        Some("failure") => On::Failure,
        Some("always") => On::Always,
        // Another word is a fault by the table.
        _ => On::Success,
    }
}
