//! What a workflow's text says of its nodes and edges, for tests of workflows and for
//! pictures.
//!
//! Which edges there are, and how each becomes live, is the scheduler's to say (rules R1,
//! R3 and R7). It tells how many there are, and a test holds this reading to that number.

// The edges, and how each becomes live.
mod edge;
// The nodes, and what they start.
mod nodes;

pub use edge::{Edge, On, Rule};
pub use nodes::{APPROVAL, Child, ChildWorkflow, END, Graph, Kind, MAP};
