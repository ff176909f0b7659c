//! The order in each layer, with few crossings: barycentres, down and up (Sugiyama, Tagawa
//! and Toda), and crossings counted as inversions (Barth, Mutzel and Jünger, 2004).

use alloc::vec;
use alloc::vec::Vec;

use super::layered::Layered;

/// Rounds for small graphs and, above so many vertices, for large ones.
const ROUNDS: usize = 24;
const ROUNDS_OF_LARGE: usize = 6;
const LARGE: usize = 5_000;

/// Puts the vertices of each layer into the best order that some rounds find.
pub(super) fn put_in_order(layered: &mut Layered) {
    let rounds = match layered.ranks.len() > LARGE {
        true => ROUNDS_OF_LARGE,
        false => ROUNDS,
    };
    let mut positions = vec![0; layered.ranks.len()];
    for layer in &layered.layers {
        note(layer, &mut positions);
    }
    let mut best = layered.layers.clone();
    let mut fewest = crossings(layered, &positions);
    for round in 0..rounds {
        if fewest == 0 {
            break;
        }
        sweep(layered, &mut positions, round % 2 == 0);
        let found = crossings(layered, &positions);
        if found < fewest {
            fewest = found;
            best.clone_from(&layered.layers);
        }
    }
    layered.layers = best;
}

fn note(layer: &[usize], positions: &mut [usize]) {
    for (position, vertex) in layer.iter().enumerate() {
        positions[*vertex] = position;
    }
}

/// Sorts each layer by the middle of its neighbours in the layer before, or in the next.
fn sweep(layered: &mut Layered, positions: &mut [usize], down: bool) {
    let neighbours = if down { &layered.above } else { &layered.below };
    let count = layered.layers.len();
    for step in 0..count {
        let place = if down { step } else { count - 1 - step };
        let layer = &mut layered.layers[place];
        let mut keyed: Vec<(f64, usize)> = layer
            .iter()
            .map(|vertex| {
                let own = positions[*vertex] as f64;
                (
                    mean(&neighbours[*vertex], positions).unwrap_or(own),
                    *vertex,
                )
            })
            .collect();
        // Stable: of equals, none overtakes the other.
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (slot, (_, vertex)) in layer.iter_mut().zip(keyed) {
            *slot = vertex;
        }
        note(layer, positions);
    }
}

fn mean(vertices: &[usize], positions: &[usize]) -> Option<f64> {
    let sum: usize = vertices.iter().map(|vertex| positions[*vertex]).sum();
    (!vertices.is_empty()).then(|| sum as f64 / vertices.len() as f64)
}

/// How many pairs of lines cross.
fn crossings(layered: &Layered, positions: &[usize]) -> u64 {
    let mut all = 0;
    let mut tree = Vec::new();
    for (upper, lower) in layered.layers.iter().zip(layered.layers.iter().skip(1)) {
        tree.clear();
        tree.resize(lower.len() + 1, 0_u64);
        let mut before = 0;
        for vertex in upper {
            let mut ends: Vec<usize> = layered.below[*vertex]
                .iter()
                .map(|to| positions[*to])
                .collect();
            ends.sort_unstable();
            // Those of one vertex do not cross each other.
            for end in &ends {
                all += before - sum_up_to(&tree, end + 1);
            }
            for end in &ends {
                add_at(&mut tree, end + 1);
            }
            before += ends.len() as u64;
        }
    }
    all
}

/// A sum of a Fenwick tree.
fn sum_up_to(tree: &[u64], mut place: usize) -> u64 {
    let mut sum = 0;
    while place > 0 {
        sum += tree[place];
        place &= place - 1;
    }
    sum
}

fn add_at(tree: &mut [u64], mut place: usize) {
    while place < tree.len() {
        tree[place] += 1;
        place += place & place.wrapping_neg();
    }
}
