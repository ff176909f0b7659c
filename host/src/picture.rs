//! Workflows and executions as graphs, drawn: as SVG, as text for a terminal, and in the
//! languages of Mermaid and Graphviz.
//!
//! [`of_workflow`] reads a workflow's text; who has an execution at hand sets the
//! [`state`](Node::state) of the nodes. Nothing is asked of a scheduler, and nothing is kept:
//! the same picture is drawn in the same bytes on every machine.
//!
//! ```
//! use refrain::picture::{of_workflow, svg};
//!
//! let workflow = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/map.json"));
//! let picture = of_workflow(workflow)?;
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
//! * The sign of its state is the `<tspan class="sign">`; how many instances of a map are
//!   done, or how many iterations of a loop have begun, the `<tspan class="count">`.
//! * An edge is a `<g>` with the class `edge`, and `on-failure`, `on-always`, `conditional`,
//!   `otherwise`, `ahead` (it was not gone, as far as the states of its ends tell), `far` (a
//!   straight line behind the boxes, in graphs with very many long edges) where that is so;
//!   its `<title>` is the whole condition; its `id` is
//!   `edge-FROM..TO`, and, where several have the same ends, `.2.`, `.3.` and so on behind
//!   it; `data-from` and `data-to` are the ways to its ends.
//! * Colours are CSS variables of the outermost `<svg>`, with values for light and for dark.

pub use refrain_picture::{
    Compensation, Edge, Instances, NoWorkflow, Node, On, Picture, State, When, dot, layers,
    mermaid, of_workflow, svg, text,
};

use crate::model::NodeState;

/// The state of a node, as pictures have it.
#[must_use]
pub fn state(state: NodeState) -> State {
    match state {
        NodeState::Pending => State::Pending,
        NodeState::Ready => State::Ready,
        NodeState::Scheduled => State::Scheduled,
        NodeState::Running => State::Running,
        NodeState::Failing => State::Failing,
        NodeState::BackingOff => State::BackingOff,
        NodeState::Waiting => State::Waiting,
        NodeState::Completed => State::Completed,
        NodeState::Failed => State::Failed,
        NodeState::Skipped => State::Skipped,
        NodeState::Cancelled => State::Cancelled,
    }
}

/// The sign of a state: one column, and readable where colours are not.
#[must_use]
pub fn sign(of: NodeState) -> &'static str {
    refrain_picture::sign(state(of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::node_state;

    #[test]
    fn states_are_spelled_alike_in_pictures_and_elsewhere() {
        for of in [
            NodeState::Pending,
            NodeState::Ready,
            NodeState::Scheduled,
            NodeState::Running,
            NodeState::Failing,
            NodeState::BackingOff,
            NodeState::Waiting,
            NodeState::Completed,
            NodeState::Failed,
            NodeState::Skipped,
            NodeState::Cancelled,
        ] {
            assert_eq!(state(of).name(), node_state(of));
        }
    }
}
