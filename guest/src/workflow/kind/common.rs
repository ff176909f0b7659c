//! What the kinds have in common: texts, targets, the mapping of an input.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::condition::{Expression, Roots};
use crate::json::{elements, member};
use crate::workflow::fault::Place;
use crate::workflow::fields::Fields;
use crate::workflow::syntax::expression;
use crate::workflow::typed::{Object, Read};

/// A node named inside a kind.
pub(in crate::workflow) struct TargetSource<'a> {
    pub(in crate::workflow) id: Cow<'a, str>,
    pub(in crate::workflow) pointer: String,
    pub(in crate::workflow) how: How,
}

/// How a kind is related to a node that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::workflow) enum How {
    /// It leads there like an edge without a condition.
    Leads,
    /// It leads there if it chooses to.
    MayChoose,
    /// It waits for it: the edge comes from there.
    WaitsFor,
}

/// JamJet writes an empty mapping where there is none.
pub(super) fn input_mapping(
    kind: &Fields<'_, '_>,
    roots: Roots,
) -> Option<Vec<(String, Expression)>> {
    let Object(json) = kind.raw("input_mapping").and_then(Object::read)?;
    let place = kind.place.key("input_mapping");
    let mut mapping: Vec<(String, Expression)> = crate::json::members(json)
        .filter_map(|(name, json)| {
            let text: Cow<'_, str> = Read::read(json)?;
            let expression = expression(&place.key(&name), &text, roots, kind.faults)?;
            Some((name.into_owned(), expression))
        })
        .collect();
    mapping.sort_by(|(a, _), (b, _)| a.cmp(b));
    (!mapping.is_empty()).then_some(mapping)
}

/// The node, or the nodes, that a field names.
pub(super) fn targets<'a>(kind: &Fields<'a, '_>, name: &str, how: How) -> Vec<TargetSource<'a>> {
    let place = kind.place.key(name);
    let target = |place: Place<'_>, json| {
        let id = Read::read(json)?;
        Some(TargetSource {
            id,
            pointer: place.pointer(),
            how,
        })
    };
    match kind.raw(name) {
        None => Vec::new(),
        Some(list) if list.starts_with('[') => elements(list)
            .enumerate()
            .filter_map(|(index, json)| target(place.index(index), json))
            .collect(),
        Some(json) => target(place, json).into_iter().collect(),
    }
}

pub(super) fn violation_target<'a>(kind: &Fields<'a, '_>) -> Vec<TargetSource<'a>> {
    if matches!(text(kind, "on_violation").as_deref(), Some("fail" | "warn")) {
        return Vec::new();
    }
    let branch = kind
        .raw("on_violation")
        .and_then(|json| member(json, "branch"));
    let target = branch
        .and_then(|branch| member(branch, "target"))
        .and_then(Read::read);
    let Some(id) = target else {
        if kind.raw("on_violation").is_some() {
            let remedy = "write \"fail\", \"warn\" or {\"branch\": {\"target\": \"…\"}}";
            kind.fault(
                "on_violation",
                "this is nothing that can be done on a violation",
                remedy,
            );
        }
        return Vec::new();
    };
    let pointer = kind
        .place
        .key("on_violation")
        .key("branch")
        .key("target")
        .pointer();
    Vec::from([TargetSource {
        id,
        pointer,
        how: How::MayChoose,
    }])
}

/// The text of a field that the form has checked; None where that was faulty.
pub(super) fn text<'a>(kind: &Fields<'a, '_>, name: &str) -> Option<Cow<'a, str>> {
    kind.get(name)
}

/// The whole number of a field that the form has checked.
pub(super) fn whole(kind: &Fields<'_, '_>, name: &str) -> Option<u64> {
    kind.get(name)
}
