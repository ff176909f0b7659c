//! What a log says of each node, for people: its state, attempts and times,
//! and whom it waits for.
//!
//! This is a reading of the log, not the scheduler's judgement: it needs no
//! guest, so that it also works where a guest has failed.

use std::collections::{BTreeMap, HashMap};

use refrain::limits::RELEASES_MAX;
use refrain::model::{
    Event, EventKind, LeaseExpired, NodeCompleted, NodeFailed, NodeFailure, NodeSettled, NodeState,
    NodeTimedOut, Status, instance_of,
};
use refrain::names;
use refrain::render::{self, child_refusal, node_failure};
use refrain::store::Timestamp;

use super::node::{Node, Wait};

/// The nodes that a log tells of, in the order in which it first does.
#[derive(Default)]
pub(super) struct Nodes {
    nodes: Vec<Node>,
    by_id: HashMap<String, usize>,
    /// How many are in each state.
    counts: HashMap<&'static str, u64>,
    /// The place of the node that was told of last.
    last: usize,
}

impl Nodes {
    /// What these events say.
    pub(super) fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut nodes = Self::default();
        for event in events {
            nodes.apply(event);
        }
        nodes
    }

    /// All nodes that were told of.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// One node, if it was told of.
    pub(super) fn named(&self, id: &str) -> Option<&Node> {
        self.by_id.get(id).map(|index| &self.nodes[*index])
    }

    /// For what a node failed: of a map, for the first of its instances that failed.
    pub(super) fn failed_for<'a>(&'a self, id: &'a str) -> &'a str {
        let has_failed = |it: &&Node| it.map() == Some(id) && it.state == NodeState::Failed;
        let first = self.nodes.iter().find(has_failed);
        first.map_or(id, |instance| &instance.id)
    }

    /// Those that failed for their child or for instances: each with what is said of it, and
    /// whether it is a map.
    pub(super) fn failed_below(&self) -> Vec<(String, String, bool)> {
        let failed = self.nodes.iter().filter(|it| it.state == NodeState::Failed);
        let below = failed.filter(|it| it.child || it.instances.is_some());
        let said = |it: &Node| {
            let error = it.error.clone().unwrap_or_default();
            (it.id.clone(), error, it.instances.is_some())
        };
        below.map(said).collect()
    }

    /// This is why a node failed.
    pub(super) fn say_why(&mut self, id: &str, error: String) {
        if let Some(place) = self.by_id.get(id) {
            self.nodes[*place].error = Some(error);
        }
    }

    /// How many nodes are in this state.
    pub(super) fn count(&self, state: NodeState) -> u64 {
        let count = self.counts.get(names::node_state(state));
        count.copied().unwrap_or_default()
    }

    /// How many instances of a map are in each state. Those that the log does not tell of
    /// have not begun.
    pub(super) fn instances_of(&self, map: &Node) -> Option<BTreeMap<&'static str, u32>> {
        let count = map.instances?;
        let mut states: BTreeMap<&'static str, u32> = BTreeMap::new();
        let id = map.id.as_str();
        let told = self.nodes.iter().filter(|it| it.map() == Some(id));
        for instance in told {
            *states.entry(names::node_state(instance.state)).or_default() += 1;
        }
        let begun: u32 = states.values().sum();
        if begun < count {
            states.insert("not begun", count - begun);
        }
        Some(states)
    }

    /// The same in words: `2000 instances: 1990 completed, 10 failed`.
    pub(super) fn instances_in_words(&self, map: &Node) -> Option<String> {
        let states = self.instances_of(map)?;
        let count = map.instances?;
        let noun = if count == 1 { "instance" } else { "instances" };
        let mut words = match states.is_empty() {
            true => format!("{count} {noun}"),
            false => format!("{count} {noun}: {}", in_words(&states)),
        };
        let undos = self.undos_of(map);
        if !undos.is_empty() {
            words.push_str("; compensations: ");
            words.push_str(&in_words(&undos));
        }
        Some(words)
    }

    /// How many of the compensations of a map's instances are in each state.
    pub(super) fn undos_of(&self, map: &Node) -> BTreeMap<&'static str, u32> {
        let mut states = BTreeMap::new();
        let is_of_map = |node: &&Node| {
            let undone = node.undoes().and_then(instance_of);
            undone.is_some_and(|(id, _)| id == map.id)
        };
        for undo in self.nodes.iter().filter(is_of_map) {
            *states.entry(names::node_state(undo.state)).or_default() += 1;
        }
        states
    }

    /// Take one event; the node that it is about, if it is about one.
    pub(super) fn apply(&mut self, event: &Event) -> Option<&Node> {
        let at = event.at;
        if let EventKind::ExecutionForked(_) = event.kind {
            self.begin_anew(at);
        }
        if let EventKind::RetryRequested(it) = &event.kind {
            self.reopen(&it.node_id, at);
        }
        if let EventKind::ChildStarted(it) = &event.kind
            && let Some(place) = self.by_id.get(&it.node_id)
        {
            self.nodes[*place].child_started_at = Some(at);
        }
        let error = || render::error(&event.kind).map(|error| error.into_owned());
        let node = match &event.kind {
            EventKind::NodeScheduled(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::Scheduled, at);
                node.attempts = e.attempt;
                node.queue = Some(e.queue.clone());
                node
            }
            EventKind::NodeStarted(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::Running, at);
                node.attempts = e.attempt;
                node.started_at = Some(at);
                node
            }
            EventKind::NodeFailed(NodeFailed { node_id, .. })
            | EventKind::LeaseExpired(LeaseExpired { node_id, .. })
            | EventKind::NodeTimedOut(NodeTimedOut { node_id, .. }) => {
                let node = self.node(node_id);
                node.enter(NodeState::Failing, at);
                node.error = error();
                node
            }
            EventKind::NodeReleased(e) => {
                let node = self.node(&e.node_id);
                node.releases += 1;
                // Once more counts as an expired lease (rule R25).
                if node.releases > RELEASES_MAX {
                    node.enter(NodeState::Failing, at);
                    node.error = Some(node_failure(&NodeFailure::LeaseExpired).into_owned());
                } else {
                    node.enter(NodeState::Scheduled, at);
                }
                node
            }
            EventKind::RetryScheduled(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::BackingOff, at);
                node.attempts = e.attempt;
                node.releases = 0;
                node.wait = Some(Wait::Delay {
                    until: at.saturating_add(e.delay_ms),
                });
                node
            }
            EventKind::InterruptRaised(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::Waiting, at);
                node.wait = Some(Wait::Approval {
                    question: e.reason.clone(),
                    until: e.expires_at,
                });
                node
            }
            EventKind::TimerCreated(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::Waiting, at);
                node.wait = Some(Wait::Event {
                    key: e.correlation_key.clone(),
                    until: e.fire_at,
                });
                node
            }
            EventKind::MapExpanded(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::Waiting, at);
                node.instances = Some(e.count);
                node
            }
            EventKind::ChildRequested(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::Waiting, at);
                node.attempts = e.attempt;
                node.child = true;
                node.workflow.clone_from(&e.workflow);
                node.iterations = e.iteration.saturating_add(1);
                node
            }
            EventKind::ChildRefused(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::Failing, at);
                node.error = Some(child_refusal(e.code, node.workflow.as_ref()));
                node
            }
            EventKind::ChildEnded(e) => {
                let node = self.node(&e.node_id);
                match e.status {
                    Status::Completed => {
                        node.error = None;
                        node.end(NodeState::Completed, at);
                    }
                    _ => {
                        node.enter(NodeState::Failing, at);
                        node.error = error();
                    }
                }
                node
            }
            EventKind::NodeCompleted(NodeCompleted { node_id, .. })
            | EventKind::NodeSettled(NodeSettled { node_id, .. }) => {
                let node = self.node(node_id);
                node.error = None;
                node.end(NodeState::Completed, at);
                node
            }
            EventKind::NodeExhausted(e) => {
                let node = self.node(&e.node_id);
                node.error = match e.cause {
                    NodeFailure::ChildRefused(code) => {
                        Some(child_refusal(code, node.workflow.as_ref()))
                    }
                    _ => error(),
                };
                node.end(NodeState::Failed, at);
                node
            }
            EventKind::NodeSkipped(e) => {
                let node = self.node(&e.node_id);
                node.end(NodeState::Skipped, at);
                node
            }
            EventKind::NodeCancelled(e) => {
                let node = self.node(&e.node_id);
                node.end(NodeState::Cancelled, at);
                node
            }
            _ => return None,
        };
        let state = node.state;
        self.enter_count(state);
        self.nodes.get(self.last)
    }

    /// A failed map that is retried waits for its instances again, without a further
    /// decision.
    fn reopen(&mut self, id: &str, at: Timestamp) {
        let Some(index) = self.by_id.get(id) else {
            return;
        };
        let node = &mut self.nodes[*index];
        if node.instances.is_some() && node.state == NodeState::Failed {
            node.enter(NodeState::Waiting, at);
            node.error = None;
            self.leave_count(NodeState::Failed);
            self.enter_count(NodeState::Waiting);
        }
    }

    /// A fork begins anew what was under way in its origin.
    fn begin_anew(&mut self, at: Timestamp) {
        for node in &mut self.nodes {
            match node.state {
                NodeState::Running => node.enter(NodeState::Scheduled, at),
                NodeState::Waiting if node.instances.is_none() => {
                    node.enter(NodeState::Ready, at);
                }
                _ => {}
            }
        }
        self.counts.clear();
        for place in 0..self.nodes.len() {
            self.enter_count(self.nodes[place].state);
        }
    }

    fn enter_count(&mut self, state: NodeState) {
        *self.counts.entry(names::node_state(state)).or_default() += 1;
    }

    fn leave_count(&mut self, state: NodeState) {
        *self.counts.entry(names::node_state(state)).or_default() -= 1;
    }

    /// The node of this id, not counted until it is known what becomes of it.
    fn node(&mut self, id: &str) -> &mut Node {
        self.last = match self.by_id.get(id) {
            Some(place) => {
                let place = *place;
                self.leave_count(self.nodes[place].state);
                place
            }
            None => {
                self.nodes.push(Node::pending(id));
                let place = self.nodes.len() - 1;
                self.by_id.insert(id.to_owned(), place);
                place
            }
        };
        &mut self.nodes[self.last]
    }
}

/// How many there are in each state, in words: `1990 completed, 10 failed`.
fn in_words(states: &BTreeMap<&'static str, u32>) -> String {
    let each = states.iter();
    let each = each.map(|(state, count)| format!("{count} {}", state.replace('_', " ")));
    each.collect::<Vec<_>>().join(", ")
}
