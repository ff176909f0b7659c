//! The kind `map` as written (rule R21).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use serde_json::value::RawValue;

use super::common::text;
use super::inner::{self, Place};
use super::subgraph::{self, SUBGRAPH};
use crate::condition::Roots;
use crate::limits::MAP_ITEMS_MAX;
use crate::workflow::fields::Fields;
use crate::workflow::plan::{Body, Map, Tolerance};
use crate::workflow::table::{Field, Type, check_object, may};
use crate::workflow::typed::Object;

/// The fields of `tolerate`.
pub(in crate::workflow) const TOLERATE: [Field; 2] = [
    may("failures", Type::Whole),
    may("percent", Type::Range(0, 100)),
];

/// Read a map whose fields the form has checked. None, and a fault, if it cannot be
/// read.
pub(super) fn read(kind: &Fields<'_, '_>) -> Option<Map> {
    let over = kind.expression("over");
    let body = body(kind);
    let max_items = positive(kind, "max_items").unwrap_or(MAP_ITEMS_MAX);
    if max_items > MAP_ITEMS_MAX {
        let message = format!("a map has at most {MAP_ITEMS_MAX} elements");
        let remedy = "write a smaller number, or leave it out";
        kind.fault("max_items", message, remedy);
    }
    let max_concurrent = positive(kind, "max_concurrent");
    let tolerance = tolerance(kind);
    let complete_after = positive(kind, "complete_after");
    let (body, body_json) = body?;
    Some(Map {
        over: over?,
        body,
        body_json,
        max_concurrent,
        tolerance: tolerance?,
        complete_after,
        cancel_rest: kind.raw("cancel_rest") == Some("true"),
        output_key: text(kind, "output_key").map(|key| key.into_owned()),
        max_items,
    })
}

/// What stands in a map for each of its instances.
const OF_INSTANCES: Place = Place {
    what: "the body of a map",
    no_target: (
        "an instance of a map leads nowhere: it cannot choose a target",
        "leave it out; the edges of the map lead on",
    ),
    at: "/kind/body",
    roots: Roots::OF_BODIES,
};

/// The kind of each instance, and its text.
fn body(kind: &Fields<'_, '_>) -> Option<(Body, Box<RawValue>)> {
    let Object(json) = kind.get("body")?;
    let place = kind.place.key("body");
    let body = Fields::read(&place, json, kind.faults)?;
    let form = inner::form(&body, &OF_INSTANCES, |_| true)?;
    let read = match form.name {
        SUBGRAPH => Body::Child(subgraph::read(&body, true)?),
        _ => Body::Work(inner::work(&body, form, &OF_INSTANCES)?),
    };
    Some((read, inner::verbatim(json)))
}

/// A whole number that is not 0, and may be left out or null.
fn positive(kind: &Fields<'_, '_>, name: &str) -> Option<u32> {
    let number: u64 = kind.get(name)?;
    if number == 0 {
        kind.fault(
            name,
            format!("with a `{name}` of 0 nothing would ever run"),
            "write at least 1, or leave it out",
        );
    }
    // More than this makes no difference.
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

/// `{failures: n}` or `{percent: n}`; None, and a fault, if it is neither.
fn tolerance(kind: &Fields<'_, '_>) -> Option<Tolerance> {
    if !kind.has("tolerate") {
        return Some(Tolerance::Failures(0));
    }
    let Object(json) = kind.get("tolerate")?;
    let place = kind.place.key("tolerate");
    let fields = Fields::read(&place, json, kind.faults)?;
    check_object(&fields, &TOLERATE);
    let (failures, percent) = (fields.get::<u64>("failures"), fields.get::<u64>("percent"));
    match (failures, percent) {
        // More than this makes no difference.
        (Some(failures), None) => Some(Tolerance::Failures(
            u32::try_from(failures).unwrap_or(u32::MAX),
        )),
        // More than a hundred is a fault by the table.
        (None, Some(percent)) => u32::try_from(percent).ok().map(Tolerance::Percent),
        _ if fields.has("failures") != fields.has("percent") => None,
        _ => {
            let message =
                String::from("it says either how many may fail, or how many of a hundred");
            let remedy = "write {\"failures\": 3} or {\"percent\": 10}";
            kind.faults.report(&place, message, remedy);
            None
        }
    }
}
