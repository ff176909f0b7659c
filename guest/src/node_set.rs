//! A set of nodes, in the order of rule R2: one bit for each.
//!
//! Nodes are numbered in that order, so the first member is the lowest bit. Two
//! levels of bits keep a search short in the largest workflow, and a member comes
//! and goes without a block of memory of its own.

use alloc::vec::Vec;

use crate::limits::NODES_MAX;
use crate::workflow::plan::NodeIx;

const WORD_BITS: usize = u64::BITS as usize;

/// Words of members for the largest workflow.
const WORDS_MAX: usize = NODES_MAX.div_ceil(WORD_BITS);

/// A set of nodes.
#[derive(Debug, Default)]
pub(crate) struct NodeSet {
    /// A bit for each member. As long as the greatest member so far asked for.
    words: Vec<u64>,
    /// A bit for each word that is not zero.
    filled: [u64; WORDS_MAX.div_ceil(WORD_BITS)],
    len: usize,
}

impl NodeSet {
    /// Adds a node, if it is not a member.
    pub(crate) fn insert(&mut self, node: NodeIx) {
        let (place, bit) = place_of(node.0 as usize);
        if place >= self.words.len() {
            self.words.resize(place + 1, 0);
        }
        let word = &mut self.words[place];
        self.len += usize::from(*word & bit == 0);
        *word |= bit;
        let (place, bit) = place_of(place);
        self.filled[place] |= bit;
    }

    /// Removes a node, if it is a member.
    pub(crate) fn remove(&mut self, node: NodeIx) {
        let (place, bit) = place_of(node.0 as usize);
        let Some(word) = self.words.get_mut(place) else {
            return;
        };
        self.len -= usize::from(*word & bit != 0);
        *word &= !bit;
        if *word == 0 {
            let (place, bit) = place_of(place);
            self.filled[place] &= !bit;
        }
    }

    pub(crate) fn contains(&self, node: NodeIx) -> bool {
        let (place, bit) = place_of(node.0 as usize);
        self.words.get(place).is_some_and(|word| word & bit != 0)
    }

    /// The first member.
    pub(crate) fn first(&self) -> Option<NodeIx> {
        self.iter().next()
    }

    /// The members in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = NodeIx> {
        // Most sets are empty most of the time.
        let filled: &[u64] = if self.is_empty() { &[] } else { &self.filled };
        numbers(filled)
            .flat_map(|word| {
                let members = bits(self.words[word as usize]);
                members.map(move |bit| word * u64::BITS + bit)
            })
            .map(NodeIx)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The word of a number, and its bit there.
fn place_of(number: usize) -> (usize, u64) {
    (number / WORD_BITS, 1 << (number % WORD_BITS))
}

/// The numbers whose bits are set.
fn numbers(words: &[u64]) -> impl Iterator<Item = u32> {
    (0..)
        .step_by(WORD_BITS)
        .zip(words)
        .flat_map(|(first, word)| bits(*word).map(move |bit| first + bit))
}

/// The places of the bits that are set.
fn bits(mut word: u64) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let lowest = (word != 0).then(|| word.trailing_zeros());
        word &= word.wrapping_sub(1);
        lowest
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    fn check(set: &NodeSet, model: &BTreeSet<NodeIx>) {
        assert!(set.iter().eq(model.iter().copied()), "{set:?}");
        assert_eq!(set.first(), model.first().copied());
        assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
    }

    #[test]
    fn what_is_put_in_stands_in_order_until_it_is_taken_out() {
        let (mut set, mut model) = (NodeSet::default(), BTreeSet::new());
        check(&set, &model);
        let last = u32::try_from(NODES_MAX - 1).unwrap_or(u32::MAX);
        let edges = [0, 1, 62, 63, 64, 65, 127, 128, 4_095, 4_096, 4_097, last];
        for node in edges.iter().rev().chain(&edges).copied().map(NodeIx) {
            assert_eq!(set.contains(node), model.contains(&node), "{node:?}");
            set.insert(node);
            model.insert(node);
            assert!(set.contains(node), "{node:?}");
            check(&set, &model);
        }
        for node in edges.iter().chain(&edges).copied().map(NodeIx) {
            set.remove(node);
            model.remove(&node);
            assert!(!set.contains(node), "{node:?}");
            check(&set, &model);
        }
    }

    #[test]
    fn a_node_beyond_all_members_is_none_of_them() {
        let mut set = NodeSet::default();
        set.insert(NodeIx(3));
        set.remove(NodeIx(640));
        assert!(!set.contains(NodeIx(640)) && !set.contains(NodeIx(67)));
        check(&set, &[NodeIx(3)].into());
    }

    /// Many of them coming and going, as nodes of a run do.
    #[test]
    fn a_window_that_moves_over_all_nodes_is_the_same_set() {
        let (mut set, mut model) = (NodeSet::default(), BTreeSet::new());
        for number in (0..10_000).step_by(7) {
            set.insert(NodeIx(number));
            model.insert(NodeIx(number));
            let Some(gone) = number.checked_sub(700) else {
                continue;
            };
            set.remove(NodeIx(gone));
            model.remove(&NodeIx(gone));
            if number % 64 == 0 {
                check(&set, &model);
            }
        }
        check(&set, &model);
    }
}
