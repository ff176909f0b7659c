//! Where the log of a fork's origin is cut.

use std::collections::BTreeSet;

use crate::live::values::fork::Cut;
use crate::live::values::work::Answer;
use crate::model::{Event, EventKind, Origin, WorkflowFailure, instance_of};
use crate::replay::{are_of_one_time, node_of};
use crate::store::StoredEvent;

/// The last event that a fork has in common with this log, which has events; or why there
/// is none.
pub(super) fn last_common(log: &[StoredEvent], cut: &Cut) -> Result<u64, String> {
    let events = Events(log);
    let common = match cut {
        Cut::Latest => events.latest()?,
        Cut::Input(_) => 1,
        Cut::Behind(0) => return Err("event 1 is the first that can be in common".to_owned()),
        Cut::Behind(sequence) if *sequence > events.last() => {
            return Err(format!(
                "there is no event {sequence}; the last one is event {}",
                events.last()
            ));
        }
        Cut::Behind(sequence) => *sequence,
        Cut::From(node_id) => {
            let began = events.began(node_id);
            began.ok_or_else(|| events.has_not_begun(node_id))? - 1
        }
        Cut::Results(results) => events.first_answered(results)? - 1,
    };
    Ok(events.whole_batches(common))
}

/// The claim that an answer of this node would present behind these events.
pub(super) fn claim(common: &[StoredEvent], node_id: &str) -> Option<(u32, u64)> {
    let mut events = common.iter().rev().map(|stored| &stored.event);
    events.find_map(|event| match &event.kind {
        EventKind::NodeStarted(it) if it.node_id == node_id => Some((it.attempt, event.sequence)),
        _ => None,
    })
}

/// How many of the nodes that have begun are named to a caller that names another one.
const NODES_NAMED_MAX: usize = 20;

/// A log, looked through for places.
struct Events<'a>(&'a [StoredEvent]);

impl Events<'_> {
    fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.0.iter().map(|stored| &stored.event)
    }

    fn last(&self) -> u64 {
        self.0.len() as u64
    }

    /// The latest place from which a fork does not come to the same end by itself.
    fn latest(&self) -> Result<u64, String> {
        let place = |found: Option<&Event>| found.map(|event| event.sequence - 1);
        let place = match self.iter().next_back().map(|event| &event.kind) {
            Some(EventKind::WorkflowFailed(failed)) => match &failed.cause {
                WorkflowFailure::NodesFailed(nodes) => {
                    let began = nodes
                        .iter()
                        .filter_map(|node| self.began_to_fail(node))
                        .min();
                    began.map(|sequence| sequence - 1)
                }
                WorkflowFailure::Timeout(_) => place(
                    self.iter()
                        .find(|event| matches!(event.kind, EventKind::WorkflowTimedOut)),
                ),
                _ => None,
            },
            Some(EventKind::WorkflowCancelled(_)) => place(
                self.iter()
                    .rfind(|event| matches!(event.kind, EventKind::CancelRequested(_))),
            ),
            Some(_) => None,
            None => return Err("it has no events".to_owned()),
        };
        Ok(place.unwrap_or(self.last()))
    }

    /// The decision with which that began for which a node failed: the node itself, or the
    /// first of a map's instances that failed.
    fn began_to_fail(&self, node_id: &str) -> Option<u64> {
        let mut failed = BTreeSet::new();
        for event in self.iter() {
            match &event.kind {
                EventKind::NodeExhausted(it) => failed.insert(it.node_id.as_str()),
                EventKind::NodeCompleted(it) => failed.remove(it.node_id.as_str()),
                EventKind::ChildEnded(it) => failed.remove(it.node_id.as_str()),
                EventKind::NodeSkipped(it) => failed.remove(it.node_id.as_str()),
                _ => continue,
            };
        }
        let is_of_map = |id: &&str| instance_of(id).is_some_and(|(map, _)| map == node_id);
        let failed = failed.into_iter().filter(is_of_map);
        let began = failed.filter_map(|id| self.began(id)).min();
        began.or_else(|| self.began(node_id))
    }

    /// The decision with which a node began: it was ordered, or its wait.
    fn began(&self, node_id: &str) -> Option<u64> {
        let of_node = |event: &&Event| {
            event.origin == Origin::Decision && node_of(&event.kind) == Some(node_id)
        };
        self.iter().find(of_node).map(|event| event.sequence)
    }

    /// Says that this node has not begun, and which nodes have.
    fn has_not_begun(&self, node_id: &str) -> String {
        let mut begun: Vec<&str> = Vec::new();
        let decisions = self.iter().filter(|it| it.origin == Origin::Decision);
        for node in decisions.filter_map(|it| node_of(&it.kind)) {
            if !begun.contains(&node) {
                begun.push(node);
            }
        }
        let shown = begun.iter().take(NODES_NAMED_MAX);
        let shown: Vec<String> = shown.map(|node| format!("{node:?}")).collect();
        let those = match begun.len().saturating_sub(NODES_NAMED_MAX) {
            _ if begun.is_empty() => "no node has".to_owned(),
            0 => format!("those that have begun are {}", shown.join(", ")),
            more => format!(
                "those that have begun are {} and {more} more",
                shown.join(", ")
            ),
        };
        format!("node {node_id:?} has not begun in it; {those}")
    }

    /// What came first of that to which workers' last attempts at these nodes came.
    fn first_answered(&self, results: &[(String, Answer)]) -> Result<u64, String> {
        let mut first = self.last();
        for (node_id, _) in results {
            first = first.min(self.answered(node_id)?);
        }
        Ok(first)
    }

    /// What a worker's last attempt at a node came to.
    fn answered(&self, node_id: &str) -> Result<u64, String> {
        let is_answer = |event: &&Event| {
            let answers = matches!(
                event.kind,
                EventKind::NodeCompleted(_)
                    | EventKind::NodeFailed(_)
                    | EventKind::LeaseExpired(_)
                    | EventKind::NodeTimedOut(_)
            );
            answers && node_of(&event.kind) == Some(node_id)
        };
        let answered = self.iter().rfind(is_answer);
        answered.map(|event| event.sequence).ok_or_else(|| {
            format!("no worker has come to an end with node {node_id:?}, so that there is nothing to put another result in the place of")
        })
    }

    /// The last place, up to this one, that stands before an end and cuts nothing apart
    /// that was decided at one time.
    fn whole_batches(&self, common: u64) -> u64 {
        let ends = self
            .iter()
            .next_back()
            .is_some_and(|last| last.kind.is_terminal());
        let mut common = common.min(self.last() - u64::from(ends));
        while let Some(pair) = usize::try_from(common)
            .ok()
            .and_then(|place| self.0.get(place.checked_sub(1)?..=place))
            && are_of_one_time(&pair[0].event, &pair[1].event)
        {
            common -= 1;
        }
        common
    }
}
