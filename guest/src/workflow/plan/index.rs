//! Places in a plan.

/// The target that is no node: the terminal.
pub(crate) const END: &str = "end";

/// A node, by its place in the order of rule R2: (rank, id by UTF-8 bytes).
/// Comparing two indexes compares that order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct NodeIx(pub u32);

/// An edge, by its place in [`Plan::edges`](super::Plan::edges).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct EdgeIx(pub u32);
