//! Short names in the place of those that a workflow and its workers use: the fewer words
//! are left, the less a log says of who wrote it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::case::Case;
use super::nodes::retarget;
use super::spots::{self, Document};
use super::{facts, spots::documents};
use crate::model::EventKind;

/// Other names for these nodes.
pub(super) type Names = BTreeMap<String, String>;

/// Short names for all nodes, in the order in which the scheduler takes equals (rule R2).
/// `None` if they have them already.
pub(super) fn short(case: &Case) -> Option<Names> {
    let nodes: Vec<&String> = case.nodes().collect();
    let digits = nodes.len().to_string().len();
    let name = |place: usize| match u8::try_from(place) {
        Ok(letter) if nodes.len() <= 26 => char::from(b'a' + letter).to_string(),
        _ => format!("n{place:0digits$}"),
    };
    let named = nodes.iter().enumerate();
    let names: Names = named
        .map(|(place, id)| ((*id).clone(), name(place)))
        .collect();
    names.iter().any(|(old, new)| old != new).then_some(names)
}

/// The case with other names of nodes.
pub(super) fn renamed(case: &Case, names: &Names) -> Case {
    let name = |id: &str| names.get(id).cloned();
    let mut renamed = case.clone();
    let workflow = &mut renamed.workflow;
    let rename = |value: &mut Value| {
        if let Some(new) = value.as_str().and_then(name) {
            *value = new.into();
        }
    };
    rename(&mut workflow["start_node"]);
    for edge in workflow["edges"].as_array_mut().into_iter().flatten() {
        rename(&mut edge["from"]);
        rename(&mut edge["to"]);
    }
    if let Some(nodes) = workflow["nodes"].as_object_mut() {
        let all = std::mem::take(nodes).into_iter().map(|(id, mut node)| {
            if node.get("id").is_some() {
                rename(&mut node["id"]);
            }
            retarget(&mut node["kind"], &|id| {
                vec![name(id).unwrap_or_else(|| id.to_owned())]
            });
            (name(&id).unwrap_or(id), node)
        });
        *nodes = all.collect();
    }
    for fact in renamed.facts_mut() {
        facts::rename(fact, &name);
    }
    renamed
}

/// The words that came from the world: keys and texts of its JSON, and the keys of signals.
/// Those that are short already are not among them.
pub(super) fn words(case: &Case) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for (document, value) in documents(case) {
        if document == Document::Workflow {
            continue;
        }
        let mut open = vec![&value];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => drop(words.insert(text.clone())),
                Value::Array(items) => open.extend(items),
                Value::Object(fields) => {
                    words.extend(fields.keys().cloned());
                    open.extend(fields.values());
                }
                _ => {}
            }
        }
    }
    words.extend(case.facts().filter_map(|fact| match fact {
        EventKind::ExternalEventReceived(it) => Some(it.correlation_key.clone()),
        _ => None,
    }));
    words.retain(|word| !is_short(word));
    words
}

/// A word that is short, or empty.
fn is_short(word: &str) -> bool {
    let mut rest = word.strip_prefix('x').unwrap_or("-").chars();
    word.len() < 2 || rest.all(|c| c.is_ascii_digit())
}

/// A short word that the case does not have.
pub(super) fn unused(case: &Case) -> String {
    let texts = documents(case)
        .into_iter()
        .map(|(_, value)| value.to_string());
    let texts: Vec<String> = texts.collect();
    let is_used = |word: &str| texts.iter().any(|text| text.contains(word));
    let mut words = (0_u32..).map(|number| format!("x{number}"));
    words.find(|word| !is_used(word)).unwrap_or_default()
}

/// The case with one word in the place of another, wherever it stands.
pub(super) fn reworded(case: &Case, old: &str, new: &str) -> Case {
    let mut other = case.clone();
    for (document, mut value) in documents(case) {
        reword(&mut value, document == Document::Workflow, old, new);
        spots::put(&mut other, document, value);
    }
    for fact in other.facts_mut() {
        if let EventKind::ExternalEventReceived(it) = fact
            && it.correlation_key == old
        {
            new.clone_into(&mut it.correlation_key);
        }
    }
    other
}

/// `is_program`: texts may hold expressions, in which the word is one of many.
fn reword(value: &mut Value, is_program: bool, old: &str, new: &str) {
    match value {
        Value::String(text) if is_program => *text = replaced(text, old, new),
        Value::String(text) if text == old => new.clone_into(text),
        Value::Array(items) => {
            for item in items {
                reword(item, is_program, old, new);
            }
        }
        Value::Object(fields) => {
            let all = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                reword(&mut value, is_program, old, new);
                let is_it = name == old && !is_program;
                (if is_it { new.to_owned() } else { name }, value)
            });
            *fields = all.collect();
        }
        _ => {}
    }
}

/// The text with one word in the place of another; not where it is part of a longer one.
fn replaced(text: &str, old: &str, new: &str) -> String {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        let left = before.chars().next_back().or(replaced.chars().next_back());
        let is_word = !is_part(left) && !is_part(after.chars().next());
        replaced.push_str(before);
        replaced.push_str(if is_word { new } else { old });
        rest = after;
    }
    replaced + rest
}
