//! Expectations against what happened.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::case::Expectation;
use super::play::{Played, PlayedRun};
use super::settled::by_a_child;
use super::text::span::{SPAN_MAX, span_text};
use crate::model::{Event, EventKind};
use crate::names;

/// What came of one expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// What is expected something of: the key of the test file.
    pub subject: String,
    /// What is expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Whether that is the same.
    pub is_met: bool,
}

/// The verdicts on a case: on what did not go as it says, then on each expectation.
pub(super) fn judge(expectations: &[Expectation], played: &Played<'_>) -> Vec<Verdict> {
    let differences = played
        .differences
        .iter()
        .map(|(subject, expected, found)| Verdict {
            subject: subject.clone(),
            expected: expected.clone(),
            found: found.clone(),
            is_met: false,
        });
    let judged = verdicts(expectations, played.subject(), played);
    differences.chain(judged).collect()
}

/// The verdicts on one execution of a case.
fn verdicts(
    expectations: &[Expectation],
    run: &PlayedRun<'_>,
    played: &Played<'_>,
) -> Vec<Verdict> {
    let facts = Facts::of(run);
    let verdicts = expectations.iter().map(|expectation| match expectation {
        Expectation::Child { node, expected } => {
            let children = played.children_of(&format!("{}{node}", run.way));
            of_child(
                &format!("child of {node}"),
                expected,
                children.last().copied(),
                played,
            )
        }
        Expectation::Children { node, expected } => of_children(node, expected, run, played),
        _ => vec![verdict(expectation, run, &facts)],
    });
    verdicts.flatten().collect()
}

/// The verdicts on each child of a node, and on their number.
fn of_children(
    node: &str,
    expected: &[Vec<Expectation>],
    run: &PlayedRun<'_>,
    played: &Played<'_>,
) -> Vec<Verdict> {
    let children = played.children_of(&format!("{}{node}", run.way));
    let number = Verdict {
        subject: format!("children of {node}"),
        expected: expected.len().to_string(),
        found: children.len().to_string(),
        is_met: expected.len() == children.len(),
    };
    let mut verdicts = vec![number];
    for (place, expected) in expected.iter().enumerate() {
        let subject = format!("child {} of {node}", place + 1);
        verdicts.extend(of_child(
            &subject,
            expected,
            children.get(place).copied(),
            played,
        ));
    }
    verdicts
}

fn of_child(
    subject: &str,
    expected: &[Expectation],
    child: Option<&PlayedRun<'_>>,
    played: &Played<'_>,
) -> Vec<Verdict> {
    let Some(child) = child else {
        return vec![Verdict {
            subject: subject.to_owned(),
            expected: "it is started".to_owned(),
            found: "it is not".to_owned(),
            is_met: false,
        }];
    };
    let mut verdicts = verdicts(expected, child, played);
    for verdict in &mut verdicts {
        verdict.subject = format!("{subject}: {}", verdict.subject);
    }
    verdicts
}

/// The simulated time from the first to the last event.
pub(super) fn elapsed(events: &[Event]) -> Duration {
    let at = |event: Option<&Event>| event.map_or(0, |event| event.at);
    Duration::from_millis(at(events.last()).saturating_sub(at(events.first())))
}

/// What became of a node, as far as expectations ask for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Completed,
    Failed,
    Skipped,
    Cancelled,
}

/// What a log says of its nodes.
#[derive(Default)]
struct Facts {
    /// Those that completed, in order.
    path: Vec<String>,
    fates: BTreeMap<String, Fate>,
    /// The latest attempt that was begun.
    attempts: BTreeMap<String, u32>,
}

impl Facts {
    fn of(run: &PlayedRun<'_>) -> Self {
        let mut facts = Self::default();
        for (place, event) in run.events.iter().enumerate() {
            facts.take(&event.kind);
            let by_a_child = run.graph.and_then(|it| by_a_child(it, &run.events, place));
            if let Some((node, _)) = by_a_child {
                facts.settle(node, Fate::Completed);
            }
        }
        facts
    }

