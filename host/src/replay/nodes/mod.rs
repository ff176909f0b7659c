//! What a log says of each node: its state, attempts and times, and whom it waits for.
//!
//! This is a reading of the log, not the scheduler's judgement: it needs no guest, so that
//! it also works where a guest has failed, and for events of a log that is not whole.
//! [`Travel`](super::Travel) asks the guest instead.

mod node;
mod change;

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};

use crate::model::{Event, EventKind, NodeState, instance_of};
use crate::names;
use crate::store::Timestamp;
use change::{change, changed};
pub use node::{Node, Wait, is_one_of_many};

/// The nodes that a log tells of, in the order in which it first does.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    nodes: Vec<Node>,
    by_id: HashMap<String, usize>,
    /// How many are in each state.
    counts: HashMap<&'static str, u64>,
    /// The place of the node that the last event was about.
    last: usize,
}

/// What an event has changed of the nodes, so that it can be taken back.
#[derive(Clone, Debug)]
#[must_use = "it is the only way back"]
pub struct Before(Changed);

#[derive(Clone, Debug)]
enum Changed {
    Nothing,
    /// A node that no event before had named.
    New,
    /// This is what the node was.
    Node(Box<Node>),
    /// These are all there were. A fork's own beginning changes many of them.
    All(Box<Nodes>),
}

impl Nodes {
    /// The nodes as these events say, which come in their order.
    #[must_use]
    pub fn of(events: impl IntoIterator<Item: Borrow<Event>>) -> Self {
        let mut nodes = Self::default();
        for event in events {
            nodes.apply(event.borrow());
        }
        nodes
    }

    /// All nodes that the events name, in the order in which they first do.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// How many nodes the events name.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether they name none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node with this id. `None` if no event names it.
    #[must_use]
    pub fn named(&self, id: &str) -> Option<&Node> {
        self.by_id.get(id).map(|index| &self.nodes[*index])
    }

    /// Whether this is the id of an instance of a map that was expanded, also of one that no
    /// event names.
    #[must_use]
    pub fn has_instance(&self, id: &str) -> bool {
        let Some((map, index)) = instance_of(id) else {
            return false;
        };
        let count = self.named(map).and_then(|map| map.instances);
        count.is_some_and(|count| index < count)
    }

    /// The place of the node with this id among all of them.
    pub(super) fn place_of(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The node at a place that [`Nodes::place_of`] has named.
    pub(super) fn at(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    /// The node that this one failed for: of a map, the first of its instances that failed;
    /// else the node itself.
    #[must_use]
    pub fn failed_for<'a>(&'a self, id: &'a str) -> &'a str {
        let has_failed = |it: &&Node| it.map() == Some(id) && it.state == NodeState::Failed;
        let first = self.nodes.iter().find(has_failed);
        first.map_or(id, |instance| &instance.id)
    }

    /// The nodes that failed for their child or for instances: each with its id, its error,
    /// and whether it is a map.
    #[must_use]
    pub fn failed_below(&self) -> Vec<(String, String, bool)> {
        let failed = self.nodes.iter().filter(|it| it.state == NodeState::Failed);
        let below = failed.filter(|it| it.child || it.instances.is_some());
        let said = |it: &Node| {
            let error = it.error.clone().unwrap_or_default();
            (it.id.clone(), error, it.instances.is_some())
        };
        below.map(said).collect()
    }

    /// Puts an error in the place of what the log says of a node.
    pub fn set_error(&mut self, id: &str, error: String) {
        if let Some(place) = self.by_id.get(id) {
            self.nodes[*place].error = Some(error);
        }
    }

    /// The number of nodes in this state.
    #[must_use]
    pub fn count(&self, state: NodeState) -> u64 {
        let count = self.counts.get(names::node_state(state));
        count.copied().unwrap_or_default()
    }

    /// The number of instances of a map in each state. Those that the log does not name are
    /// `not begun`. `None` if the node is no map that was expanded.
    #[must_use]
    pub fn instances_of(&self, map: &Node) -> Option<BTreeMap<&'static str, u32>> {
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

    /// The number of compensations of a map's instances in each state.
    #[must_use]
    pub fn undos_of(&self, map: &Node) -> BTreeMap<&'static str, u32> {
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

    /// Applies one event. The node whose state it says; `None` if it says none.
    pub fn apply(&mut self, event: &Event) -> Option<&Node> {
        let at = event.at;
        match &event.kind {
            EventKind::ExecutionForked(_) => self.begin_anew(at),
            EventKind::RetryRequested(it) => self.reopen(&it.node_id, at),
            EventKind::ChildStarted(it) => {
                if let Some(place) = self.by_id.get(&it.node_id) {
                    self.nodes[*place].child_started_at = Some(at);
                }
            }
            _ => {}
        }
        let node = self.node(changed(&event.kind)?);
        change(node, &event.kind, at);
        let state = node.state;
        self.enter_count(state);
        self.nodes.get(self.last)
    }

    /// Applies one event. What it has changed.
    pub fn apply_kept(&mut self, event: &Event) -> Before {
        let touched = match &event.kind {
            EventKind::ExecutionForked(_) => {
                let before = Changed::All(Box::new(self.clone()));
                self.apply(event);
                return Before(before);
            }
            EventKind::RetryRequested(it) => Some(it.node_id.as_str()),
            EventKind::ChildStarted(it) => Some(it.node_id.as_str()),
            kind => changed(kind),
        };
        let before = touched.and_then(|id| self.named(id)).cloned();
        let count = self.len();
        self.apply(event);
        Before(match before {
            Some(node) => Changed::Node(Box::new(node)),
            None if self.len() > count => Changed::New,
            None => Changed::Nothing,
        })
    }

    /// Takes the last event back that was applied and is not taken back yet. This is what it
    /// has changed.
    pub fn take_back(&mut self, before: Before) {
        match before.0 {
            Changed::Nothing => {}
            Changed::New => {
                if let Some(node) = self.nodes.pop() {
                    self.by_id.remove(&node.id);
                    self.leave_count(node.state);
                }
            }
            Changed::Node(node) => {
                if let Some(place) = self.by_id.get(&node.id).copied() {
                    self.leave_count(self.nodes[place].state);
                    self.enter_count(node.state);
                    self.nodes[place] = *node;
                }
            }
            Changed::All(nodes) => *self = *nodes,
        }
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
