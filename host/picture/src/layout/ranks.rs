//! The layer of each node: below all that lead to it, and not too many in one.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// So many nodes stand in one layer, however few there are.
const IN_LAYER_MIN: usize = 30;

/// The layer of each node, from 0 at the top. Edges lead down, but for some of those that
/// lead in a circle.
pub(crate) fn ranks(
    edges: &[(usize, usize)],
    is_last: &[bool],
    in_layer_max: Option<usize>,
) -> Vec<usize> {
    let nodes = is_last.len();
    let neighbours = Neighbours::of(nodes, edges, in_layer_max);
    let none = vec![0; nodes];
    let mut ranks = neighbours.ranks(&none);
    if is_last.contains(&true) {
        let others = (0..nodes).filter(|node| !is_last[*node]);
        let above = others.map(|node| ranks[node] + 1).max().unwrap_or(0);
        let least = is_last.iter().map(|it| if *it { above } else { 0 });
        ranks = neighbours.ranks(&least.collect::<Vec<_>>());
    }
    neighbours.pull_down(&mut ranks);
    // Layers that nothing stands in any more.
    let mut used: Vec<usize> = ranks.clone();
    used.sort_unstable();
    used.dedup();
    for rank in &mut ranks {
        *rank = used.partition_point(|it| it < rank);
    }
    ranks
}

struct Neighbours {
    /// Where the edges of each node lead.
    below: Vec<Vec<usize>>,
    /// How many edges lead to each.
    above: Vec<usize>,
    /// How many nodes may stand in one layer.
    in_layer_max: usize,
}

impl Neighbours {
    fn of(nodes: usize, edges: &[(usize, usize)], in_layer_max: Option<usize>) -> Self {
        let mut below = vec![Vec::new(); nodes];
        let mut above = vec![0; nodes];
        for (from, to) in edges {
            if from != to {
                below[*from].push(*to);
                above[*to] += 1;
            }
        }
        Self {
            below,
            above,
            in_layer_max: in_layer_max
                .unwrap_or(IN_LAYER_MIN.max((2 * nodes).isqrt()))
                .max(1),
        }
    }

    /// Each node as high as it may stand, not above its least rank.
    fn ranks(&self, least: &[usize]) -> Vec<usize> {
        let nodes = least.len();
        let mut ranks = least.to_vec();
        let mut missing = self.above.clone();
        let mut is_placed = vec![false; nodes];
        let mut free: VecDeque<usize> = (0..nodes).filter(|node| missing[*node] == 0).collect();
        let mut counts = Vec::new();
        let mut next_in_circle = 0;
        for _ in 0..nodes {
            let node = free.pop_front().unwrap_or_else(|| {
                // All that is left leads in circles: one of them is begun with.
                while is_placed[next_in_circle] {
                    next_in_circle += 1;
                }
                next_in_circle
            });
            is_placed[node] = true;
            ranks[node] = self.place_with_room(&mut counts, ranks[node]);
            for to in &self.below[node] {
                if is_placed[*to] {
                    continue;
                }
                ranks[*to] = ranks[*to].max(ranks[node] + 1);
                missing[*to] -= 1;
                if missing[*to] == 0 {
                    free.push_back(*to);
                }
            }
        }
        ranks
    }

    /// The first layer from there on that has room; it has one place less then.
    fn place_with_room(&self, layers: &mut Vec<Layer>, from: usize) -> usize {
        let mut rank = from;
        loop {
            if layers.len() <= rank {
                layers.resize(rank + 1, Layer::default());
            }
            if layers[rank].count < self.in_layer_max {
                layers[rank].count += 1;
                return rank;
            }
            // Full layers are passed in one step, next time.
            let next = layers[rank].next_with_room.max(rank + 1);
            let after = layers.get(next).copied().unwrap_or_default();
            layers[rank].next_with_room = match after.count < self.in_layer_max {
                true => next,
                false => after.next_with_room.max(next + 1),
            };
            rank = next;
        }
    }

    /// Nodes with more edges away than to them stand better next to what these lead to.
    fn pull_down(&self, ranks: &mut [usize]) {
        let mut order: Vec<usize> = (0..ranks.len()).collect();
        order.sort_by_key(|node| Reverse(ranks[*node]));
        let layers = ranks.iter().max().map_or(0, |rank| rank + 1);
        let mut counts = vec![0; layers];
        for rank in ranks.iter() {
            counts[*rank] += 1;
        }
        for node in order {
            let below = &self.below[node];
            let nearest = below.iter().map(|to| ranks[*to]).min();
            let Some(place) = nearest.and_then(|rank| rank.checked_sub(1)) else {
                continue;
            };
            let has_room = counts[place] < self.in_layer_max;
            if below.len() > self.above[node] && place > ranks[node] && has_room {
                counts[ranks[node]] -= 1;
                counts[place] += 1;
                ranks[node] = place;
            }
        }
    }
}

/// A layer that is being filled.
#[derive(Clone, Copy, Default)]
struct Layer {
    count: usize,
    /// A later layer, before which none has room.
    next_with_room: usize,
}
