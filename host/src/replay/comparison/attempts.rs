//! The attempts of nodes, as the events of a log tell them.

use std::collections::HashMap;

use crate::model::{Event, EventKind, NodeState};
use crate::replay::divergence::node_of;
use crate::replay::nodes::Nodes;
use crate::store::Timestamp;

/// An attempt of a node, instance or compensation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The node.
    pub node_id: String,
    /// The attempt, from 1. 0 if the guest settles the node itself.
    pub attempt: u32,
    /// The state of the node after the last event about this attempt; failed, where that
    /// says that the attempt failed.
    pub state: NodeState,
    /// The time of the first event about it.
    pub since: Timestamp,
    /// The time of the last one.
    pub until: Timestamp,
    /// Milliseconds that a worker was at it.
    pub worked_ms: u64,
    /// What it came to, as JSON text. `None` if it did not end well.
    pub output: Option<String>,
    /// Why it failed, as a sentence. `None` if it did not.
    pub error: Option<String>,
}

impl Attempt {
    /// Milliseconds from the first event about it to the last one.
    #[must_use]
    pub fn took_ms(&self) -> u64 {
        // The times of a log that somebody has changed may be in any order.
        self.until.saturating_sub(self.since)
    }
}

/// The attempts of these events, in the order in which the log first tells of them.
pub(super) fn attempts<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Attempt> {
    let mut nodes = Nodes::default();
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut places: HashMap<(String, u32), usize> = HashMap::new();
    for event in events {
        nodes.apply(event);
        let Some(node) = node_of(&event.kind).and_then(|id| nodes.named(id)) else {
            continue;
        };
        let key = (node.id.clone(), node.attempts);
        let place = *places.entry(key).or_insert_with(|| {
            attempts.push(Attempt {
                node_id: node.id.clone(),
                attempt: node.attempts,
                state: node.state,
                since: event.at,
                until: event.at,
                worked_ms: 0,
                output: None,
                error: None,
            });
            attempts.len() - 1
        });
        let attempt = &mut attempts[place];
        if attempt.state == NodeState::Running {
            attempt.worked_ms += event.at.saturating_sub(attempt.until);
        }
        attempt.state = match node.state {
            NodeState::Failing => NodeState::Failed,
            state => state,
        };
        attempt.until = event.at;
        attempt.error.clone_from(&node.error);
        attempt.output = match &event.kind {
            EventKind::NodeCompleted(it) => Some(it.output.clone()),
            EventKind::NodeSettled(it) => Some(it.output.clone()),
            EventKind::ChildEnded(it) => it.output.clone(),
            _ => attempt.output.take(),
        };
    }
    attempts
}
