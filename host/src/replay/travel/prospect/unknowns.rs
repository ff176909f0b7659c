//! What a workflow asks of results that are not known yet: conditions of edges and branches,
//! loops, expressions. For each there is a guess, and the workflow's text is written with the
//! guesses in their place.
//!
//! A node that was settled has judged its conditions: these stay as they are, so that the log
//! leads to the same with either text.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answer::Assumption;
use crate::graph::On;
use crate::model::{Event, EventKind, NodeState, Status, Timestamp};
use crate::replay::nodes::{Node, Nodes};
use crate::time::rfc3339;

/// What is not known of a workflow at a place of its log.
#[derive(Debug)]
pub(super) struct Unknowns {
    workflow: Value,
    pub(super) conditions: Vec<Condition>,
    loops: Vec<Loop>,
    /// What time it is.
    now: Timestamp,
}

/// A condition of an edge, or of a branch.
#[derive(Debug)]
pub(super) struct Condition {
    /// Where it stands, a JSON pointer.
    pointer: String,
    pub(super) from: String,
    pub(super) to: String,
    text: String,
    pub(super) on: On,
    /// Its place among the branches of its node. `None` if it is that of an edge.
    pub(super) branch: Option<usize>,
}

/// A loop that has not ended.
#[derive(Debug)]
struct Loop {
    pointer: String,
    node_id: String,
    text: String,
    /// The iteration with which it is taken to end, from 0.
    iteration: u32,
}

/// What is guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guesses {
    /// For each condition, whether it holds.
    pub(super) holds: Vec<bool>,
    /// Expressions that are taken to have a value: the node, and a pointer into it.
    pub(super) values: BTreeSet<(String, String)>,
    /// The nodes whose loops are taken to go on; all others end.
    pub(super) endless: BTreeSet<String>,
}

impl Condition {
    fn is_judged_on(&self, failure: bool) -> bool {
        match self.on {
            On::Always => true,
            On::Success => !failure,
            On::Failure => failure,
        }
    }
}

impl Unknowns {
    /// Those of this workflow, a valid one, where its nodes are in these states.
    pub(super) fn of(
        workflow: &Value,
        nodes: &Nodes,
        state: impl Fn(&str) -> NodeState,
        now: Timestamp,
    ) -> Self {
        let mut conditions = of_edges(workflow, &state);
        let mut loops = Vec::new();
        for (id, node) in workflow["nodes"].as_object().into_iter().flatten() {
            if is_settled(state(id)) {
                continue;
            }
            conditions.extend(of_branches(id, &node["kind"]));
            loops.extend(of_loop(id, &node["kind"], nodes));
        }
        Self {
            workflow: workflow.clone(),
            conditions,
            loops,
            now,
        }
    }

    /// Guesses by which only these conditions hold.
    pub(super) fn guesses(&self, holds: impl Fn(&Condition) -> bool) -> Guesses {
        Guesses {
            holds: self.conditions.iter().map(holds).collect(),
            values: BTreeSet::new(),
            endless: BTreeSet::new(),
        }
    }

    /// The workflow's text with the guesses in the place of what they are about. `None` if
    /// nothing is guessed.
    pub(super) fn text(&self, guesses: &Guesses) -> Option<String> {
        if self.are_none() && guesses.values.is_empty() {
            return None;
        }
        let mut workflow = self.workflow.clone();
        let mut put = |pointer: &str, text: String| {
            if let Some(place) = workflow.pointer_mut(pointer) {
                *place = text.into();
            }
        };
        for (number, (condition, holds)) in self.conditions.iter().zip(&guesses.holds).enumerate() {
            // Edges with the same ends and the same condition would be one.
            let relation = if *holds { "!=" } else { "==" };
            put(&condition.pointer, format!("\"{number}\" {relation} \"\""));
        }
        for it in &self.loops {
            let end = match guesses.endless.contains(&it.node_id) {
                true => u32::MAX,
                false => it.iteration,
            };
            put(&it.pointer, format!("iteration < {end}"));
        }
        for (node, pointer) in &guesses.values {
            let place = format!("/nodes/{node}{pointer}");
            let value = self.value(&place, pointer);
            if let Some(place) = workflow.pointer_mut(&place) {
                *place = value.into();
            }
        }
        Some(workflow.to_string())
    }

    /// Whether an expression of a node may come to something else when more results are known.
    pub(super) fn may_change(&self, node: &str, pointer: &str) -> bool {
        let text = self.workflow["nodes"][node].pointer(pointer);
        let text = text.and_then(Value::as_str);
        text.is_some_and(|text| reads(text, &OF_RESULTS_IN_EXPRESSIONS))
    }

