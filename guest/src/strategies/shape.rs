//! The shapes of graphs: from where the edges of each node come.

use alloc::vec;
use alloc::vec::Vec;

/// The shape of a workflow's graph, finalizers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One after the other.
    Chain,
    /// One, and all others after it.
    Fan,
    /// One, three in parallel, one that joins them, and so on.
    Diamond,
    /// Layers of equal width; each node comes after some of the layer before.
    Layered,
    /// Each node comes after any of those before it.
    Random,
}

/// The nodes between a diamond's two ends.
const DIAMOND_WIDTH: usize = 3;

impl Shape {
    /// All of them, the simplest first.
    pub const ALL: [Self; 5] = [
        Self::Chain,
        Self::Fan,
        Self::Diamond,
        Self::Layered,
        Self::Random,
    ];

    /// The nodes that edges lead from to node `to` of `nodes`, ascending.
    /// `picks` chooses among them where the shape leaves a choice. Never empty,
    /// but for the first node.
    pub(super) fn predecessors(self, to: usize, nodes: usize, picks: &[u8]) -> Vec<usize> {
        if to == 0 {
            return Vec::new();
        }
        match self {
            Self::Chain => vec![to - 1],
            Self::Fan => vec![0],
            Self::Diamond => {
                let place = to % (DIAMOND_WIDTH + 1);
                match place {
                    0 => (to - DIAMOND_WIDTH..to).collect(),
                    _ => vec![to - place],
                }
            }
            Self::Layered => {
                let width = nodes.isqrt().max(1);
                let layer = (to - 1) / width;
                match layer {
                    0 => vec![0],
                    _ => chosen(1 + (layer - 1) * width, width, picks),
                }
            }
            Self::Random => chosen(0, to, picks),
        }
    }
}

/// Some of `count` nodes from `first` on, at least one.
fn chosen(first: usize, count: usize, picks: &[u8]) -> Vec<usize> {
    let pick = |pick: &u8| first + (count - 1).saturating_sub(usize::from(*pick) % count);
    let mut chosen: Vec<usize> = picks.iter().map(pick).collect();
    if chosen.is_empty() {
        chosen.push(first + count - 1);
    }
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}
