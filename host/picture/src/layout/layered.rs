//! A graph in layers, in which each edge leads from one layer to the next.

use alloc::vec;
use alloc::vec::Vec;
use core::mem;

/// Vertices that lead edges through layers, in all: what more there would be is drawn as
/// straight lines behind the boxes, the longest edges first.
pub(super) const LEADING_MAX: usize = 60_000;

/// How wide a layer may become, in lines that pass it, and how wide a node is; some lines
/// always pass. What is wider is not read by anybody.
const LAYER_LINES: usize = 300;
const NODE_LINES: usize = 8;
const LEADING_IN_LAYER_MIN: usize = 20;

/// A graph in layers. Its vertices are the nodes, by their places, and behind them those
/// that lead edges through layers.
pub(crate) struct Layered {
    /// How many of the vertices are nodes.
    pub(crate) nodes: usize,
    /// The layer of each vertex.
    pub(crate) ranks: Vec<usize>,
    /// The vertices of each layer, from left to right.
    pub(crate) layers: Vec<Vec<usize>>,
    /// The vertices that each edge passes, its ends included.
    pub(crate) chains: Vec<Vec<usize>>,
    /// The vertices of the next layer that each leads to.
    pub(super) below: Vec<Vec<usize>>,
    /// The vertices of the layer before that lead to each.
    pub(super) above: Vec<Vec<usize>>,
}

impl Layered {
    pub(super) fn of(ranks: &[usize], edges: &[(usize, usize)]) -> Self {
        let nodes = ranks.len();
        let mut layered = Self {
            nodes,
            ranks: ranks.to_vec(),
            layers: Vec::new(),
            chains: vec![Vec::new(); edges.len()],
            below: vec![Vec::new(); nodes],
            above: vec![Vec::new(); nodes],
        };
        let mut by_length: Vec<usize> = (0..edges.len()).collect();
        let length = |edge: &usize| ranks[edges[*edge].1].abs_diff(ranks[edges[*edge].0]);
        by_length.sort_by_key(length);
        let mut left = LEADING_MAX;
        let mut rooms = rooms(ranks);
        for edge in by_length {
            let (from, to) = edges[edge];
            let between = ranks[from] + 1..ranks[to].max(ranks[from] + 1);
            let leading = between.len();
            let has_room = leading <= left && rooms[between.clone()].iter().all(|it| *it > 0);
            let is_led = ranks[from] < ranks[to] && has_room;
            layered.chains[edge] = match is_led {
                true => {
                    left -= leading;
                    rooms[between].iter_mut().for_each(|it| *it -= 1);
                    layered.led(from, to)
                }
                false => vec![from, to],
            };
        }
        layered.fill();
        layered
    }

    fn led(&mut self, from: usize, to: usize) -> Vec<usize> {
        let mut chain = vec![from];
        for rank in self.ranks[from] + 1..self.ranks[to] {
            self.ranks.push(rank);
            self.below.push(Vec::new());
            self.above.push(Vec::new());
            chain.push(self.ranks.len() - 1);
        }
        chain.push(to);
        for ends in chain.windows(2) {
            self.below[ends[0]].push(ends[1]);
            self.above[ends[1]].push(ends[0]);
        }
        chain
    }

    /// The layers, each in the order in which a search in depth meets its vertices.
    fn fill(&mut self) {
        let layers = self.ranks.iter().max().map_or(0, |rank| rank + 1);
        self.layers = vec![Vec::new(); layers];
        let mut is_met = vec![false; self.ranks.len()];
        let mut beginnings: Vec<usize> = (0..self.ranks.len()).collect();
        beginnings.sort_by_key(|vertex| self.ranks[*vertex]);
        for beginning in beginnings {
            let mut stack = vec![beginning];
            while let Some(vertex) = stack.pop() {
                if mem::replace(&mut is_met[vertex], true) {
                    continue;
                }
                self.layers[self.ranks[vertex]].push(vertex);
                stack.extend(self.below[vertex].iter().rev());
            }
        }
    }

    /// Whether this vertex is a node.
    pub(crate) fn is_node(&self, vertex: usize) -> bool {
        vertex < self.nodes
    }
}

/// How many lines may be led through each layer.
fn rooms(ranks: &[usize]) -> Vec<usize> {
    let mut rooms = vec![LAYER_LINES; ranks.iter().max().map_or(0, |it| it + 1)];
    for rank in ranks {
        rooms[*rank] = rooms[*rank].saturating_sub(NODE_LINES);
    }
    rooms
        .into_iter()
        .map(|it| it.max(LEADING_IN_LAYER_MIN))
        .collect()
}