    /// A text with a value, in the place of an expression.
    fn value(&self, place: &str, pointer: &str) -> String {
        let text = self.workflow.pointer(place).and_then(Value::as_str);
        let field = pointer.rsplit('/').next().unwrap_or_default();
        match field {
            _ if pointer == OVER => "[0]".to_owned(),
            _ if pointer.contains("/input_mapping/") => "0".to_owned(),
            UNTIL => rfc3339(self.unknown_until()).unwrap_or_default(),
            // What the key is like is worth knowing.
            "correlation_key" => text.unwrap_or_default().replace("${", "$${"),
            "url" => "http://unknown.invalid/".to_owned(),
            _ => "?".to_owned(),
        }
    }

    /// The time that is taken for the ends of waits that are not known. `None` if none was
    /// guessed.
    pub(super) fn guessed_time(&self, guesses: &Guesses) -> Option<Timestamp> {
        let mut values = guesses.values.iter();
        let is_of_wait =
            |(_, pointer): &(String, String)| pointer.rsplit('/').next() == Some(UNTIL);
        values.any(is_of_wait).then(|| self.unknown_until())
    }

    fn unknown_until(&self) -> Timestamp {
        self.now.saturating_add(UNKNOWN_WAIT_MS)
    }

    /// The conditions that were judged by what these events say, by their places.
    pub(super) fn judged(&self, events: &[Event], guesses: &Guesses) -> Vec<usize> {
        let mut judged = BTreeSet::new();
        for event in events {
            let Some((node, is_failure, chosen)) = self.settled(&event.kind) else {
                continue;
            };
            let own = self.conditions.iter().enumerate();
            let own = own.filter(|(_, it)| it.from == node);
            let mut is_decided = false;
            for (number, it) in own {
                match it.branch {
                    Some(_) if !is_decided => {
                        judged.insert(number);
                        is_decided = guesses.holds[number] || self.is_before(it, chosen);
                    }
                    None if chosen.is_none() && it.is_judged_on(is_failure) => {
                        judged.insert(number);
                    }
                    _ => {}
                }
            }
        }
        judged.into_iter().collect()
    }

    /// Whether a branch without a condition, which is the chosen one, comes next.
    fn is_before(&self, condition: &Condition, chosen: Option<&str>) -> bool {
        let kind = &self.workflow["nodes"][&condition.from]["kind"];
        let next = condition.branch.map(|place| &kind["branches"][place + 1]);
        next.is_some_and(|it| {
            it["condition"].is_null() && it["target"].as_str().is_some_and(|it| chosen == Some(it))
        })
    }

    /// The node that judges its edges by an event, whether it does so on a failure, and the
    /// target that it has chosen.
    fn settled<'e>(&self, kind: &'e EventKind) -> Option<(&'e str, bool, Option<&'e str>)> {
        Some(match kind {
            EventKind::NodeCompleted(it) => (&it.node_id, false, it.chosen_target.as_deref()),
            EventKind::NodeSettled(it) => (&it.node_id, false, it.chosen_target.as_deref()),
            EventKind::NodeExhausted(it) => (&it.node_id, true, None),
            EventKind::ChildEnded(it) if it.status == Status::Completed => {
                (&it.node_id, false, None)
            }
            EventKind::ChildStarted(it)
                if self.workflow["nodes"][&it.node_id]["kind"]["detached"] == true =>
            {
                (&it.node_id, false, None)
            }
            _ => return None,
        })
    }

    /// That a condition comes to what is guessed.
    pub(super) fn condition_assumed(&self, number: usize, guesses: &Guesses) -> Assumption {
        let condition = &self.conditions[number];
        Assumption::Condition {
            from: condition.from.clone(),
            to: condition.to.clone(),
            condition: condition.text.clone(),
            holds: guesses.holds[number],
        }
    }

    /// The nodes whose loops have not ended, each with the condition to go on.
    pub(super) fn loops(&self) -> impl Iterator<Item = (&str, &str)> {
        let loops = self.loops.iter();
        loops.map(|it| (it.node_id.as_str(), it.text.as_str()))
    }

    /// Whether all that the workflow asks is known. Expressions are not looked at.
    pub(super) fn are_none(&self) -> bool {
        self.conditions.is_empty() && self.loops.is_empty()
    }
}

/// What a map is over.
pub(super) const OVER: &str = "/kind/over";

/// The field of a wait that says its end.
const UNTIL: &str = "until";

/// How long a wait is taken to be whose end is not known, in milliseconds.
const UNKNOWN_WAIT_MS: u64 = 60 * 60 * 1000;

