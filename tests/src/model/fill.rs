//! Texts with expressions in them, resolved (rule R29).

use refrain_guest::condition::{Expression, Roots};
use refrain_guest::contract::NodeFailure;
use serde_json::{Value, json};

use super::graph::Graph;
use super::node::Node;
use super::past::Past;
use super::record::Stage;

/// The bytes that a payload may have.
const PAYLOAD_BYTES: usize = 4 * 1024 * 1024;

/// The fields whose texts may hold expressions, by kind.
const FIELDS: [(&str, &[&str]); 2] = [
    ("command", &["argv", "cwd", "env"]),
    ("http", &["url", "headers", "body"]),
];

/// A node's kind as a worker is given it, and where the worker puts something into it, as
/// JSON pointers; or why there is none to give.
///
/// # Panics
/// The kind holds expressions and is not written as `serde_json` writes it. Then this
/// would lose how it is spelt.
pub(super) fn kind(
    graph: &Graph,
    past: &Past,
    node: usize,
) -> Result<(String, Vec<String>), NodeFailure> {
    let it = &graph.nodes[node];
    let fields = FIELDS.iter().find(|(name, _)| *name == it.name());
    let is_task = it.name() == "task";
    if !it.kind_text.contains("${") || (fields.is_none() && !is_task) {
        return Ok((it.kind_text.clone(), Vec::new()));
    }
    let may_hold = |name: &str| match fields {
        Some((_, fields)) => fields.contains(&name),
        None => !["type", "queue", "input_mapping"].contains(&name),
    };
    assert_eq!(
        it.kind().to_string(),
        it.kind_text,
        "it is written otherwise"
    );
    let (mut parts, mut templates) = (Vec::new(), Vec::new());
    for (name, value) in it.kind().as_object().expect("a kind is an object") {
        let at = place(it);
        let pointer = format!("{at}/{name}");
        let value = match may_hold(name) {
            true => filled(past, it, value, &pointer, &mut templates)?,
            false => value.to_string(),
        };
        parts.push(format!("{}:{value}", json!(name)));
    }
    let kind = format!("{{{}}}", parts.join(","));
    assert!(
        kind.len() <= PAYLOAD_BYTES,
        "no generated value is so large"
    );
    Ok((kind, templates))
}

/// Where the kind of a node, of an instance, or of a compensation stands in the node.
fn place(it: &Node) -> &'static str {
    match it.instance {
        _ if it.undo.is_some() => "/compensate",
        None => "/kind",
        Some(_) => "/kind/body",
    }
}

fn filled(
    past: &Past,
    it: &Node,
    value: &Value,
    pointer: &str,
    templates: &mut Vec<String>,
) -> Result<String, NodeFailure> {
    match value {
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let items: Result<Vec<_>, _> = items
                .map(|(index, item)| {
                    filled(past, it, item, &format!("{pointer}/{index}"), templates)
                })
                .collect();
            Ok(format!("[{}]", items?.join(",")))
        }
        Value::Object(members) => {
            let members: Result<Vec<_>, _> = members
                .iter()
                .map(|(key, value)| {
                    let value = filled(past, it, value, &format!("{pointer}/{key}"), templates)?;
                    Ok(format!("{}:{value}", json!(key)))
                })
                .collect();
            Ok(format!("{{{}}}", members?.join(",")))
        }
        Value::String(text) => {
            let unresolved = || NodeFailure::UnresolvedExpression(pointer.to_owned());
            let in_url = pointer == format!("{}/url", place(it));
            let is_template = |(_, inner): &(_, Option<String>)| {
                inner
                    .as_deref()
                    .is_some_and(|inner| put_in(inner).is_some())
            };
            if parts(text).iter().any(is_template) {
                // Of an instance, the payload has the body in the place of the kind.
                templates.push(pointer.replacen(place(it), "/kind", 1));
                let template = template(past, it, text, in_url);
                return Ok(json!(template.ok_or_else(unresolved)?).to_string());
            }
            json_of(past, it, text, in_url).ok_or_else(unresolved)
        }
        other => Ok(other.to_string()),
    }
}

