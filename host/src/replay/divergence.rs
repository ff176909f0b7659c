//! The finding of an audit, as JSON that people and programs can read.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::log::json::explanation_json;
use crate::model::{EventKind, Explanation};

/// The first place where a log is not what it should be.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Divergence {
    /// The event concerned.
    pub sequence: u64,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Who says what is expected, and where what was found stands.
    pub compared: Option<Compared>,
    /// What should be there. `None` if nothing was expected.
    pub expected: Option<Value>,
    /// What stands there. `None` if nothing does.
    pub found: Option<Value>,
    /// The places in which the two differ.
    pub difference: Vec<Difference>,
    /// The SHA-256 of the execution's state just before, where it is known.
    pub state_hash: Option<String>,
    /// Why the guest has the node concerned where it is.
    #[serde(serialize_with = "as_json")]
    pub explanation: Option<Explanation>,
}

/// Two that say the same where nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compared {
    /// The guest's answer is expected, and the log is what was found.
    GuestWithLog,
    /// What follows from the log is expected, and what the store says besides it was
    /// found.
    LogWithStore,
}

fn as_json<S: Serializer>(
    explanation: &Option<Explanation>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let json = explanation.as_ref().map(explanation_json);
    json.serialize(serializer)
}

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// Its place, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The value that should be there. `None` if none should.
    pub expected: Option<Value>,
    /// The value that is there. `None` if there is none.
    pub found: Option<Value>,
}

impl Divergence {
    /// A divergence of which the message says everything.
    pub(super) fn plain(sequence: u64, message: impl Into<String>) -> Self {
        Self {
            sequence,
            message: message.into(),
            compared: None,
            expected: None,
            found: None,
            difference: Vec::new(),
            state_hash: None,
            explanation: None,
        }
    }

    /// A divergence between two values, of which at least one is there.
    pub(super) fn between(
        sequence: u64,
        message: impl Into<String>,
        expected: Option<Value>,
        found: Option<Value>,
    ) -> Self {
        let difference = match (&expected, &found) {
            (Some(expected), Some(found)) => differences(expected, found),
            _ => Vec::new(),
        };
        Self {
            expected,
            found,
            difference,
            ..Self::plain(sequence, message)
        }
    }
}

impl Divergence {
    /// The same, between these.
    pub(super) fn compared(self, compared: Compared) -> Self {
        Self {
            compared: Some(compared),
            ..self
        }
    }
}

/// The places in which two values differ, in the order of the pointers.
#[must_use]
pub fn differences(expected: &Value, found: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    // The values' nesting is bounded by the JSON depth limit of what is
    // stored, but a list of places costs no stack at all.
    let mut places = vec![(String::new(), Some(expected), Some(found))];
    while let Some((pointer, expected, found)) = places.pop() {
        match (expected, found) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => {
                let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
                places.extend(keys.map(|key| {
                    (
                        format!("{pointer}/{}", escaped(key)),
                        a.get(key),
                        b.get(key),
                    )
                }));
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) => {
                let indexes = 0..a.len().max(b.len());
                places.extend(indexes.map(|i| (format!("{pointer}/{i}"), a.get(i), b.get(i))));
            }
            (a, b) if a == b => {}
            (a, b) => all.push(Difference {
                pointer,
                expected: a.cloned(),
                found: b.cloned(),
            }),
        }
    }
    all.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    all
}

/// A key, as it is written in a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The node, instance or compensation that an event of this kind is about. `None` if it is
/// about the execution.
#[must_use]
pub fn node_of(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::NodeScheduled(e) => Some(&e.node_id),
        EventKind::NodeStarted(e) => Some(&e.node_id),
        EventKind::NodeCompleted(e) => Some(&e.node_id),
        EventKind::NodeSettled(e) => Some(&e.node_id),
        EventKind::NodeFailed(e) => Some(&e.node_id),
        EventKind::LeaseExpired(e) => Some(&e.node_id),
        EventKind::NodeReleased(e) => Some(&e.node_id),
        EventKind::NodeTimedOut(e) => Some(&e.node_id),
        EventKind::NodeExhausted(e) => Some(&e.node_id),
        EventKind::NodeSkipped(e) => Some(&e.node_id),
        EventKind::NodeCancelled(e) => Some(&e.node_id),
        EventKind::RetryScheduled(e) => Some(&e.node_id),
        EventKind::InterruptRaised(e) => Some(&e.node_id),
        EventKind::ApprovalReceived(e) => Some(&e.node_id),
        EventKind::TimerCreated(e) => Some(&e.node_id),
        EventKind::TimerFired(e) => Some(&e.node_id),
        EventKind::MapExpanded(e) => Some(&e.node_id),
        EventKind::ChildRequested(e) => Some(&e.node_id),
        EventKind::ChildStarted(e) => Some(&e.node_id),
        EventKind::ChildRefused(e) => Some(&e.node_id),
        EventKind::ChildEnded(e) => Some(&e.node_id),
        EventKind::RetryRequested(e) | EventKind::SkipRequested(e) => Some(&e.node_id),
        EventKind::Stalled(e) => e.node_id(),
        EventKind::WorkflowStarted(_)
        | EventKind::WorkflowCompleted(_)
        | EventKind::WorkflowFailed(_)
        | EventKind::WorkflowCancelled(_)
        | EventKind::WorkflowTimedOut
        | EventKind::ExternalEventReceived(_)
        | EventKind::CancelRequested(_)
        | EventKind::ExecutionPaused(_)
        | EventKind::ExecutionUnpaused(_)
        | EventKind::HostStalled(_)
        | EventKind::StallLifted(_)
        | EventKind::GuestChanged(_)
        | EventKind::ExecutionForked(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differences_name_every_place_once() {
        let table = [
            (json!({"a": 1}), json!({"a": 1}), vec![]),
            (json!({"a": 1}), json!({"a": 2}), vec!["/a"]),
            (json!({"a": 1}), json!({"b": 1}), vec!["/a", "/b"]),
            (
                json!({"a": {"b": [1, 2]}}),
                json!({"a": {"b": [1, 3, 4]}}),
                vec!["/a/b/1", "/a/b/2"],
            ),
            (
                json!({"a/b": 1, "c~d": 1}),
                json!({"a/b": 2, "c~d": 2}),
                vec!["/a~1b", "/c~0d"],
            ),
            (json!({"a": {}}), json!({"a": []}), vec!["/a"]),
            (json!(1), json!(2), vec![""]),
        ];
        for (expected, found, pointers) in table {
            let got: Vec<String> = differences(&expected, &found)
                .into_iter()
                .map(|d| d.pointer)
                .collect();
            assert_eq!(got, pointers, "{expected} against {found}");
        }
    }
}
