//! What is expected.

use std::time::Duration;

use super::fields::Reading;
use super::values::{count, json, nodes, object, span, text};
use crate::model::Status;
use crate::names;
use crate::resembling::meant;
use crate::testing::case::Expectation;
use crate::testing::graph::Workflows;
use crate::testing::text::span::SPAN_MAX;
use crate::testing::text::value::{Member, Node, Value};

/// The keys of what is expected.
const KEYS: [&str; 12] = [
    "status",
    "path",
    "order",
    "skipped",
    "failed",
    "cancelled",
    "state",
    "state_includes",
    "elapsed",
    "attempts",
    "error",
    "children",
];

const STATUSES: [Status; 6] = [
    Status::Completed,
    Status::Failed,
    Status::Cancelled,
    Status::Running,
    Status::Paused,
    Status::Stalled,
];

/// The expectations of a case, in the order of the text.
pub(super) fn read(reading: &Reading<'_, '_>, node: &Node) -> Vec<Expectation> {
    let Some(fields) = reading.members(node, "`expect`", &KEYS) else {
        return Vec::new();
    };
    let members = fields.of(&KEYS);
    if members.is_empty() && !fields.has_unknown {
        let remedy = format!("say what is expected: {}", KEYS.join(", "));
        reading.report(node.at, "nothing is expected", remedy);
    }
    let expectations = members
        .into_iter()
        .map(|member| expectation(reading, member));
    expectations.flatten().collect()
}

fn expectation(reading: &Reading<'_, '_>, Member { key, node, .. }: &Member) -> Vec<Expectation> {
    let what = format!("`{key}`");
    let nodes = || nodes(reading, node, &what);
    let one = match key.as_str() {
        "status" => status(reading, node).map(Expectation::Status),
        "path" => nodes().map(Expectation::Path),
        "skipped" => nodes().map(Expectation::Skipped),
        "failed" => nodes().map(Expectation::Failed),
        "cancelled" => nodes().map(Expectation::Cancelled),
        "state" => json(reading, node, &what).map(Expectation::State),
        "state_includes" => object(reading, node, &what).map(Expectation::StateIncludes),
        "elapsed" => elapsed(reading, node),
        "error" => text(reading, node, &what).map(Expectation::Error),
        "order" => return orders(reading, node),
        "children" => return children(reading, node),
        _ => return attempts(reading, node),
    };
    one.into_iter().collect()
}

fn status(reading: &Reading<'_, '_>, node: &Node) -> Option<Status> {
    let name = text(reading, node, "`status`")?;
    let status = STATUSES
        .into_iter()
        .find(|status| names::status(*status) == name);
    if status.is_none() {
        let known = STATUSES.map(names::status);
        let message = format!("there is no status `{name}`");
        reading.report(node.at, message, meant(&name, "statuses", known));
    }
    status
}

/// `[a, b]`, or a list of such lists.
fn orders(reading: &Reading<'_, '_>, node: &Node) -> Vec<Expectation> {
    let lists = match &node.value {
        Value::List(lists) if lists.iter().any(|it| matches!(it.value, Value::List(_))) => {
            lists.iter().collect()
        }
        _ => vec![node],
    };
    let mut orders = Vec::new();
    for list in lists {
        if let Some(order) = nodes(reading, list, "`order`") {
            if order.len() < 2 {
                let remedy = "name two nodes or more: each completes after the one before it";
                reading.report(list.at, "this orders nothing", remedy);
            }
            orders.push(Expectation::Order(order));
        }
    }
    orders
}

/// A span, or a mapping with its bounds.
fn elapsed(reading: &Reading<'_, '_>, node: &Node) -> Option<Expectation> {
    if !matches!(node.value, Value::Map(_)) {
        return span(reading, node, "`elapsed`").map(Expectation::elapsed);
    }
    let fields = reading.members(node, "`elapsed`", &["at_least", "at_most"])?;
    let bound = |key: &str, otherwise| match fields.get(key) {
        Some(node) => span(reading, node, &format!("`{key}`")),
        None => Some(otherwise),
    };
    let (at_least, at_most) = (
        bound("at_least", Duration::ZERO)?,
        bound("at_most", SPAN_MAX)?,
    );
    if at_least > at_most {
        let message = "`at_least` is more than `at_most`";
        reading.report(fields.at, message, "nothing is between them: exchange them");
    }
    Some(Expectation::Elapsed { at_least, at_most })
}

fn attempts(reading: &Reading<'_, '_>, node: &Node) -> Vec<Expectation> {
    let mut expectations = Vec::new();
    for Member { at, key, node } in reading.mapping(node, "`attempts`").unwrap_or_default() {
        let is_known = reading.name(*at, key, Workflows::check_attempts);
        if let (true, Some(attempts)) = (is_known, count(reading, node, "the number of attempts")) {
            let node = key.clone();
            expectations.push(Expectation::Attempts { node, attempts });
        }
    }
    expectations
}

/// What is expected of the last child of a node, or of each in a list.
fn children(reading: &Reading<'_, '_>, node: &Node) -> Vec<Expectation> {
    let mut expectations = Vec::new();
    for Member {
        at,
        key,
        node: value,
    } in reading.mapping(node, "`children`").unwrap_or_default()
    {
        if !reading.name(*at, key, Workflows::check_parent) {
            continue;
        }
        let of_child = reading.of_child(key);
        let node = key.clone();
        expectations.push(match &value.value {
            Value::List(children) => {
                let children = children.iter();
                let expected = children.map(|child| read(&of_child, child)).collect();
                Expectation::Children { node, expected }
            }
            _ => {
                let expected = read(&of_child, value);
                Expectation::Child { node, expected }
            }
        });
    }
    expectations
}
