//! Which run of a node: its own, that of one of its instances (rule R21), or the
//! compensation of either (rule R27).
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
//! # Where compensations stand
//!
//! What undoes a run is a run of the same node. It is there from the moment at which the
//! run that it undoes was completed.
//!
//! - **State**: [`State::undos`](crate::state::State) has an entry for each of them, by the
//!   run that it undoes: the completion's sequence, its output, a record.
//! - **Agenda**: those that wait stand in the order of those sequences, and the one that is
//!   under way, of which there is one at most, by itself. Neither is in the sets of nodes.
//! - **Plan**: its work is the node's `compensate`; the node's retry policy and timeout
//!   are its own.
//!
//! A workflow without `compensate` has an empty tree there, and nothing else changes.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::limits::MAP_ITEMS_MAX;
use crate::workflow::plan::NodeIx;

/// A run of a node: its own, that of one of its instances, or the compensation of either.
/// Comparing two of them compares the order of rule R2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunIx {
    /// The node.
    pub node: NodeIx,
    /// 0 is the node's own run, n + 1 that of instance n; with [`UNDO`], the
    /// compensation of that run.
    number: u32,
}

/// The bit that tells a compensation from the run that it undoes.
const UNDO: u32 = 1 << 31;

const _: () = assert!(
    MAP_ITEMS_MAX < UNDO - 1,
    "the number of an instance leaves the bit of compensations alone"
);

/// What the id of a compensation ends in.
const UNDO_SUFFIX: &str = "!undo";

impl RunIx {
    /// The run of an instance.
    #[must_use]
    pub const fn of_instance(node: NodeIx, index: u32) -> Self {
        assert!(index < UNDO - 1, "no map has so many elements");
        let number = index + 1;
        Self { node, number }
    }

    /// The run that undoes this one.
    #[must_use]
    pub const fn undo(self) -> Self {
        let number = self.number | UNDO;
        Self { number, ..self }
    }

    /// The run that this one undoes. `None` if it is no compensation.
    #[must_use]
    pub const fn undoes(self) -> Option<Self> {
        if !self.is_undo() {
            return None;
        }
        let number = self.number & !UNDO;
        Some(Self { number, ..self })
    }

    /// Whether it is a compensation.
    #[must_use]
    pub const fn is_undo(self) -> bool {
        self.number & UNDO != 0
    }

    /// Which instance it is, or undoes. `None` if it is, or undoes, the node's own run.
    #[must_use]
    pub const fn index(self) -> Option<u32> {
        (self.number & !UNDO).checked_sub(1)
    }

    /// Which instance it is. `None` if it is the node's own run, or a compensation.
    #[must_use]
    pub const fn instance(self) -> Option<u32> {
        if self.is_undo() {
            return None;
        }
        self.index()
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

/// The id of a run: `resize[3]` of an instance, `resize[3]!undo` of what undoes it.
#[must_use]
pub fn run_id(node_id: &str, run: RunIx) -> String {
    let mut id = match run.index() {
        None => String::from(node_id),
        Some(index) => id(node_id, index),
    };
    if run.is_undo() {
        id.push_str(UNDO_SUFFIX);
    }
    id
}

/// The id of the run that the compensation of this id undoes. `None` if it is the id of
/// no compensation.
#[must_use]
pub fn undone(id: &str) -> Option<&str> {
    id.strip_suffix(UNDO_SUFFIX)
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

    #[test]
    fn r27_a_compensation_is_a_run_of_the_node_and_names_what_it_undoes() {
        let node = NodeIx(1);
        for (run, id) in [
            (RunIx::from(node), "charge!undo"),
            (RunIx::of_instance(node, 0), "charge[0]!undo"),
            (RunIx::of_instance(node, 99_999), "charge[99999]!undo"),
        ] {
            let undo = run.undo();
            assert!(undo.is_undo() && !undo.is_own() && !run.is_undo());
            assert_eq!((undo.undoes(), run.undoes()), (Some(run), None));
            assert_eq!((undo.index(), undo.instance()), (run.instance(), None));
            assert_eq!(run_id("charge", undo), id);
            assert_eq!(undone(id), Some(&*run_id("charge", run)));
            assert!(run < undo);
        }
        assert_eq!(undone("charge"), None);
    }
}
