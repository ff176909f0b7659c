//! The edges of a workflow's text, and how each becomes live.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::Value;

/// An edge, one inside a kind included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The id of the node that it comes from.
    pub from: String,
    /// That of the node that it leads to, or [`END`](super::END).
    pub to: String,
    /// How it becomes live when its source completes without a choice.
    pub rule: Rule,
    /// What has to become of its source.
    pub on: On,
}

/// What has to become of the source of an edge (rules R7 and R26).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// It completes.
    #[default]
    Success,
    /// Either of them.
    Always,
    /// It fails for good.
    Failure,
}

/// How an edge becomes live when its source completes without a choice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It does not.
    Chosen,
    /// If this holds, where it has a condition.
    Ordinary(Option<String>),
    /// It does; a kind names its end.
    Implied,
}

#[derive(Deserialize)]
pub(super) struct EdgeText {
    from: String,
    to: String,
    #[serde(default)]
    condition: Option<String>,
    #[serde(default)]
    on: Option<On>,
}

impl On {
    /// Its name, where it is not the usual one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Success => None,
            Self::Always => Some("always"),
            Self::Failure => Some("failure"),
        }
    }
}

impl Edge {
    pub(super) fn written(edge: EdgeText) -> Self {
        Self {
            from: edge.from,
            to: edge.to,
            rule: Rule::Ordinary(edge.condition),
            on: edge.on.unwrap_or_default(),
        }
    }
}

pub(super) fn name(kind: &Value) -> &str {
    kind["type"].as_str().unwrap_or_default()
}

pub(super) fn has_branches(kind: &Value) -> bool {
    let branches = kind["branches"].as_array();
    name(kind) == "condition" && branches.is_some_and(|branches| !branches.is_empty())
}

/// The edges inside a kind.
pub(super) fn targets(id: &str, kind: &Value) -> Vec<Edge> {
    let edge = |from: &str, to: &str, rule| Edge {
        from: from.to_owned(),
        to: to.to_owned(),
        rule,
        on: On::Success,
    };
    let one = |to: &Value| match to.as_str() {
        Some(to) => vec![edge(id, to, Rule::Chosen)],
        None => Vec::new(),
    };
    let each = |list: &Value| -> Vec<String> {
        let names = list.as_array().into_iter().flatten();
        names
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect()
    };
    match name(kind) {
        "condition" => {
            let branches = kind["branches"].as_array().into_iter().flatten();
            branches.flat_map(|branch| one(&branch["target"])).collect()
        }
        "parallel" => {
            let names = each(&kind["branches"]).into_iter();
            names.map(|to| edge(id, &to, Rule::Implied)).collect()
        }
        "join" => {
            let names = each(&kind["wait_for"]).into_iter();
            names.map(|from| edge(&from, id, Rule::Implied)).collect()
        }
        "human_approval" => one(&kind["fallback_node"]),
        "a2a_task" => one(&kind["on_input_required"]),
        "policy" => one(&kind["on_violation"]["branch"]["target"]),
        _ => Vec::new(),
    }
}

/// Makes one edge of what is one: exact repeats, an implied edge and the one written for
/// it, a choice and the edge written for it. What the latter says of a failure stays an
/// edge of its own.
pub(super) fn merged(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort();
    let mut merged: Vec<Edge> = Vec::with_capacity(edges.len());
    let mut choice = None;
    for mut edge in edges {
        let ends = (edge.from.clone(), edge.to.clone());
        let is_chosen = choice.as_ref() == Some(&ends);
        if is_chosen && edge.on == On::Always {
            edge.on = On::Failure;
        }
        let before = merged
            .last()
            .filter(|before| (&before.from, &before.to) == (&edge.from, &edge.to));
        let is_told = match (&edge.rule, before) {
            (Rule::Chosen, _) => is_chosen,
            (Rule::Implied, before) => before.is_some(),
            (Rule::Ordinary(_), before) => {
                (is_chosen && edge.on == On::Success) || before == Some(&edge)
            }
        };
        if is_told {
            continue;
        }
        if edge.rule == Rule::Chosen {
            choice = Some(ends);
        }
        merged.push(edge);
    }
    merged
}
