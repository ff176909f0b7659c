//! Conditions that have read what was never there.
//!
//! A path that leads nowhere is null to a condition (rule R8), so a misspelled name
//! leaves a part of a workflow out, and all else goes well. Who tells how an execution
//! ended tells of that too.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Explanation, ReasonCause, Seen};
use crate::resembling::resembling;

/// A path that a condition read, and at which there was nothing to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnsetPath {
    /// The node that was skipped because the condition was false.
    pub node_id: String,
    /// The node from which the condition's edge leads there.
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
        write!(
            f,
            "node `{node_id}` was skipped, because `{condition}` was false after node `{from_node_id}`: `{path}` was never set"
        )?;
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
    let mut unset = Vec::new();
    for reason in &explanation.reasons {
        let ReasonCause::FalseCondition(it) = &reason.cause else {
            continue;
        };
        for seen in it.seen.iter().filter(|seen| seen.value == Seen::Missing) {
            let path = &seen.path;
            if it.condition.contains(&format!("has({path})")) {
                continue;
            }
            if let Some(meant) = unset_path(path, state, input) {
                unset.push(UnsetPath {
                    node_id: explanation.node_id.clone(),
                    from_node_id: it.node_id.clone(),
                    condition: it.condition.clone(),
                    path: path.clone(),
                    meant,
                });
            }
        }
    }
    unset
}

/// `None` if something is there, or nobody can say; else what was perhaps meant.
fn unset_path(path: &str, state: &Value, input: &Value) -> Option<Option<String>> {
    let (root, mut rest) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
    let mut value = match root {
        "state" => state,
        "input" => input,
        _ => return None,
    };
    let mut found = root.to_owned();
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
    use crate::model::{FalseCondition, NodeState, Reason, SeenValue};
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
}
