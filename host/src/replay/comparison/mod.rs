//! Two logs, side by side: the first event in which they part, and the attempts of their
//! nodes.
//!
//! Two executions never have the same ids, times and workers. Logs are alike here where the
//! same happened in the same order: what tells only who did it, when and how fast is left out.

mod attempts;

use std::collections::HashMap;

use serde_json::Value;

pub use attempts::Attempt;
use attempts::attempts;

use super::difference::{Difference, differences};
use crate::log::json::write_event;
use crate::model::Event;

/// Fields of events that differ between executions in which the same happened: ids, times,
/// who did it, and what follows from these. Versions are compared by those who compare logs of
/// different ones.
const OF_ONE_EXECUTION: [&str; 23] = [
    "at",
    "by",
    "child_id",
    "child_sequence",
    "delay_ms",
    "duration_ms",
    "execution_id",
    "expires_at",
    "fence",
    "fire_at",
    "forked_from",
    "guest_digest",
    "head",
    "item_digest",
    "key",
    "parent",
    "seed",
    "sequence",
    "simulated",
    "telemetry",
    "worker_id",
    "workflow_digest",
    "workflow_version",
];

/// Two logs, side by side.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// The number of events that both have in common at their beginning.
    pub alike: u64,
    /// The first event in which they part: that of the one log, that of the other; `None` in
    /// the place of one that has ended there. `None` if they do not part.
    pub parting: Option<[Option<Event>; 2]>,
    /// The places in which the two events differ; none where one log has ended.
    pub differences: Vec<Difference>,
    /// The attempts of the nodes of both, those of the first log first in its order.
    pub attempts: Vec<Pair>,
}

/// The same attempt in both logs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pair {
    /// The node, instance or compensation.
    pub node_id: String,
    /// The attempt, from 1. 0 if the guest settles the node itself.
    pub attempt: u32,
    /// It in the one log and in the other. `None` where it is not.
    pub both: [Option<Attempt>; 2],
}

impl Comparison {
    /// Compares these events, which come in the order of their logs.
    #[must_use]
    pub fn of(one: &[&Event], other: &[&Event]) -> Self {
        let pairs = one.iter().zip(other);
        let alike = pairs.take_while(|(a, b)| essence(a) == essence(b)).count();
        let at_parting = [one.get(alike), other.get(alike)].map(|event| event.copied());
        let differences = match at_parting {
            [Some(a), Some(b)] => differences(&essence(a), &essence(b)),
            _ => Vec::new(),
        };
        let parts = at_parting.iter().any(Option::is_some);
        Self {
            alike: alike as u64,
            parting: parts.then(|| at_parting.map(|event| event.cloned())),
            differences,
            attempts: side_by_side(
                attempts(one.iter().copied()),
                attempts(other.iter().copied()),
            ),
        }
    }
}

/// What an event says besides who did it, when and how fast.
fn essence(event: &Event) -> Value {
    let mut json: Value = serde_json::from_str(&write_event(event)).unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|name, _| !OF_ONE_EXECUTION.contains(&name.as_str()));
    }
    json
}

fn side_by_side(one: Vec<Attempt>, other: Vec<Attempt>) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::with_capacity(one.len());
    let mut places = HashMap::new();
    for attempt in one {
        let key = (attempt.node_id.clone(), attempt.attempt);
        places.insert(key, pairs.len());
        pairs.push(Pair::of(
            &attempt.node_id.clone(),
            attempt.attempt,
            [Some(attempt), None],
        ));
    }
    for attempt in other {
        let key = (attempt.node_id.clone(), attempt.attempt);
        match places.get(&key) {
            Some(place) => pairs[*place].both[1] = Some(attempt),
            None => pairs.push(Pair::of(&key.0, key.1, [None, Some(attempt)])),
        }
    }
    pairs
}

impl Pair {
    fn of(node_id: &str, attempt: u32, both: [Option<Attempt>; 2]) -> Self {
        Self {
            node_id: node_id.to_owned(),
            attempt,
            both,
        }
    }

    /// Whether it came to the same in both: the same state, output and error.
    #[must_use]
    pub fn is_alike(&self) -> bool {
        match &self.both {
            [Some(a), Some(b)] => (a.state, &a.output, &a.error) == (b.state, &b.output, &b.error),
            _ => false,
        }
    }
}
