//! What is drawn, as data.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::state::State;

/// The kind of the end of a workflow, which is no node.
pub(crate) const END_KIND: &str = "end";

/// A graph that can be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Picture {
    /// What stands above it.
    pub title: String,
    /// The nodes, in the order of their ids; behind them the end, if edges lead to it.
    pub nodes: Vec<Node>,
    /// The edges, sorted by their ends.
    pub edges: Vec<Edge>,
}

/// A node of a [`Picture`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Its id; `end` for the end of the workflow.
    pub id: String,
    /// The name of its kind; `end` for the end of the workflow.
    pub kind: String,
    /// What is special about it, in a few words: the child that it starts, what a map does.
    pub detail: Option<String>,
    /// What it is for, as its workflow says.
    pub description: Option<String>,
    /// Whether it runs at the end, whatever leads to it (rule R16).
    pub is_finalizer: bool,
    /// Its state. `None` where no execution is shown.
    pub state: Option<State>,
    /// How many of its instances are done, if it is a map that was expanded.
    pub instances: Option<Instances>,
    /// How many iterations have begun, if it starts children; 0 otherwise (rule R23).
    pub iterations: u32,
    /// What undoes it (rule R27).
    pub compensation: Option<Compensation>,
    /// The workflow that stands in it.
    pub inner: Option<Box<Picture>>,
}

/// How many instances of a map are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Instances {
    /// How many have completed or were skipped.
    pub done: u32,
    /// How many have failed.
    pub failed: u32,
    /// How many there are.
    pub all: u32,
}

/// What undoes a node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compensation {
    /// The name of its kind.
    pub kind: String,
    /// Its state. `None` where it was not begun.
    pub state: Option<State>,
}

/// An edge of a [`Picture`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The place of the node that it comes from among the nodes.
    pub from: usize,
    /// The place of the node that it leads to.
    pub to: usize,
    /// What has to become of its source.
    pub on: On,
    /// What else has to be so.
    pub when: When,
}

/// What has to become of the source of an edge (rule R26).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum On {
    /// It completes.
    Success,
    /// It fails for good.
    Failure,
    /// Either of them.
    Always,
}

/// What has to be so for an edge to be live (rule R7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// Nothing else.
    Always,
    /// This condition holds.
    Condition(String),
    /// No branch before it was taken.
    Otherwise,
    /// The node chooses it, for this reason.
    Chosen(&'static str),
    /// The node may not choose it: of its branches, none leads there.
    Never,
}

impl Instances {
    /// So many of all, some of them perhaps failed.
    #[must_use]
    pub fn new(done: u32, failed: u32, all: u32) -> Self {
        Self { done, failed, all }
    }
}

impl Picture {
    /// How many nodes and edges there are, those of workflows within it included.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let within = self.nodes.iter().filter_map(|node| node.inner.as_ref());
        within.fold(
            (self.nodes.len(), self.edges.len()),
            |(nodes, edges), inner| {
                let (more_nodes, more_edges) = inner.size();
                (nodes + more_nodes, edges + more_edges)
            },
        )
    }

    /// The picture of an execution that has not begun: all its nodes are pending, those of
    /// workflows within it included.
    #[must_use]
    pub fn not_begun(mut self) -> Self {
        for node in &mut self.nodes {
            node.state = (!node.is_end()).then_some(State::Pending);
            node.inner = node.inner.take().map(|it| Box::new(it.not_begun()));
        }
        self
    }

    /// Whether an edge was gone, as far as the states of its ends tell: its source has ended
    /// as the edge asks, and its target has begun. Where no execution is shown, every edge is.
    pub(crate) fn is_gone(&self, edge: &Edge) -> bool {
        let has_ended = match (self.nodes[edge.from].state, edge.on) {
            (None, _) => true,
            (Some(State::Completed), on) => on != On::Failure,
            (Some(State::Failed), on) => on != On::Success,
            (
                Some(
                    State::Pending
                    | State::Ready
                    | State::Scheduled
                    | State::Running
                    | State::Failing
                    | State::BackingOff
                    | State::Waiting
                    | State::Skipped
                    | State::Cancelled,
                ),
                _,
            ) => false,
        };
        let to = self.nodes[edge.to].state;
        has_ended && !matches!(to, Some(State::Pending | State::Skipped))
    }
}

impl Node {
    /// Whether it is the end of the workflow.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.kind == END_KIND
    }
}
