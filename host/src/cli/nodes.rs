//! What a log says of each node, for people: its state, attempts and times,
//! and whom it waits for.
//!
//! This is a reading of the log, not the scheduler's judgement: it needs no
//! guest, so that it also works where a guest has failed.

use std::collections::HashMap;

use refrain::limits::RELEASES_MAX;
use refrain::model::{
    Event, EventKind, LeaseExpired, NodeCompleted, NodeFailed, NodeFailure, NodeSettled, NodeState,
    NodeTimedOut, Status, instance_of, undone_by,
};
use refrain::names;
use refrain::render::{self, node_failure};
use refrain::store::Timestamp;

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

/// What the log says of one node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) state: NodeState,
    /// How often that attempt was given back.
    releases: u32,
    /// The last attempt ordered; 0: the guest settles the node itself.
    pub(super) attempts: u32,
    /// The queue that its work is for.
    pub(super) queue: Option<String>,
    /// When it was first scheduled, or began to wait.
    pub(super) since: Option<Timestamp>,
    /// When the last attempt was claimed by a worker.
    pub(super) started_at: Option<Timestamp>,
    /// When it was settled.
    pub(super) ended_at: Option<Timestamp>,
    /// How long workers were at it, in attempts that are over.
    worked_ms: u64,
    /// The last error.
    pub(super) error: Option<String>,
    /// Whom or what it waits for.
    pub(super) wait: Option<Wait>,
    /// How many instances it has, if it is a map that was expanded.
    pub(super) instances: Option<u32>,
    /// Whether it has asked for a child.
    pub(super) child: bool,
}

/// What a waiting node waits for.
#[derive(Clone, Debug)]
pub(super) enum Wait {
    /// A person's decision.
    Approval {
        question: String,
        until: Option<Timestamp>,
    },
    /// A time, an external event, or whichever comes first.
    Event {
        key: Option<String>,
        until: Option<Timestamp>,
    },
    /// The end of a back-off.
    Delay { until: Timestamp },
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

    /// How many nodes are in this state.
    pub(super) fn count(&self, state: NodeState) -> u64 {
        let count = self.counts.get(names::node_state(state));
        count.copied().unwrap_or_default()
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
                node
            }
            EventKind::ChildRefused(e) => {
                let node = self.node(&e.node_id);
                node.enter(NodeState::Failing, at);
                node.error = error();
                node
            }
            EventKind::ChildEnded(e) => {
                let node = self.node(&e.node_id);
                match e.status {
                    Status::Completed => node.end(NodeState::Completed, at),
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
                node.error = error();
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

/// Whether this is the id of an instance of a map, or of what undoes one.
pub(super) fn is_one_of_many(id: &str) -> bool {
    instance_of(undone_by(id).unwrap_or(id)).is_some()
}

impl Node {
    /// A node that the log does not tell of yet.
    pub(super) fn pending(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            state: NodeState::Pending,
            releases: 0,
            attempts: 0,
            queue: None,
            since: None,
            started_at: None,
            ended_at: None,
            worked_ms: 0,
            error: None,
            wait: None,
            instances: None,
            child: false,
        }
    }

    /// The map that it is an instance of.
    pub(super) fn map(&self) -> Option<&str> {
        instance_of(&self.id).map(|(map, _)| map)
    }

    /// What it undoes, if it is a compensation.
    pub(super) fn undoes(&self) -> Option<&str> {
        undone_by(&self.id)
    }

    /// Whether it is an instance of a map, or undoes one: there may be many of them.
    pub(super) fn is_one_of_many(&self) -> bool {
        is_one_of_many(&self.id)
    }

    /// Whether its attempts have failed, and no further one is made unless a person says
    /// so: it has failed for good, or it is what the execution is stalled for.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.state, NodeState::Failed | NodeState::Failing)
    }

    /// How long it took from the first order to the end.
    pub(super) fn took_ms(&self) -> Option<u64> {
        Some(self.ended_at?.saturating_sub(self.since?))
    }

    /// How long workers have been at it up to `now`.
    pub(super) fn worked_ms(&self, now: Timestamp) -> u64 {
        self.worked_ms + self.at_work_ms(now)
    }

    /// How long it has been under way up to `now` without a worker: in its queue, before
    /// its next attempt, or for a person, an event or a time.
    pub(super) fn waited_ms(&self, now: Timestamp) -> Option<u64> {
        let all = self.ended_at.unwrap_or(now).saturating_sub(self.since?);
        Some(all.saturating_sub(self.worked_ms(now)))
    }

    /// How long the attempt that is at work has been so.
    fn at_work_ms(&self, now: Timestamp) -> u64 {
        match (self.state, self.started_at) {
            (NodeState::Running, Some(at)) => now.saturating_sub(at),
            _ => 0,
        }
    }

    fn enter(&mut self, state: NodeState, at: Timestamp) {
        self.worked_ms += self.at_work_ms(at);
        self.state = state;
        self.since.get_or_insert(at);
        self.ended_at = None;
        self.wait = None;
    }

    fn end(&mut self, state: NodeState, at: Timestamp) {
        self.enter(state, at);
        self.ended_at = Some(at);
    }
}
