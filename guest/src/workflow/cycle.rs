//! The cycles of a graph, for people to see (rule R1).
//!
//! Nodes that can reach one another form a tangle. Each tangle has a cycle, and
//! all tangles are reported at once. Linear, and without recursion.

use alloc::vec;
use alloc::vec::Vec;

use super::order::starts;

/// Cycles without a node in common, at least one of each tangle, each from its
/// smallest node on. The edges are sorted; `suspects` are the nodes that
/// Kahn's algorithm left over; what can be reached from one is one.
pub(super) fn cycles(
    suspects: &[usize],
    nodes: usize,
    edges: &[(usize, usize)],
) -> Vec<Vec<usize>> {
    if suspects.is_empty() {
        return Vec::new();
    }
    let mut backward: Vec<(usize, usize)> = edges.iter().map(|&(from, to)| (to, from)).collect();
    backward.sort_unstable();
    let tangles = tangles(suspects, nodes, edges, &backward);

    // One step back inside the tangle, to the smallest such node: going on
    // stepping back leads round a cycle in the end.
    let mut before = vec![None; nodes];
    for &(to, from) in backward.iter().rev() {
        if tangles[to].is_some() && tangles[to] == tangles[from] {
            before[to] = Some(from);
        }
    }
    let mut cycles = Vec::new();
    let mut walk_of = vec![None; nodes];
    for &suspect in suspects {
        let mut node = suspect;
        while walk_of[node].is_none()
            && let Some(back) = before[node]
        {
            walk_of[node] = Some(suspect);
            node = back;
        }
        if walk_of[node] == Some(suspect) {
            cycles.push(cycle_through(node, &before));
        }
    }
    assert!(
        !cycles.is_empty(),
        "what Kahn's algorithm leaves over has a cycle"
    );
    cycles
}

/// The tangle of each suspect, named after one of its nodes. (Kosaraju's
/// algorithm: in the order in which a forward search leaves the nodes, the last
/// first, a backward search from each finds just its own tangle.)
fn tangles(
    suspects: &[usize],
    nodes: usize,
    forward: &[(usize, usize)],
    backward: &[(usize, usize)],
) -> Vec<Option<usize>> {
    let starts = starts(nodes, backward);
    let mut open = vec![false; nodes];
    for &suspect in suspects {
        open[suspect] = true;
    }
    let mut tangles = vec![None; nodes];
    for &root in left(suspects, nodes, forward).iter().rev() {
        let mut due = vec![root];
        while let Some(node) = due.pop() {
            if open[node] {
                open[node] = false;
                tangles[node] = Some(root);
                due.extend(
                    backward[starts[node]..starts[node + 1]]
                        .iter()
                        .map(|&(_, from)| from),
                );
            }
        }
    }
    tangles
}

/// All that can be reached from the suspects, in the order in which a depth-first search leaves it.
fn left(suspects: &[usize], nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let starts = starts(nodes, edges);
    let mut entered = vec![false; nodes];
    let mut left = Vec::new();
    // Each node on the way with the next of its edges to follow.
    let mut way: Vec<(usize, usize)> = Vec::new();
    for &suspect in suspects {
        if !entered[suspect] {
            entered[suspect] = true;
            way.push((suspect, starts[suspect]));
        }
        while let Some((node, next)) = way.last_mut() {
            if *next == starts[*node + 1] {
                left.push(*node);
                way.pop();
                continue;
            }
            let (_, to) = edges[*next];
            *next += 1;
            if !entered[to] {
                entered[to] = true;
                way.push((to, starts[to]));
            }
        }
    }
    left
}

/// The cycle through `node`, forward, from its smallest node on.
fn cycle_through(node: usize, before: &[Option<usize>]) -> Vec<usize> {
    let mut cycle = vec![node];
    let mut at = node;
    while let Some(back) = before[at]
        && back != node
    {
        cycle.push(back);
        at = back;
    }
    cycle.reverse();
    let smallest = cycle
        .iter()
        .enumerate()
        .min_by_key(|(_, node)| **node)
        .map_or(0, |(place, _)| place);
    cycle.rotate_left(smallest);
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::order::rank;

    type Edges = &'static [(usize, usize)];

    fn cycles_of(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
        cycles(&rank(nodes, edges).unordered, nodes, edges)
    }

    #[test]
    fn r1_each_tangle_tells_a_cycle() {
        #[rustfmt::skip]
        let rows: [(Edges, &[&[usize]]); 7] = [
            (&[(0, 1), (1, 2)],                                 &[]),
            (&[(0, 0)],                                         &[&[0]]),
            (&[(0, 1), (1, 0)],                                 &[&[0, 1]]),
            (&[(0, 1), (1, 2), (2, 3), (3, 1)],                 &[&[1, 2, 3]]),
            (&[(0, 3), (1, 2), (2, 1), (3, 4), (4, 3)],         &[&[1, 2], &[3, 4]]),
            // Nodes between two cycles, and after one, are unordered too.
            (&[(0, 1), (1, 0), (1, 2), (2, 3), (3, 4), (4, 3)], &[&[0, 1], &[3, 4]]),
            // Two rounds through one node.
            (&[(0, 1), (0, 2), (1, 0), (2, 0), (2, 4)],         &[&[0, 1]]),
        ];
        for (edges, cycles) in rows {
            assert_eq!(cycles_of(5, edges), cycles, "{edges:?}");
        }
    }

    #[test]
    fn r1_a_long_way_round_is_no_trouble() {
        let mut ring: Vec<(usize, usize)> = (0..100_000).map(|node| (node, node + 1)).collect();
        ring.push((100_000, 0));
        assert_eq!(
            cycles_of(100_001, &ring),
            [(0..=100_000).collect::<Vec<_>>()]
        );
    }
}
