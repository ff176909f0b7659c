//! What a workflow says for all of its nodes: timeouts and limits.

use super::tables::{LIMITS, TIMEOUTS};
use crate::time::Millis;
use crate::workflow::fields::Fields;
use crate::workflow::table::{Field, check_object};
use crate::workflow::typed::{Object, Span};

/// The workflow's timeouts. `heartbeat_interval` is JamJet's; here, the host
/// says how often a worker is asked whether it lives.
#[derive(Default)]
pub(in crate::workflow) struct Timeouts {
    pub(in crate::workflow) node: Option<Millis>,
    pub(in crate::workflow) workflow: Option<Millis>,
    pub(in crate::workflow) approval: Option<Millis>,
}

/// The timeouts as written.
pub(super) fn timeouts(workflow: &Fields<'_, '_>) -> Timeouts {
    let timeouts = object(workflow, "timeouts", &TIMEOUTS, |fields| Timeouts {
        node: span(fields, "node_timeout"),
        workflow: span(fields, "workflow_timeout"),
        approval: span(fields, "approval_timeout"),
    });
    timeouts.unwrap_or_default()
}

/// How many nodes may be in flight, and how many work items one step may order, as written.
pub(super) fn limits(workflow: &Fields<'_, '_>) -> [Option<u32>; 2] {
    let limits = object(workflow, "limits", &LIMITS, |limits| {
        LIMITS.map(|field| limits.get(field.name))
    });
    limits.unwrap_or_default()
}

/// What an object in the workflow says, once it is checked; None if it is left out.
fn object<'a, T>(
    workflow: &Fields<'a, '_>,
    name: &str,
    table: &[Field],
    read: impl FnOnce(&Fields<'a, '_>) -> T,
) -> Option<T> {
    let Object(json) = workflow.get(name)?;
    let place = workflow.place.key(name);
    let fields = Fields::read(&place, json, workflow.faults)?;
    check_object(&fields, table);
    Some(read(&fields))
}

/// A span of time in seconds, as written.
pub(super) fn span(fields: &Fields<'_, '_>, name: &str) -> Option<Millis> {
    fields.get(name).map(|Span(span)| span)
}
