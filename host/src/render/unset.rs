//! Conditions that have read what was never there.
//!
//! A path that leads nowhere is null to a condition (rule R8), so a misspelled name
//! leaves a part of a workflow out, and all else goes well. Who tells how an execution
//! ended tells of that too.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Explanation, FalseCondition, ReasonCause, Seen};
use crate::resembling::resembling;

/// A path that a condition read, and at which there was nothing to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnsetPath {
    /// The node that was skipped because the condition was false, or whose own expression
    /// it is.
    pub node_id: String,
    /// The node from which the condition's edge leads there; the same node, where the
    /// expression is its own.
    pub from_node_id: String,
    /// The condition, as the workflow has it.
    pub condition: String,
    /// The path in it, such as `state.scroe`.
    pub path: String,
    /// A path that is there and looks like it.
    pub meant: Option<String>,
}

impl fmt::Display for UnsetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node_id,
            from_node_id,
            condition,
            path,
            meant,
        } = self;
        if from_node_id == node_id {
            write!(
                f,
                "node `{node_id}` read `{condition}`: `{path}` was never set"
            )?;
        } else {
            write!(
                f,
                "node `{node_id}` was skipped, because `{condition}` was false after node `{from_node_id}`: `{path}` was never set"
            )?;
        }
        match meant {
            Some(meant) => write!(f, "; did you mean `{meant}`?"),
            None => Ok(()),
        }
    }
}

/// The paths that were never set, of those that the conditions read for which a node was
/// skipped. `state` is the execution's final state and `input` its input. A path that the
/// condition itself asks for by `has()` may be unset, and is left out.
#[must_use]
pub fn unset_paths(explanation: &Explanation, state: &Value, input: &Value) -> Vec<UnsetPath> {
    let roots = [("state", state), ("input", input)];
    let judged = judged(explanation).filter(|it| it.node_id != explanation.node_id);
    let unset = |it: &FalseCondition, path: &str| {
        unset_path(path, &roots).map(|meant| found(explanation, it, path, meant))
    };
    let paths = judged.flat_map(|it| missing(it).filter_map(move |path| unset(it, path)));
    paths.collect()
}

/// The same of the expression that a node itself was settled by: the `while` of its child's
/// repetition, or the `over` of a map. `outputs` are what its children came to, if it has
/// any: what one of them had is not told of.
#[must_use]
pub fn unset_of_node(
    explanation: &Explanation,
    state: &Value,
    input: &Value,
    outputs: &[Value],
) -> Vec<UnsetPath> {
    let unset = |path: &str| {
        let mut meant = unset_path(path, &[("state", state), ("input", input)]);
        for last in outputs.iter().filter(|_| is_rooted(path, "last")) {
            meant = Some(unset_path(path, &[("last", last)])?);
        }
        meant
    };
    let own = judged(explanation).filter(|it| it.node_id == explanation.node_id);
    let paths = own.flat_map(|it| missing(it).map(move |path| (it, path)));
    paths
        .filter_map(|(it, path)| Some(found(explanation, it, path, unset(path)?)))
        .collect()
}

/// The same of the expressions of a text, of which one came to null (see
/// [`expressions_at`](super::expressions_at)): those that are a path and nothing else.
#[must_use]
pub fn unset_in_text(
    node_id: &str,
    expressions: &[&str],
    state: &Value,
    input: &Value,
) -> Vec<UnsetPath> {
    let roots = [("state", state), ("input", input)];
    let is_path = |path: &&&str| {
        let is_of_paths = |c: char| c.is_alphanumeric() || "._[]\"".contains(c);
        path.chars().all(is_of_paths)
    };
    let unset = |path: &&str| {
        Some(UnsetPath {
            node_id: node_id.to_owned(),
            from_node_id: node_id.to_owned(),
            condition: format!("${{{path}}}"),
            path: (*path).to_owned(),
            meant: unset_path(path, &roots)?,
        })
    };
    expressions
        .iter()
        .filter(is_path)
        .filter_map(unset)
        .collect()
}

/// What is told to have been false.
fn judged(explanation: &Explanation) -> impl Iterator<Item = &FalseCondition> {
    explanation
        .reasons
        .iter()
        .filter_map(|reason| match &reason.cause {
            ReasonCause::FalseCondition(it) => Some(it),
            _ => None,
        })
}

/// The paths at which it saw nothing, but for those that it asks for itself.
fn missing(it: &FalseCondition) -> impl Iterator<Item = &str> {
    let seen = it.seen.iter().filter(|seen| seen.value == Seen::Missing);
    let paths = seen.map(|seen| seen.path.as_str());
    paths.filter(|path| !it.condition.contains(&format!("has({path})")))
}

fn found(
    explanation: &Explanation,
    it: &FalseCondition,
    path: &str,
    meant: Option<String>,
) -> UnsetPath {
    UnsetPath {
        node_id: explanation.node_id.clone(),
        from_node_id: it.node_id.clone(),
        condition: it.condition.clone(),
        path: path.to_owned(),
        meant,
    }
}