/// What results are read by in conditions; what else they read is known.
const OF_RESULTS: [&str; 2] = ["state", "error"];

/// What results are read by in expressions.
const OF_RESULTS_IN_EXPRESSIONS: [&str; 5] = ["state", "errors", "last", "item", "output"];

/// Whether a text in the language of conditions reads one of these. It may be said to where
/// it does not, and not the other way round.
fn reads(text: &str, roots: &[&str]) -> bool {
    let is_of_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let is_root = |(at, root): (usize, &str)| {
        let before = text[..at].chars().next_back();
        let after = text[at + root.len()..].chars().next();
        !before.is_some_and(|c| is_of_word(c) || ".\"'".contains(c))
            && !after.is_some_and(is_of_word)
    };
    roots
        .iter()
        .any(|root| text.match_indices(root).any(is_root))
}

/// Whether a node has judged the edges that lead on from it, or never will.
pub(super) fn is_settled(state: NodeState) -> bool {
    matches!(
        state,
        NodeState::Completed | NodeState::Skipped | NodeState::Cancelled
    )
}

fn of_edges(workflow: &Value, state: impl Fn(&str) -> NodeState) -> Vec<Condition> {
    let edges = workflow["edges"].as_array().into_iter().flatten();
    let conditions = edges.enumerate().filter_map(|(place, edge)| {
        let from = edge["from"].as_str()?;
        let on = match edge["on"].as_str() {
            Some("failure") => On::Failure,
            Some("always") => On::Always,
            _ => On::Success,
        };
        // A failure that was not handled has judged what may handle it.
        let is_open = match state(from) {
            NodeState::Failed => on == On::Success,
            state => !is_settled(state),
        };
        // Of a node with branches, these decide.
        let is_judged = is_open && !has_branches(&workflow["nodes"][from]["kind"]);
        let text = edge["condition"].as_str().filter(|_| is_judged);
        let text = text.filter(|text| reads(text, &OF_RESULTS))?;
        Some(Condition {
            pointer: format!("/edges/{place}/condition"),
            from: from.to_owned(),
            to: edge["to"].as_str()?.to_owned(),
            text: text.to_owned(),
            on,
            branch: None,
        })
    });
    conditions.collect()
}

fn of_branches(id: &str, kind: &Value) -> Vec<Condition> {
    let branches = kind["branches"].as_array();
    let branches = branches.filter(|_| has_branches(kind));
    let branches = branches.into_iter().flatten().enumerate();
    let conditions = branches.filter_map(|(place, branch)| {
        let text = branch["condition"].as_str();
        let text = text.filter(|text| reads(text, &OF_RESULTS))?;
        Some(Condition {
            pointer: format!("/nodes/{id}/kind/branches/{place}/condition"),
            from: id.to_owned(),
            to: branch["target"].as_str()?.to_owned(),
            text: text.to_owned(),
            on: On::Success,
            branch: Some(place),
        })
    });
    conditions.collect()
}

fn has_branches(kind: &Value) -> bool {
    let branches = kind["branches"].as_array();
    kind["type"] == "condition" && branches.is_some_and(|branches| !branches.is_empty())
}

/// The loop of a node. `None` if it has none, or the instances of a map are in different
/// iterations: each goes on then as its own condition says.
fn of_loop(id: &str, kind: &Value, nodes: &Nodes) -> Option<Loop> {
    let is_map = kind["type"] == "map";
    let within = if is_map { "/body/repeat" } else { "/repeat" };
    let text = kind.pointer(within)?["while"].as_str()?;
    let begun = |node: &Node| node.iterations.saturating_sub(1);
    let iteration = match is_map {
        false => nodes.named(id).map_or(0, begun),
        true => {
            let instances = nodes.iter().filter(|node| node.map() == Some(id));
            let iterations: BTreeSet<u32> = instances.map(begun).collect();
            match (iterations.len(), iterations.first()) {
                (0, _) => 0,
                (1, Some(iteration)) => *iteration,
                _ => return None,
            }
        }
    };
    Some(Loop {
        pointer: format!("/nodes/{id}/kind{within}/while"),
        node_id: id.to_owned(),
        text: text.to_owned(),
        iteration,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_results_is_told_from_what_does_not() {
        for (text, expected) in [
            ("state.x == 1", true),
            ("!state.x", true),
            ("input.n > size(state.list)", true),
            ("error.class == \"io\"", true),
            ("input.go", false),
            ("input.state == 1 && input[\"state\"]", false),
            ("\"state\" == input.x", false),
            ("input.x in [1, 2] || interstate", false),
        ] {
            assert_eq!(reads(text, &OF_RESULTS), expected, "{text}");
        }
    }
}
