//! The shape of a graph: ranks, and what can be reached (rule R2).
//!
//! Every step looks at each node and edge a fixed number of times, and none
//! recurses: graphs come from users.

use alloc::vec;
use alloc::vec::Vec;

/// What the edges say about the order of the nodes.
pub(super) struct Ranking {
    /// The longest path to each node, in edges. Meaningless where there are
    /// cycles.
    pub(super) ranks: Vec<u32>,
    /// The nodes that are on a cycle, or only to be reached through one.
    pub(super) unordered: Vec<usize>,
}

/// Rank the nodes `0..nodes` along the edges, which are sorted. (Kahn's
/// algorithm.)
pub(super) fn rank(nodes: usize, edges: &[(usize, usize)]) -> Ranking {
    let starts = starts(nodes, edges);
    let mut unmet = vec![0_u32; nodes];
    for &(_, to) in edges {
        unmet[to] += 1;
    }
    let mut ranks = vec![0_u32; nodes];
    let mut due: Vec<usize> = (0..nodes).filter(|&node| unmet[node] == 0).collect();
    while let Some(node) = due.pop() {
        for &(_, to) in &edges[starts[node]..starts[node + 1]] {
            ranks[to] = ranks[to].max(ranks[node] + 1);
            unmet[to] -= 1;
            if unmet[to] == 0 {
                due.push(to);
            }
        }
    }
    let unordered = (0..nodes).filter(|&node| unmet[node] > 0).collect();
    Ranking { ranks, unordered }
}

/// Which nodes a path leads to from `start`. The edges are sorted.
pub(super) fn reachable(nodes: usize, edges: &[(usize, usize)], start: usize) -> Vec<bool> {
    let starts = starts(nodes, edges);
    let mut reached = vec![false; nodes];
    reached[start] = true;
    let mut due = vec![start];
    while let Some(node) = due.pop() {
        for &(_, to) in &edges[starts[node]..starts[node + 1]] {
            if !reached[to] {
                reached[to] = true;
                due.push(to);
            }
        }
    }
    reached
}

/// Where each node's outgoing edges begin; one more, where the last ones end.
pub(super) fn starts(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut starts = vec![0; nodes + 1];
    for &(from, _) in edges {
        starts[from + 1] += 1;
    }
    for node in 0..nodes {
        starts[node + 1] += starts[node];
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_ranks_are_longest_paths() {
        let edges = [(0, 1), (0, 3), (1, 2), (2, 3), (3, 5), (4, 5)];
        let order = rank(6, &edges);
        assert_eq!(order.ranks, [0, 1, 2, 3, 0, 4]);
        assert!(order.unordered.is_empty());
        assert_eq!(
            reachable(6, &edges, 1),
            [false, true, true, true, false, true]
        );
    }

    #[test]
    fn r2_long_graphs_are_no_trouble() {
        let chain: Vec<(usize, usize)> = (0..100_000).map(|node| (node, node + 1)).collect();
        assert_eq!(rank(100_001, &chain).ranks[100_000], 100_000);
    }
}
