//! Signs and words for states and edges, in all pictures alike. A sign is read where colours
//! are not.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::columns::short;
use crate::data::{Edge, Node, On, Picture, When};
use crate::state::State;

/// Columns of a condition that is shown; all of it stands where a picture has room for that.
const CONDITION_COLUMNS: usize = 28;

/// The sign of a state: one column, and readable where colours are not.
#[must_use]
pub fn sign(state: State) -> &'static str {
    match state {
        State::Pending => "·",
        State::Ready | State::Scheduled => "○",
        State::Running => "▶",
        State::Waiting => "◔",
        State::BackingOff => "↻",
        State::Completed => "✓",
        State::Failed | State::Failing => "✗",
        State::Skipped => "–",
        State::Cancelled => "⊘",
    }
}

/// The name of a state, in words.
pub(crate) fn words(state: State) -> String {
    state.name().replace('_', " ")
}

/// How many instances are done (`1990/2000`), or how many iterations have begun (`×3`).
pub(crate) fn count(node: &Node) -> Option<String> {
    match node.instances {
        Some(it) if it.failed > 0 => Some(format!("{}/{}, {} failed", it.done, it.all, it.failed)),
        Some(it) => Some(format!("{}/{}", it.done, it.all)),
        None => (node.iterations > 1).then(|| format!("×{}", node.iterations)),
    }
}

/// The second line of a box: its kind, what is special about it, and what undoes it.
pub(crate) fn about(node: &Node) -> String {
    let mut about = match &node.detail {
        _ if node.is_end() => String::new(),
        Some(detail) => format!("{}: {detail}", node.kind),
        None => node.kind.clone(),
    };
    if node.is_finalizer {
        about.push_str(", at the end");
    }
    if let Some(undo) = &node.compensation {
        about.push_str(" ↩");
        if let Some(state) = undo.state {
            about.push_str(sign(state));
        }
    }
    about
}

/// All that is said of a node: a line each.
pub(crate) fn full(node: &Node) -> Vec<String> {
    let mut lines = vec![node.id.clone()];
    if !node.is_end() {
        let about = match &node.detail {
            Some(detail) => format!("{}: {detail}", node.kind),
            None => node.kind.clone(),
        };
        lines.push(about);
    }
    if node.is_finalizer {
        lines.push("runs at the end".to_owned());
    }
    if let Some(state) = node.state {
        lines.push(words(state));
    }
    if let Some(count) = count(node) {
        lines.push(match node.instances {
            Some(_) => format!("instances done: {count}"),
            None => format!("iterations: {}", node.iterations),
        });
    }
    if let Some(undo) = &node.compensation {
        let state = undo.state.map(|state| format!(", {}", words(state)));
        let state = state.unwrap_or_default();
        lines.push(format!("is undone by: {}{state}", undo.kind));
    }
    lines.extend(node.description.clone());
    lines
}

/// What has to be so for an edge, in full. `None` if nothing.
pub(crate) fn label(edge: &Edge) -> Option<String> {
    let on = match edge.on {
        On::Success => None,
        On::Failure => Some("on failure"),
        On::Always => Some("always"),
    };
    let when = match &edge.when {
        When::Always => None,
        When::Condition(condition) => Some(format!("if {condition}")),
        When::Otherwise => Some("otherwise".to_owned()),
        When::Chosen(reason) => Some((*reason).to_owned()),
        When::Never => Some("never".to_owned()),
    };
    match (on, when) {
        (None, when) => when,
        (Some(on), None) => Some(on.to_owned()),
        (Some(on), Some(when)) => Some(format!("{on}, {when}")),
    }
}

/// The same in a few columns.
pub(crate) fn short_label(edge: &Edge) -> Option<String> {
    Some(short(&label(edge)?, CONDITION_COLUMNS))
}

/// The states that are drawn, with their signs: what a legend tells.
pub(crate) fn legend(picture: &Picture) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    let mut add = |sign: &'static str, words: String| {
        if !found.iter().any(|(_, known)| *known == words) {
            found.push((sign, words));
        }
    };
    let mut undone = false;
    let mut left = vec![picture];
    while let Some(picture) = left.pop() {
        for node in &picture.nodes {
            if let Some(state) = node.state {
                add(sign(state), words(state));
            }
            undone |= node.compensation.is_some();
            left.extend(node.inner.as_deref());
        }
    }
    if undone {
        add("↩", "has a compensation".to_owned());
    }
    found
}
