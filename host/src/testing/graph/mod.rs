//! What a workflow's text says of its nodes and edges, as far as tests ask for it.
//!
//! Which edges there are, and how each becomes live, is the scheduler's to say (rules R1,
//! R3 and R7). It tells how many there are, and a test holds this reading to that number.

// The edges, and how each becomes live.
mod edge;
// The nodes, and what they start.
mod nodes;
// The workflows of one test file, and the names of their nodes.
mod workflows;

pub(super) use edge::{Edge, On, Rule};
pub(super) use nodes::{END, Graph};
pub(super) use workflows::{Given, Workflows, WrongName};