/// What a text comes to, as JSON; None: there is null in it.
fn json_of(past: &Past, it: &Node, text: &str, in_url: bool) -> Option<String> {
    let parts = parts(text);
    match &*parts {
        [(before, Some(alone))] if before.is_empty() => {
            let value = past.value_in(it, alone);
            (value != "null").then_some(value)
        }
        _ => Some(json!(text_of(past, it, text, in_url)?).to_string()),
    }
}

/// What a text comes to, as a text; None: there is null in it.
pub(super) fn text_of(past: &Past, it: &Node, text: &str, in_url: bool) -> Option<String> {
    let mut filled = String::new();
    for (literal, expression) in parts(text) {
        filled += &literal;
        let Some(expression) = expression else {
            continue;
        };
        let value = past.value_in(it, &expression);
        let value = match serde_json::from_str(&value).expect("a value is JSON") {
            Value::Null => return None,
            Value::String(text) => text,
            _ => value,
        };
        filled += &if in_url { percent(&value) } else { value };
    }
    Some(filled)
}

/// What the worker puts in, as a payload has it, if this is what stands in a text.
fn put_in(inner: &str) -> Option<String> {
    let inner = inner.trim();
    let is_it = inner == "execution_id" || inner.starts_with("secret.");
    is_it.then(|| format!("${{{inner}}}"))
}

/// What a text comes to into which the worker puts something; None: there is null in it.
fn template(past: &Past, it: &Node, text: &str, in_url: bool) -> Option<String> {
    let (mut template, mut between) = (String::new(), String::new());
    for (literal, inner) in parts(text) {
        between += &literal;
        let Some(inner) = inner else {
            continue;
        };
        match put_in(&inner) {
            None => between += &text_of(past, it, &format!("${{{inner}}}"), in_url)?,
            Some(put_in) => {
                // Dollars at the end would be read together with what follows.
                let without = between.trim_end_matches('$').to_owned();
                template += &without.replace("${", "$${");
                template += &"${'$'}".repeat(between.len() - without.len());
                template += &put_in;
                between.clear();
            }
        }
    }
    Some(template + &between.replace("${", "$${"))
}

fn percent(value: &str) -> String {
    let byte = |byte: u8| match char::from(byte) {
        plain @ ('a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | '~') => plain.to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}

/// Literals, each with the expression that follows it; the last may have none.
fn parts(text: &str) -> Vec<(String, Option<String>)> {
    let mut parts = vec![(String::new(), None)];
    let mut rest = text;
    while let Some(place) = rest.find("${") {
        let (before, after) = (&rest[..place], &rest[place + 2..]);
        let last = parts.len() - 1;
        if before.ends_with('$') {
            parts[last].0 += &rest[..place - 1];
            parts[last].0 += "${";
            rest = after;
            continue;
        }
        parts[last].0 += before;
        // The first brace behind which there is an expression: those in texts are not.
        let is_one = |end: &usize| {
            let inner = &after[..*end];
            put_in(inner).is_some()
                || Expression::parse_over(inner, Roots::OF_UNDONE_INSTANCES).is_ok()
        };
        let ends = after.match_indices('}').map(|(end, _)| end);
        let end = ends
            .into_iter()
            .find(is_one)
            .expect("a valid workflow's expressions end");
        parts[last].1 = Some(after[..end].to_owned());
        rest = &after[end + 1..];
        parts.push((String::new(), None));
    }
    let last = parts.len() - 1;
    parts[last].0 += rest;
    if last > 0 && parts[last].0.is_empty() {
        parts.pop();
    }
    parts
}

/// The correlation key that a wait has, or would have if it began now (rule R19).
pub(super) fn key(graph: &Graph, past: &Past, node: usize) -> Option<String> {
    if !graph.waits_for_event(node) {
        return None;
    }
    if let Stage::Waiting(wait) = &past.nodes[node].stage {
        return wait.key.clone();
    }
    let it = &graph.nodes[node];
    let key = text_of(past, it, it.text("correlation_key")?, false);
    key.filter(|key| !key.is_empty())
}
