//! Nobody starves: of what is as urgent, who waits for longer is served first, so that
//! everyone who waits is served after a bounded number of others, however many come
//! later; and what is more urgent is served before.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use refrain::id::ExecutionId;
use refrain::model::{EventKind, Status, node_of_run};
use refrain::store::Timestamp;
use serde_json::Value;

use super::deadlines::Deadlines;
use super::fold::{Folding, Place};
use super::{Account, Evidence, Law, TurnSeen, Violation};

/// An execution as far as the turns have come.
struct Course<'a> {
    account: &'a Account,
    deadlines: Deadlines,
    /// The priorities that nodes have of their own.
    priorities: BTreeMap<String, u32>,
    folding: Folding,
    /// Owed a step: it comes after the others, and nothing of it is claimed until
    /// it has gone on.
    owed: bool,
    /// How many of its events have been taken.
    taken: usize,
}

/// The order in which items are served: the most urgent first, then the one that waits
/// longest.
type Turn = (Reverse<u32>, Timestamp);

/// What was claimed in a turn: by queue, the one that was to come last, for which
/// execution, and when.
type Claimed = BTreeMap<String, (Turn, ExecutionId, Timestamp)>;

/// No item is claimed while another of its queue is more urgent, or as urgent and waits
/// for longer, of an execution that runs, that the host works on, that is owed no step, and that is not
/// touched by that turn. One that was left out of a turn, because writes to it or to one
/// that it is linked with conflict, may be overtaken in that turn, and in no other: in the
/// next its turn has come, or in the first after its rest.
///
/// # Errors
/// The first item that is overtaken.
pub fn nobody_starves(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    if evidence.store.is_simulated() {
        return Ok(()); // Each is at a time of its own.
    }
    let accounts = evidence.accounts.iter();
    let mut courses: BTreeMap<ExecutionId, Course<'_>> = accounts
        .map(|account| (account.record.id, Course::new(account)))
        .collect();
    for turn in evidence.told.turns() {
        let mut claimed = Claimed::new();
        for (id, (_, last)) in &turn.events {
            if let Some(course) = courses.get_mut(id) {
                course.go_on(*last, &mut claimed);
            }
        }
        if !claimed.is_empty() {
            overtaken(&courses, turn, &claimed)?;
        }
        for (id, owed) in &turn.owed {
            if let Some(course) = courses.get_mut(id) {
                course.owed = *owed;
            }
        }
    }
    Ok(())
}

fn overtaken(
    courses: &BTreeMap<ExecutionId, Course<'_>>,
    turn: &TurnSeen,
    claimed: &Claimed,
) -> Result<(), Violation> {
    for (id, course) in courses {
        let record = &course.account.record;
        let others = turn.works_on.as_ref().is_some_and(|on| !on.contains(id));
        let untouched = !turn.events.contains_key(id) && record.tampering.is_none() && !others;
        let left_out = turn.left_out.contains(id);
        if !untouched || left_out || course.owed || course.folding.status() != Status::Running {
            continue;
        }
        for (node_id, queue, since) in course.waiting() {
            let Some((others, other, at)) = claimed.get(queue) else {
                continue;
            };
            let own = (Reverse(course.priority(node_id)), since);
            // What is not to begin before a later time does not wait yet.
            if own < *others && since <= *at {
                let (Reverse(priority), other_since) = *others;
                let message = format!(
                    "node {node_id:?} waits on the queue {queue:?} since {since}, and an item of {other} that waits since {other_since}, of priority {priority}, is claimed"
                );
                return Err(Violation::of(Law::NobodyStarves, *id, message));
            }
        }
    }
    Ok(())
}

impl<'a> Course<'a> {
    fn new(account: &'a Account) -> Self {
        let text = account.workflow.as_ref().map(|workflow| &workflow.text);
        Self {
            account,
            deadlines: text.map_or_else(Deadlines::default, |text| Deadlines::of_workflow(text)),
            priorities: text.map_or_else(BTreeMap::new, |text| priorities(text)),
            folding: Folding::default(),
            owed: false,
            taken: 0,
        }
    }

    /// Take its events up to this one.
    fn go_on(&mut self, last: u64, claimed: &mut Claimed) {
        while let Some(stored) = self.account.events.get(self.taken)
            && stored.event.sequence <= last
        {
            let own = stored.event.sequence > self.account.common();
            if let EventKind::NodeStarted(it) = &stored.event.kind
                && own
                && let Some((queue, since)) = self.folding.waits_since(&it.node_id)
            {
                let id = self.account.record.id;
                let turn = (Reverse(self.priority(&it.node_id)), since);
                let claim = (turn, id, stored.event.at);
                let last = claimed.entry(queue.to_owned()).or_insert(claim);
                *last = (*last).max(claim);
            }
            self.folding.take(&self.deadlines, &stored.event);
            self.taken += 1;
        }
    }

    /// How urgent a node's work is.
    fn priority(&self, node_id: &str) -> u32 {
        let own = self.priorities.get(node_of_run(node_id)).copied();
        own.unwrap_or(self.account.record.priority)
    }

    /// What waits for a worker: node, queue, and since when.
    fn waiting(&self) -> impl Iterator<Item = (&str, &str, Timestamp)> {
        self.folding.nodes().filter_map(|(node_id, node)| {
            let item = node.item.as_ref()?;
            let waits = item.place == Place::Waiting;
            waits.then(|| (node_id, item.queue.as_str(), item.since()))
        })
    }
}

/// The priorities that nodes of this workflow have of their own.
fn priorities(workflow: &str) -> BTreeMap<String, u32> {
    let workflow: Value = serde_json::from_str(workflow).unwrap_or_default();
    let nodes = workflow["nodes"].as_object().into_iter().flatten();
    let own = nodes.filter_map(|(id, node)| {
        let priority = u32::try_from(node["priority"].as_u64()?).ok()?;
        Some((id.clone(), priority))
    });
    own.collect()
}
