//! The kind `subgraph` as written (rules R22 and R23).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::common::{input_mapping, text};
use crate::condition::Roots;
use crate::limits::ITERATIONS_MAX;
use crate::workflow::fault::quoted;
use crate::workflow::fields::{Fields, is_version, is_version_by_text};
use crate::workflow::plan::{Gives, Repeat, Subgraph};
use crate::workflow::syntax::expression;
use crate::workflow::table::{Field, Type, check_object, may, must};
use crate::workflow::typed::Object;

/// The name of the kind.
pub(in crate::workflow) const SUBGRAPH: &str = "subgraph";

/// The field that holds a workflow written in place.
pub(in crate::workflow) const BODY: &str = "body";

/// The fields of `repeat`.
pub(in crate::workflow) const REPEAT: [Field; 3] = [
    must("while", Type::Expression),
    must("max", Type::Range(1, ITERATIONS_MAX as u64)),
    may("on_max", Type::Word(&["fail", "complete"])),
];

/// Read a subgraph whose fields the form has checked. None, and a fault, if it cannot be
/// read. What is written in place is checked by who reads whole workflows.
pub(super) fn read(kind: &Fields<'_, '_>, is_body: bool) -> Option<Subgraph> {
    let workflow = workflow(kind);
    let gives = gives(kind, is_body);
    let is_repeated = kind.has("repeat");
    let roots = match (is_body, is_repeated) {
        (false, false) => Roots::OF_KINDS,
        (false, true) => Roots::OF_REPEATS,
        (true, false) => Roots::OF_BODIES,
        (true, true) => Roots::OF_REPEATED_BODIES,
    };
    let repeat = is_repeated.then(|| repeat(kind, roots));
    if is_repeated && gives == Some(Gives::Detached) {
        let message = "nobody waits for a detached child, so it cannot be repeated";
        kind.fault("repeat", message, "leave out `repeat`, or `detached`");
    }
    Some(Subgraph {
        workflow: workflow?,
        queues: Vec::new(),
        input_mapping: input_mapping(kind, roots),
        gives: gives?,
        repeat: match repeat {
            None => None,
            Some(repeat) => Some(repeat?),
        },
    })
}

/// The workflow that is named. `Some(None)` if it is written in place.
fn workflow(kind: &Fields<'_, '_>) -> Option<Option<(String, String)>> {
    let id = text(kind, "workflow_id");
    let version = text(kind, "version");
    if kind.has(BODY) {
        for name in ["workflow_id", "version"] {
            if kind.has(name) {
                let message = format!(
                    "`{name}` has no effect: the workflow is written in place, in `{BODY}`"
                );
                kind.fault(name, message, "leave it out, or the `body`");
            }
        }
        return Some(None);
    }
    match (id, version) {
        (Some(id), Some(version)) => {
            // What looks like an expression is refused for that.
            if !is_version(&version) && !is_version_by_text(&version) && !version.contains("${") {
                let message = format!(
                    "{} is no version that a workflow can have",
                    quoted(&version)
                );
                let remedy = "write it like \"1.0.0\"; that of a workflow without one is `0.0.0+` and twelve digits, as validating it tells";
                kind.fault("version", message, remedy);
            }
            Some(Some((id.into_owned(), version.into_owned())))
        }
        (Some(_), None) if !kind.has("version") => {
            let message = "the field `version` is missing: a child is of one version for good, and there is no latest one";
            kind.faults
                .report(kind.place, message, "add `version`, as in \"1.0.0\"");
            None
        }
        (None, _) if !kind.has("workflow_id") => {
            let message = "it says of no workflow that it is the child's";
            let remedy =
                "add `workflow_id` and `version`, or write the workflow in place, in `body`";
            kind.faults.report(kind.place, message, remedy);
            None
        }
        _ => None,
    }
}

/// What becomes of the final state.
fn gives(kind: &Fields<'_, '_>, is_body: bool) -> Option<Gives> {
    let key = text(kind, "output_key").map(Cow::into_owned);
    let [merges, is_detached] =
        ["merge", "detached"].map(|name| kind.get::<bool>(name) == Some(true));
    let refuse = |name, message: &str| {
        kind.fault(name, message, "leave it out");
        None
    };
    if is_body && (merges || kind.has("output_key")) {
        let name = if merges { "merge" } else { "output_key" };
        return refuse(
            name,
            "it has no effect: the map makes a list of what its instances come to",
        );
    }
    match (merges, is_detached, key) {
        (true, _, _) if kind.has("output_key") => refuse(
            "output_key",
            "with `merge` the keys of the final state stand in the state themselves, and under no other key",
        ),
        (true, true, _) => refuse(
            "merge",
            "nobody waits for a detached child: there is nothing to merge",
        ),
        (_, true, Some(_)) => refuse(
            "output_key",
            "nobody waits for a detached child: there is nothing to put into the state",
        ),
        (true, false, _) => Some(Gives::Merged),
        (false, true, None) => Some(Gives::Detached),
        (false, false, key) => Some(Gives::Under(key)),
    }
}

fn repeat(kind: &Fields<'_, '_>, roots: Roots) -> Option<Repeat> {
    let Object(json) = kind.get("repeat")?;
    let place = kind.place.key("repeat");
    let fields = Fields::read(&place, json, kind.faults)?;
    check_object(&fields, &REPEAT);
    let condition = text(&fields, "while")
        .and_then(|text| expression(&place.key("while"), &text, roots, kind.faults));
    if fields.has("while") && fields.get::<Cow<'_, str>>("while").is_none() {
        let _: Option<Cow<'_, str>> = fields.required("while");
    }
    Some(Repeat {
        condition: condition?,
        max: fields.get("max")?,
        completes_at_max: text(&fields, "on_max").as_deref() == Some("complete"),
    })
}