    fn take(&mut self, kind: &EventKind) {
        let (node, fate) = match kind {
            EventKind::NodeCompleted(it) => (&it.node_id, Fate::Completed),
            EventKind::NodeSettled(it) => (&it.node_id, Fate::Completed),
            EventKind::NodeExhausted(it) => (&it.node_id, Fate::Failed),
            EventKind::NodeSkipped(it) => (&it.node_id, Fate::Skipped),
            EventKind::NodeCancelled(it) => (&it.node_id, Fate::Cancelled),
            EventKind::RetryRequested(it) => {
                self.fates.remove(&it.node_id);
                return;
            }
            EventKind::NodeStarted(it) => {
                self.attempts.insert(it.node_id.clone(), it.attempt);
                return;
            }
            EventKind::ChildRequested(it) => {
                self.attempts.insert(it.node_id.clone(), it.attempt);
                return;
            }
            _ => return,
        };
        self.settle(node, fate);
    }

    fn settle(&mut self, node: &str, fate: Fate) {
        if fate == Fate::Completed {
            self.path.push(node.to_owned());
        }
        self.fates.insert(node.to_owned(), fate);
    }

    /// The nodes of this fate, sorted.
    fn with(&self, fate: Fate) -> Vec<String> {
        let nodes = self.fates.iter().filter(|(_, it)| **it == fate);
        nodes.map(|(node, _)| node.clone()).collect()
    }

    fn place(&self, node: &str) -> Option<usize> {
        self.path.iter().position(|it| it == node)
    }
}

fn verdict(expectation: &Expectation, played: &PlayedRun<'_>, facts: &Facts) -> Verdict {
    let set = |subject: &str, expected: &[String], fate| {
        let mut sorted = expected.to_vec();
        sorted.sort();
        sorted.dedup();
        let found = facts.with(fate);
        let is_met = sorted == found;
        (subject.to_owned(), list(&sorted), list(&found), is_met)
    };
    let (subject, expected, found, is_met) = match expectation {
        Expectation::Status(status) => (
            "status".to_owned(),
            names::status(*status).to_owned(),
            names::status(played.status).to_owned(),
            *status == played.status,
        ),
        Expectation::Path(path) => {
            let is_met = *path == facts.path;
            ("path".to_owned(), list(path), list(&facts.path), is_met)
        }
        Expectation::Order(nodes) => order(nodes, facts),
        Expectation::Skipped(nodes) => set("skipped", nodes, Fate::Skipped),
        Expectation::Failed(nodes) => set("failed", nodes, Fate::Failed),
        Expectation::Cancelled(nodes) => set("cancelled", nodes, Fate::Cancelled),
        Expectation::State(state) => state_is(state.as_str(), played),
        Expectation::StateIncludes(state) => state_includes(state.as_str(), played),
        Expectation::Elapsed { at_least, at_most } => time(*at_least, *at_most, played),
        Expectation::Attempts { node, attempts } => {
            let found = facts.attempts.get(node).copied().unwrap_or(0);
            let subject = format!("attempts of {node}");
            (
                subject,
                attempts.to_string(),
                found.to_string(),
                *attempts == found,
            )
        }
        Expectation::Child { .. } | Expectation::Children { .. } => {
            unreachable!("they are judged by `verdicts`")
        }
        Expectation::Error(text) => {
            let found = played.error.as_deref();
            let is_met = found.is_some_and(|found| found.contains(text));
            let shown = found.map_or_else(|| "no error".to_owned(), str::to_owned);
            (
                "error".to_owned(),
                format!("contains {text:?}"),
                shown,
                is_met,
            )
        }
    };
    Verdict {
        subject,
        expected,
        found,
        is_met,
    }
}

fn list(nodes: &[String]) -> String {
    match nodes {
        [] => "none".to_owned(),
        nodes => nodes.join(", "),
    }
}

