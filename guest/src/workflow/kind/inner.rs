//! Work that stands within a node, and is none of the node's own: a map's body (rule R21),
//! a node's compensation (rule R27).

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::common::{How, input_mapping, targets, text, violation_target};
use super::form::{Form, form_of};
use super::templates;
use crate::condition::Roots;
use crate::workflow::fault::quoted;
use crate::workflow::fields::Fields;
use crate::workflow::plan::Work;

/// Kinds that are no work for a worker, or none within an execution.
pub(in crate::workflow) const NO_BODIES: [&str; 9] = [
    "map",
    "condition",
    "parallel",
    "join",
    "wait",
    "human_approval",
    "finalizer",
    "limit_exceeded",
    "terminate",
];

/// What the work is, in a sentence, and where it stands.
pub(in crate::workflow) struct Place {
    /// What it is: "the body of a map".
    pub(in crate::workflow) what: &'static str,
    /// Why it chooses no target, and what to do about one that it names.
    pub(in crate::workflow) no_target: (&'static str, &'static str),
    /// Where its kind stands in the node, a JSON pointer.
    pub(in crate::workflow) at: &'static str,
    /// What its expressions may read.
    pub(in crate::workflow) roots: Roots,
}

/// The form of a kind that may stand within a node; None, and a fault, if it may not.
/// `is_allowed` says so of kinds that are worker's work or a child.
pub(in crate::workflow) fn form(
    kind: &Fields<'_, '_>,
    place: &Place,
    is_allowed: impl Fn(&str) -> bool,
) -> Option<&'static Form> {
    let is_refused = |name: &str| NO_BODIES.contains(&name) || !is_allowed(name);
    if let Some(name) = text(kind, "type").filter(|name| is_refused(name)) {
        let message = format!("{} cannot be {}", quoted(&name), place.what);
        let remedy = "write a kind that a worker does, such as `command`, `http` or `tool`";
        kind.fault("type", message, remedy);
        return None;
    }
    form_of(kind)
}

/// The work. None, and a fault, if it cannot be read.
pub(in crate::workflow) fn work(kind: &Fields<'_, '_>, form: &Form, place: &Place) -> Option<Work> {
    let named = match form.name {
        "policy" => violation_target(kind),
        "a2a_task" => targets(kind, "on_input_required", How::MayChoose),
        _ => Vec::new(),
    };
    for target in named {
        let (message, remedy) = place.no_target;
        kind.faults.report_at(target.pointer, message, remedy);
    }
    let queue = match form.name {
        // Its queue is no kind's.
        "task" => Cow::Owned(text(kind, "queue")?.into_owned()),
        _ => Cow::Borrowed(form.queue),
    };
    Some(Work {
        queue,
        priority: None,
        template: templates::read(kind, form, place.at, place.roots).map(Box::new),
        input_mapping: input_mapping(kind, place.roots),
        finalizer: None,
    })
}

/// The kind as it is written.
pub(in crate::workflow) fn verbatim(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.trim().to_string()).expect("checked JSON is JSON")
}
