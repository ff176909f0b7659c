//! Where boxes and lines stand: layers, an order in each, and places.
//!
//! The unit of all lengths is the caller's: hundredths of an inch or columns.

use alloc::vec::Vec;

// What is laid out.
mod graph;
// The layer of each node.
mod ranks;
// Long edges, led through the layers between.
mod layered;
// The order in each layer.
mod order;
// The places along each layer.
mod places;

pub(crate) use graph::Graph;
pub(crate) use layered::Layered;
pub(crate) use ranks::ranks;

/// Layers, the order in them, and where everything stands along them.
pub(crate) struct Layout {
    /// Nodes and what leads edges through layers.
    pub(crate) layered: Layered,
    /// The middle of each vertex.
    pub(crate) middles: Vec<f64>,
    /// How wide all of it is.
    pub(crate) width: f64,
}

/// Lays a graph out. The same graph always gets the same places.
pub(crate) fn layout(graph: &Graph<'_>) -> Layout {
    let ranks = ranks(graph.edges, graph.is_last, graph.in_layer_max);
    let mut layered = Layered::of(&ranks, graph.edges);
    order::put_in_order(&mut layered);
    let (middles, width) = places::places(&layered, graph);
    Layout {
        layered,
        middles,
        width,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn laid_out(nodes: usize, edges: &[(usize, usize)]) -> Layout {
        layout(&Graph {
            widths: &vec![10.0; nodes],
            edges,
            is_last: &vec![false; nodes],
            in_layer_max: None,
            space: 2.0,
            line: 2.0,
        })
    }

    #[test]
    fn a_chain_is_straight_and_a_diamond_is_symmetric() {
        let chain = laid_out(3, &[(0, 1), (1, 2)]);
        assert_eq!(chain.layered.layers, [[0], [1], [2]]);
        assert_eq!(chain.middles, [5.0, 5.0, 5.0]);
        let diamond = laid_out(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(diamond.layered.layers, [vec![0], vec![1, 2], vec![3]]);
        assert_eq!(diamond.middles, [11.0, 5.0, 17.0, 11.0]);
    }

    #[test]
    fn lines_that_cross_are_put_in_another_order() {
        let crossed = laid_out(4, &[(0, 3), (1, 2)]);
        let [upper, lower] = &crossed.layered.layers[..] else {
            panic!("two layers");
        };
        let to = |node: usize| if node == 0 { 3 } else { 2 };
        assert_eq!(upper.iter().map(|it| to(*it)).collect::<Vec<_>>(), *lower);
    }

    #[test]
    fn a_long_edge_is_led_through_the_layers_between() {
        let long = laid_out(3, &[(0, 1), (1, 2), (0, 2)]);
        assert_eq!(long.layered.chains[2].len(), 3);
        assert_eq!(long.layered.layers[1].len(), 2);
    }

    #[test]
    fn what_leads_in_a_circle_is_drawn_all_the_same() {
        let circle = laid_out(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        let all: usize = circle.layered.layers.iter().map(Vec::len).sum();
        assert_eq!(circle.layered.chains.len(), 4);
        assert!(all >= 3);
    }

    #[test]
    fn a_layer_that_is_too_wide_becomes_several() {
        let edges: Vec<_> = (1..=900).map(|to| (0, to)).collect();
        let fan = laid_out(901, &edges);
        let widest = fan.layered.layers.iter().map(|layer| {
            let nodes = layer.iter().filter(|it| **it < 901);
            nodes.count()
        });
        assert!(widest.max() <= Some(43));
    }

    /// Each of 5,000 nodes leads to those that come 1, 10 and 1,000 behind it: these edges
    /// pass 4,000,000 layers.
    #[test]
    fn so_many_lines_are_led_through_layers_and_no_more() {
        let nodes = 5_000;
        let edge = |from: usize| [1, 10, 1_000].map(|step| (from, from + step));
        let edges: Vec<_> = (0..nodes)
            .flat_map(edge)
            .filter(|it| it.1 < nodes)
            .collect();
        let large = laid_out(nodes, &edges);
        assert!(large.layered.ranks.len() <= nodes + layered::LEADING_MAX);
        let straight = large.layered.chains.iter().zip(&edges);
        let straight = straight.filter(|(chain, edge)| chain.len() == 2 && edge.1 - edge.0 > 1);
        assert!(straight.count() > 3_000);
    }
}
