//! The nodes of a picture by layers.

use alloc::vec;
use alloc::vec::Vec;

use crate::data::Picture;
use crate::layout::{Graph, layout, ranks};

/// Nodes up to which the order in a layer avoids crossings.
const ORDERED_MAX: usize = 1_000;

/// The nodes by their places in the picture, layer by layer from the top down: each is below
/// all that lead to it, and those of a layer stand in the order in which they are drawn. In
/// graphs of more than 1,000 nodes they stand in the order of the picture.
#[must_use]
pub fn layers(picture: &Picture) -> Vec<Vec<usize>> {
    let count = picture.nodes.len();
    let edges: Vec<(usize, usize)> = picture.edges.iter().map(|it| (it.from, it.to)).collect();
    let is_last: Vec<bool> = picture.nodes.iter().map(|it| it.is_finalizer).collect();
    if count <= ORDERED_MAX {
        let laid_out = layout(&Graph {
            widths: &vec![1.0; count],
            edges: &edges,
            is_last: &is_last,
            in_layer_max: Some(count.max(1)),
            space: 1.0,
            line: 1.0,
        });
        let layers = laid_out.layered.layers.into_iter();
        let layers = layers.map(|layer| layer.into_iter().filter(|it| *it < count).collect());
        return layers
            .filter(|layer: &Vec<usize>| !layer.is_empty())
            .collect();
    }
    let ranks = ranks(&edges, &is_last, Some(count));
    let mut layers = vec![Vec::new(); ranks.iter().max().map_or(0, |last| last + 1)];
    for (node, rank) in ranks.into_iter().enumerate() {
        layers[rank].push(node);
    }
    layers
}
