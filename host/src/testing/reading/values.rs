//! Values of one kind each: texts, spans, nodes, JSON.

use std::time::Duration;

use super::fields::Reading;
use crate::json::Json;
use crate::testing::graph::{END, Workflows};
use crate::testing::text::span::{LOOKS_LIKE, parse_span};
use crate::testing::text::value::{Node, Value};

/// A text.
pub(super) fn text(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => {
            let message = format!("{what} is a text, and this is {}", node.kind());
            reading.report(node.at, message, "put it in quotation marks");
            None
        }
        _ => {
            reading.is_not(node, what, "a text");
            None
        }
    }
}

/// True or false.
pub(super) fn flag(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<bool> {
    match &node.value {
        Value::Bool(is) => Some(*is),
        _ => {
            reading.is_not(node, what, "true or false");
            None
        }
    }
}

/// The word `true`, for keys that say all by themselves.
pub(super) fn must_be_true(reading: &Reading<'_, '_>, node: &Node, what: &str) {
    if node.value != Value::Bool(true) {
        let message = format!("{what} is `true`, and nothing else");
        reading.report(node.at, message, "write `true`, or leave the key out");
    }
}

/// A whole number.
pub(super) fn count(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<u32> {
    let number = match &node.value {
        Value::Number(number) => number.parse().ok(),
        _ => None,
    };
    if number.is_none() {
        let message = format!("{what} is a whole number, from 0 to {}", u32::MAX);
        reading.report(node.at, message, "write such a number");
    }
    number
}

/// A span of time.
pub(super) fn span(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<Duration> {
    let span = match &node.value {
        Value::Text(text) => parse_span(text),
        Value::Number(number) => parse_span(number),
        _ => None,
    };
    if span.is_none() {
        let message = format!("{what} is a span of time, and this is none");
        reading.report(node.at, message, LOOKS_LIKE);
    }
    span
}

/// A list of nodes of the workflow.
pub(super) fn nodes(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<Vec<String>> {
    let Value::List(names) = &node.value else {
        reading.is_not(node, what, "a list of nodes");
        return None;
    };
    let names = names.iter().map(|name| self::node(reading, name, what));
    // Each is looked at, so that each fault is told.
    let names: Vec<Option<String>> = names.collect();
    names.into_iter().collect()
}

/// A node of the workflow.
pub(super) fn node(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<String> {
    let name = text(reading, node, what)?;
    let is_there = reading.name(node.at, &name, Workflows::check_node);
    is_there.then_some(name)
}

/// A node of the workflow, or its end.
pub(super) fn target(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<String> {
    match &node.value {
        Value::Text(end) if end == END => Some(end.clone()),
        _ => self::node(reading, node, what),
    }
}

/// JSON of any kind.
pub(super) fn json(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<Json> {
    match Json::from_text(node.json()) {
        Ok(json) => Some(json),
        Err(error) => {
            let message = format!("{what} is not accepted: {}", error.problem);
            reading.report(node.at, message, error.remedy);
            None
        }
    }
}

/// A JSON object.
pub(super) fn object(reading: &Reading<'_, '_>, node: &Node, what: &str) -> Option<Json> {
    reading.mapping(node, what)?;
    json(reading, node, what)
}
