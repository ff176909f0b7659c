//! The places along each layer: near those of the neighbours, in the order that is given,
//! and without overlaps.
//!
//! Each layer is placed by itself, again and again, with the least sum of squared distances
//! to where its vertices would like to be. With the order and the distances given, that is
//! an isotonic regression, which pooling adjacent violators solves in linear time (Ayer and
//! others, 1955).

use alloc::vec;
use alloc::vec::Vec;

use super::graph::Graph;
use super::layered::Layered;

/// Sweeps down and up, and of graphs with more vertices than those of a large one.
const SWEEPS: usize = 16;
const SWEEPS_OF_LARGE: usize = 5;
const LARGE: usize = 5_000;

/// What lines weigh: those that are led through layers are straightened first.
const BETWEEN_NODES: f64 = 1.0;
const TO_LEADING: f64 = 2.0;
const BETWEEN_LEADING: f64 = 8.0;
/// What a vertex without lines weighs.
const KEEPING: f64 = 0.01;

/// The middle of each vertex, and how wide all of it is.
pub(super) fn places(layered: &Layered, graph: &Graph<'_>) -> (Vec<f64>, f64) {
    let half = |vertex: usize| match layered.is_node(vertex) {
        true => (graph.widths[vertex] + graph.space) / 2.0,
        false => graph.line / 2.0,
    };
    let halves: Vec<f64> = (0..layered.ranks.len()).map(half).collect();
    let mut placed = Placing {
        layered,
        halves: &halves,
        middles: vec![0.0; layered.ranks.len()],
    };
    for layer in &layered.layers {
        let mut left = 0.0;
        for vertex in layer {
            placed.middles[*vertex] = left + halves[*vertex];
            left += 2.0 * halves[*vertex];
        }
    }
    let count = layered.layers.len();
    let sweeps = match layered.ranks.len() > LARGE {
        true => SWEEPS_OF_LARGE,
        false => SWEEPS,
    };
    for _ in 0..sweeps {
        for place in 0..count {
            placed.place(place, &[&layered.above]);
        }
        for place in (0..count).rev() {
            placed.place(place, &[&layered.below]);
        }
    }
    for place in (0..count).chain((0..count).rev()) {
        placed.place(place, &[&layered.above, &layered.below]);
    }
    let Placing { mut middles, .. } = placed;
    let edge = |vertex: usize| match layered.is_node(vertex) {
        true => halves[vertex] - graph.space / 2.0,
        false => halves[vertex],
    };
    let ends = middles.iter().enumerate();
    let (left, right) = ends.fold((f64::MAX, f64::MIN), |(left, right), (vertex, middle)| {
        let half = edge(vertex);
        (left.min(middle - half), right.max(middle + half))
    });
    for middle in &mut middles {
        *middle -= left;
    }
    (middles, (right - left).max(0.0))
}

struct Placing<'a> {
    layered: &'a Layered,
    /// Half of what each vertex takes, the space about it included.
    halves: &'a [f64],
    middles: Vec<f64>,
}

/// Vertices that stand side by side, as near to where they would like to be as they can.
struct Block {
    /// The sum of the weights.
    weight: f64,
    /// The sum of the wishes, each by its weight.
    wishes: f64,
    /// How many there are.
    count: usize,
}

impl Block {
    fn place(&self) -> f64 {
        self.wishes / self.weight
    }
}

impl Placing<'_> {
    /// Places one layer near these neighbours.
    fn place(&mut self, layer: usize, neighbours: &[&Vec<Vec<usize>>]) {
        let layer = &self.layered.layers[layer];
        let mut blocks: Vec<Block> = Vec::with_capacity(layer.len());
        let mut offset = 0.0;
        let mut before = 0.0;
        let mut offsets = Vec::with_capacity(layer.len());
        let wishes = self.wishes(layer, neighbours);
        for (position, (vertex, (wish, weight))) in layer.iter().zip(wishes).enumerate() {
            let half = self.halves[*vertex];
            if position > 0 {
                offset += before + half;
            }
            before = half;
            offsets.push(offset);
            let mut block = Block {
                weight,
                wishes: (wish - offset) * weight,
                count: 1,
            };
            while let Some(last) = blocks.pop_if(|last| last.place() >= block.place()) {
                block.weight += last.weight;
                block.wishes += last.wishes;
                block.count += last.count;
            }
            blocks.push(block);
        }
        let mut places = layer.iter().zip(offsets);
        for block in &blocks {
            let place = block.place();
            for (vertex, offset) in places.by_ref().take(block.count) {
                self.middles[*vertex] = place + offset;
            }
        }
    }

    /// Where the vertices of a layer would like to stand, and how much. Those without such
    /// neighbours keep to the one before them, so that they are not pushed away.
    fn wishes(&self, layer: &[usize], neighbours: &[&Vec<Vec<usize>>]) -> Vec<(f64, f64)> {
        let own = layer.iter().map(|vertex| self.wish(*vertex, neighbours));
        let own: Vec<Option<(f64, f64)>> = own.collect();
        let first = own.iter().flatten().next().map(|(wish, _)| *wish);
        let mut last = first;
        let kept = layer.iter().zip(own).map(|(vertex, own)| {
            last = own.map(|(wish, _)| wish).or(last);
            own.unwrap_or((last.unwrap_or(self.middles[*vertex]), KEEPING))
        });
        kept.collect()
    }

    /// Where a vertex would like to stand, and how much. `None` without neighbours.
    fn wish(&self, vertex: usize, neighbours: &[&Vec<Vec<usize>>]) -> Option<(f64, f64)> {
        let (mut sum, mut weights) = (0.0, 0.0);
        let own = self.layered.is_node(vertex);
        for other in neighbours.iter().flat_map(|it| &it[vertex]) {
            let weight = match (own, self.layered.is_node(*other)) {
                (true, true) => BETWEEN_NODES,
                (false, false) => BETWEEN_LEADING,
                (true, false) | (false, true) => TO_LEADING,
            };
            sum += self.middles[*other] * weight;
            weights += weight;
        }
        (weights > 0.0).then(|| (sum / weights, weights))
    }
}
