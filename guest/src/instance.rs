//! Which run of a node: its own, or that of one of its instances (rule R21).
//!
//! # Where instances stand
//!
//! A node that was expanded into instances, a map for now, runs more than once. All
//! that tells one run from another is here: a [`RunIx`] is a node and, for an
//! instance, its number. The id of an instance is read and written here alone;
//! whatever names a node, fact or decision, finds its run by
//! `Machine::find`.
//!
//! - **State**: [`State::instances`](crate::state::State) has an entry for each
//!   node that was expanded: the elements, as one text and the offset at which
//!   each of them ends, and a record for each instance to which something has
//!   happened. What was never dispatched has no record; it is what a fresh instance
//!   is. A workflow without maps has an empty tree there, and nothing else changes:
//!   its nodes keep their records by their index.
//! - **Agenda**: a node's bit in a set stands for the node and for all its
//!   instances. Which of them it is stands in an index of that map's own, and is
//!   asked for only if the first node of a set is a map. As nodes come in the order
//!   of rule R2 and instances by their number, the order of all runs is that of
//!   (rank, id, instance).
//! - **Snapshot**: the state with its instances; their index follows from it.
//! - **Plan**: a map is a kind of its own. The body is work like any other node's, and
//!   the node's retry policy and timeout are each instance's.
//!
//! A compensation, which comes later, is an instance of a node too, and so is the run
//! of a child: they are further numbers and further spellings here.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::workflow::plan::NodeIx;

/// A run of a node: its own, or that of one of its instances. Comparing two of them
/// compares the order of rule R2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunIx {
    /// The node.
    pub node: NodeIx,
    /// 0 is the node's own run, n + 1 that of instance n.
    number: u32,
}

impl RunIx {
    /// The run of an instance.
    #[must_use]
    pub const fn of_instance(node: NodeIx, index: u32) -> Self {
        let number = index.saturating_add(1);
        Self { node, number }
    }

    /// Which instance it is. `None` if it is the node's own run.
    #[must_use]
    pub const fn instance(self) -> Option<u32> {
        self.number.checked_sub(1)
    }

    /// Whether it is the node's own run.
    #[must_use]
    pub const fn is_own(self) -> bool {
        self.number == 0
    }
}

impl From<NodeIx> for RunIx {
    /// The node's own run.
    fn from(node: NodeIx) -> Self {
        Self { node, number: 0 }
    }
}

/// The id of an instance: `resize[3]`.
#[must_use]
pub fn id(node_id: &str, index: u32) -> String {
    format!("{node_id}[{index}]")
}

/// The node and the index in the id of an instance. `None` if it is none: an index is
/// decimal, without leading zeros.
#[must_use]
pub fn parse(id: &str) -> Option<(&str, u32)> {
    let (node_id, digits) = id.strip_suffix(']')?.rsplit_once('[')?;
    let is_plain = digits == "0"
        || (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let index = is_plain.then(|| digits.parse().ok()).flatten()?;
    (!node_id.is_empty()).then_some((node_id, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r21_an_instance_has_one_spelling() {
        for index in [0, 1, 9, 10, 99_999, u32::MAX - 1] {
            assert_eq!(parse(&id("resize", index)), Some(("resize", index)));
        }
        for other in [
            "resize",
            "resize[]",
            "resize[01]",
            "resize[00]",
            "resize[+1]",
            "resize[-1]",
            "resize[1] ",
            "resize[ 1]",
            "resize[1]x",
            "resize[1",
            "resize1]",
            "[1]",
            "",
            "resize[4294967296]",
            "resize[x]",
            "resize[1]!undo",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn r02_a_node_comes_before_its_instances_and_they_come_by_their_index() {
        let (a, b) = (NodeIx(1), NodeIx(2));
        let runs = [
            RunIx::from(a),
            RunIx::of_instance(a, 0),
            RunIx::of_instance(a, 2),
            RunIx::of_instance(a, 10),
            RunIx::from(b),
            RunIx::of_instance(b, 0),
        ];
        assert!(runs.is_sorted());
        assert_eq!(
            runs.map(RunIx::instance),
            [None, Some(0), Some(2), Some(10), None, Some(0)]
        );
        assert!(runs[0].is_own() && !runs[1].is_own());
    }
}