/// Whether the path begins with this root.
fn is_rooted(path: &str, root: &str) -> bool {
    let rest = path.strip_prefix(root);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// `None` if something is there, or nobody can say; else what was perhaps meant.
fn unset_path(path: &str, roots: &[(&str, &Value)]) -> Option<Option<String>> {
    let (root, value) = roots.iter().find(|(root, _)| is_rooted(path, root))?;
    let (mut value, mut rest) = (*value, &path[root.len()..]);
    let mut found = (*root).to_owned();
    while !rest.is_empty() {
        let (step, behind) = first_step(rest)?;
        let child = match value {
            Value::Object(members) => members.get(&step),
            Value::Array(elements) => step.parse().ok().and_then(|at: usize| elements.get(at)),
            _ => None,
        };
        let Some(child) = child else {
            let names = value.as_object().into_iter().flat_map(|it| it.keys());
            let meant = resembling(&step, names.map(String::as_str));
            return Some(meant.map(|meant| format!("{found}.{meant}{behind}")));
        };
        found.push_str(&rest[..rest.len() - behind.len()]);
        (value, rest) = (child, behind);
    }
    None
}

/// The first step of `.name`, `["name"]` or `[0]`, and what comes behind it. `None` if it is
/// computed.
fn first_step(path: &str) -> Option<(String, &str)> {
    if let Some(name) = path.strip_prefix('.') {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (name, behind) = name.split_at(end);
        return Some((name.to_owned(), behind));
    }
    let mut steps = serde_json::Deserializer::from_str(path.strip_prefix('[')?).into_iter();
    let step = match steps.next()?.ok()? {
        Value::String(name) => name,
        Value::Number(index) => index.to_string(),
        _ => return None,
    };
    let behind = path.get(1 + steps.byte_offset()..)?;
    Some((step, behind.strip_prefix(']')?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NodeState, Reason, SeenValue};
    use serde_json::json;

    fn unset_of(explanation: &Explanation) -> Vec<UnsetPath> {
        let state = json!({ "score": 3, "judge": { "verdict": "good", "notes": [1] } });
        unset_paths(explanation, &state, &json!({ "user": "ada" }))
    }

    fn explained(condition: &str, seen: &[(&str, Seen)]) -> Explanation {
        let seen = seen.iter().map(|(path, value)| SeenValue {
            path: (*path).to_owned(),
            value: value.clone(),
        });
        let cause = ReasonCause::FalseCondition(FalseCondition {
            node_id: "judge".to_owned(),
            condition: condition.to_owned(),
            seen: seen.collect(),
        });
        Explanation {
            node_id: "publish".to_owned(),
            state: NodeState::Skipped,
            reasons: vec![Reason {
                cause,
                remedies: Vec::new(),
            }],
        }
    }

    fn told(condition: &str, path: &str) -> Vec<String> {
        let explanation = explained(condition, &[(path, Seen::Missing)]);
        let unset = unset_of(&explanation);
        unset.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_misspelled_path_is_told_of_with_what_was_meant() {
        let said = "node `publish` was skipped, because `state.scroe > 2` was false after node `judge`: `state.scroe` was never set; did you mean `state.score`?";
        assert_eq!(told("state.scroe > 2", "state.scroe"), [said]);
    }

    #[test]
    fn r8_what_was_meant_is_looked_for_where_the_path_ends() {
        let rows = [
            ("state.jugde.verdict", Some("state.judge.verdict")),
            ("state.judge.vedict", Some("state.judge.verdict")),
            ("state[\"judge\"].vedict", Some("state[\"judge\"].verdict")),
            ("state.judge.notes[4]", None),
            ("state.judge.verdict.by", None),
            ("state.nothing_like_it", None),
            ("input.usr", Some("input.user")),
        ];
        for (path, meant) in rows {
            let explanation = explained("c", &[(path, Seen::Missing)]);
            let unset = unset_of(&explanation);
            assert_eq!(unset.len(), 1, "{path}");
            assert_eq!(unset[0].meant.as_deref(), meant, "{path}");
        }
    }

    #[test]
    fn nothing_is_told_of_what_may_be_missing_or_was_set() {
        assert_eq!(told("has(state.x) && state.y", "state.x"), [""; 0]);
        assert_eq!(told("state.score == 1", "state.score"), [""; 0], "later");
        assert_eq!(told("state[…] == 1", "state[…]"), [""; 0], "computed");
        let seen = [("state.x", Seen::Value("1".to_owned()))];
        assert_eq!(unset_of(&explained("state.x == 2", &seen)), []);
    }

    #[test]
    fn r29_what_a_text_read_is_told_of_where_it_is_a_path() {
        let (state, input) = (json!({ "score": 3 }), json!({ "user": "ada", "no": null }));
        let read = [
            "input.usr",
            "state.score",
            "input.no",
            "errors.pay.message",
            "input.a + 'x'",
            "state[state.x]",
        ];
        let unset = unset_in_text("tell", &read, &state, &input);
        let told: Vec<String> = unset.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "node `tell` read `${input.usr}`: `input.usr` was never set; did you mean `input.user`?"
            ]
        );
    }

    /// What a node itself read, and whether any of its children had it.
    #[test]
    fn r21_r23_what_a_node_read_itself_is_told_of() {
        let told = |path: &str, outputs: &[Value]| {
            let mut explanation = explained(path, &[(path, Seen::Missing)]);
            if let ReasonCause::FalseCondition(it) = &mut explanation.reasons[0].cause {
                it.node_id = "publish".to_owned();
            }
            let (state, input) = (json!({ "res": [] }), json!({}));
            assert_eq!(unset_paths(&explanation, &state, &input), []);
            let unset = unset_of_node(&explanation, &state, &input, outputs);
            unset.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            told("state.ress", &[]),
            [
                "node `publish` read `state.ress`: `state.ress` was never set; did you mean `state.res`?"
            ]
        );
        let (with, without) = (json!({ "more": true }), json!({ "mroe": 1 }));
        assert_eq!(
            told("last.mroe", std::slice::from_ref(&with)),
            [
                "node `publish` read `last.mroe`: `last.mroe` was never set; did you mean `last.more`?"
            ]
        );
        assert_eq!(told("last.mroe", &[without, with]), [""; 0]);
        assert_eq!(told("last.mroe", &[]), [""; 0]);
        assert_eq!(told("item.x", &[]), [""; 0]);
    }
}
