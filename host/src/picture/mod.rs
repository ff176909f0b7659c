//! Workflows and executions as graphs, drawn: as SVG, as text for a terminal, and in the
//! languages of Mermaid and Graphviz.
//!
//! [`Picture::of_workflow`] reads a workflow's text; who has an execution at hand sets the
//! [`state`](Node::state) of the nodes. Nothing is asked of a scheduler, and nothing is kept:
//! the same picture is drawn in the same bytes on every machine.
//!
//! ```
//! use refrain::picture::{Picture, svg};
//!
//! let workflow = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/map.json"));
//! let picture = Picture::of_workflow(workflow)?;
//! assert_eq!(picture.nodes.len(), 3);
//! assert!(svg(&picture).starts_with("<svg "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is laid out
//!
//! In layers, from the top down, as Sugiyama, Tagawa and Toda described it (*Methods for
//! visual understanding of hierarchical system structures*, 1981): each node gets a layer
//! below all that lead to it, long edges are led through the layers between, each layer is
//! put into an order with few crossings, and then all get their places. The work is bounded,
//! so that 20,000 nodes with 100,000 edges are drawn in seconds.
//!
//! # What a page may rely on in the SVG
//!
//! * A node is a `<g>` with the class `node`, `kind-KIND` and, in an execution, `state-STATE`
//!   (as in [`node_state`](crate::names::node_state)); `data-node` is the way to it (`a`, of
//!   a workflow that stands in `a`, `a/b`), and its `id` is `node-` and that way, each
//!   character that is not an ASCII letter, digit, `_` or `-` as `.HEX.`.
//! * The sign of its state is the `<tspan class="sign">`, how many instances of a map are
//!   done the `<tspan class="count">`.
//! * An edge is a `<g>` with the class `edge`, and `on-failure`, `on-always`, `conditional`,
//!   `otherwise`, `ahead` (it has not been gone yet), `far` (a straight line behind the
//!   boxes, in graphs with very many long edges) where that is so; its `id` is
//!   `edge-FROM..TO`, and, where several have the same ends, `.2.`, `.3.` and so on behind
//!   it; `data-from` and `data-to` are the ways to its ends.
//! * Colours are CSS variables of the outermost `<svg>`, with values for light and for dark.

use std::fmt;

use crate::model::NodeState;

// Text in so many columns.
mod columns;
// Signs and words for states and edges.
mod signs;
// A workflow's text becomes a picture.
mod reading;
// Where everything stands.
mod layout;
// How large the boxes are, and the places of nested ones.
mod placed;
// What can stand in XML.
mod xml;
// As SVG.
mod svg;
// As text: on lines that cross, boxes and lines; or a list.
mod lines;
mod drawing;
mod list;
mod text;
// In languages that other programs draw.
mod mermaid;
mod dot;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

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
    pub state: Option<NodeState>,
    /// How many of its instances are done, if it is a map that was expanded.
    pub instances: Option<Instances>,
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
    pub state: Option<NodeState>,
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

/// A text is not that of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoWorkflow;

impl fmt::Display for NoWorkflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not the text of a valid workflow; validate it to see why")
    }
}

impl std::error::Error for NoWorkflow {}

impl Instances {
    /// So many of all, some of them perhaps failed.
    #[must_use]
    pub fn new(done: u32, failed: u32, all: u32) -> Self {
        Self { done, failed, all }
    }
}

impl Picture {
    /// The picture of a workflow's text, in JSON.
    ///
    /// # Errors
    /// [`NoWorkflow`] if it is not that of a valid workflow.
    pub fn of_workflow(text: &str) -> Result<Self, NoWorkflow> {
        reading::of_workflow(text).ok_or(NoWorkflow)
    }

    /// As text for a terminal: boxes and lines if they fit into so many columns, otherwise a
    /// line for each node with the nodes that it leads to. Nothing in it steers a terminal.
    #[must_use]
    pub fn in_columns(&self, columns: usize) -> String {
        text::in_columns(self, columns)
    }

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

    /// Whether an edge was gone: its source has ended, and its target has begun. So it is of
    /// every edge where no execution is shown.
    fn is_gone(&self, edge: &Edge) -> bool {
        let from = self.nodes[edge.from].state;
        let to = self.nodes[edge.to].state;
        let has_ended = !matches!(
            from,
            Some(
                NodeState::Pending
                    | NodeState::Ready
                    | NodeState::Scheduled
                    | NodeState::Running
                    | NodeState::BackingOff
                    | NodeState::Waiting
                    | NodeState::Skipped
            )
        );
        let has_begun = !matches!(to, Some(NodeState::Pending | NodeState::Skipped));
        has_ended && has_begun
    }
}

impl Node {
    /// Whether it is the end of the workflow.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.kind == reading::END_KIND
    }
}