fn order(nodes: &[String], facts: &Facts) -> (String, String, String, bool) {
    let places: Vec<Option<usize>> = nodes.iter().map(|node| facts.place(node)).collect();
    let is_met = places
        .windows(2)
        .all(|pair| pair[0].is_some() && pair[0] < pair[1]);
    let missing = nodes
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_none());
    let missing: Vec<String> = missing.map(|(node, _)| node.clone()).collect();
    let mut found: Vec<(Option<usize>, &String)> = places.into_iter().zip(nodes).collect();
    found.sort();
    let found = found.into_iter().filter(|(place, _)| place.is_some());
    let found: Vec<String> = found.map(|(_, node)| node.clone()).collect();
    let mut shown = found.join(" before ");
    if !missing.is_empty() {
        let gap = if shown.is_empty() { "" } else { "; " };
        shown = format!("{shown}{gap}not completed: {}", missing.join(", "));
    }
    ("order".to_owned(), nodes.join(" before "), shown, is_met)
}

fn state_is(expected: &str, played: &PlayedRun<'_>) -> (String, String, String, bool) {
    let found = played.state.as_str();
    let is_met = match (parsed(expected), parsed(found)) {
        (Some(expected), Some(found)) => same(&expected, &found),
        _ => expected == found,
    };
    (
        "state".to_owned(),
        expected.to_owned(),
        found.to_owned(),
        is_met,
    )
}

fn state_includes(expected: &str, played: &PlayedRun<'_>) -> (String, String, String, bool) {
    let found = played.state.as_str();
    let is_met = match (parsed(expected), parsed(found)) {
        (Some(expected), Some(found)) => includes(&found, &expected),
        _ => false,
    };
    (
        "state_includes".to_owned(),
        expected.to_owned(),
        found.to_owned(),
        is_met,
    )
}

fn time(
    at_least: Duration,
    at_most: Duration,
    played: &PlayedRun<'_>,
) -> (String, String, String, bool) {
    let found = elapsed(&played.events);
    let expected = match (at_least, at_most) {
        (least, most) if least == most => span_text(least),
        (least, SPAN_MAX) => format!("at least {}", span_text(least)),
        (Duration::ZERO, most) => format!("at most {}", span_text(most)),
        (least, most) => format!("{} to {}", span_text(least), span_text(most)),
    };
    let is_met = (at_least..=at_most).contains(&found);
    ("elapsed".to_owned(), expected, span_text(found), is_met)
}

fn parsed(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}

/// Whether two values are the same: whole numbers to the digit, others as numbers.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            let are_whole = !x.is_f64() && !y.is_f64();
            x == y || (!are_whole && x.as_f64() == y.as_f64())
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            let matches = |(key, x): (&String, &Value)| y.get(key).is_some_and(|y| same(x, y));
            x.len() == y.len() && x.iter().all(matches)
        }
        _ => a == b,
    }
}

/// Whether `whole` has all members of `part`, and of the objects in it.
fn includes(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, part)| whole.get(key).is_some_and(|whole| includes(whole, part))),
        _ => same(whole, part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_compared_as_people_mean_them() {
        for (a, b, are_same) in [
            (json!(1), json!(1.0), true),
            (json!(1), json!(2), false),
            (
                json!(9_007_199_254_740_993_u64),
                json!(9_007_199_254_740_992_u64),
                false,
            ),
            (json!([1, 2]), json!([2, 1]), false),
            (
                json!({"a": 1, "b": [1.50]}),
                json!({"b": [1.5], "a": 1}),
                true,
            ),
            (json!({"a": null}), json!({}), false),
            (json!("1"), json!(1), false),
        ] {
            assert_eq!(same(&a, &b), are_same, "{a} {b}");
        }
        let whole = json!({"a": {"b": 1, "c": [1, 2]}, "d": 3});
        for (part, is_in) in [
            (json!({}), true),
            (json!({"a": {"b": 1}}), true),
            (json!({"a": {"c": [1]}}), false),
            (json!({"e": null}), false),
            (json!([]), false),
        ] {
            assert_eq!(includes(&whole, &part), is_in, "{part}");
        }
    }
}
