//! A picture with all its boxes and lines in their places, in pixels: each workflow that
//! stands in a node is laid out first, and its node is as large as it needs.

use alloc::vec;
use alloc::vec::Vec;

use crate::columns;
use crate::data::Picture;
use crate::layout::{Graph, Layout, layout};
use crate::rounding::{ceil, round};
use crate::signs::{about, count, short_label};

/// Columns of an id and of what stands below it; all of it is told where one points at it.
pub(crate) const ID_COLUMNS: usize = 32;
pub(crate) const ABOUT_COLUMNS: usize = 40;

/// Pixels of a column, of ids, of what stands below them, and of edges.
const ID_COLUMN: f64 = 8.0;
const ABOUT_COLUMN: f64 = 6.4;
const LABEL_COLUMN: f64 = 6.2;

const BOX_WIDTH_MIN: f64 = 88.0;
const BOX_HEIGHT: f64 = 46.0;
const END_HEIGHT: f64 = 28.0;
/// About what stands within a box.
const PADDING: f64 = 14.0;
/// Between two boxes of a layer.
const SPACE: f64 = 24.0;
/// Of a line that passes a layer.
const LINE: f64 = 14.0;
/// Between two layers.
const GAP: f64 = 40.0;
/// So much more where lines are flat.
const GAP_OF_FLAT_MAX: f64 = 120.0;
/// Of each further label above a box.
pub(crate) const LABEL_HEIGHT: f64 = 13.0;
/// Labels above one box; the others are told where one points at their edges.
const LABELS_MAX: usize = 6;
/// Between two lines that end at one box.
const PORT: f64 = 16.0;

/// A picture in its places.
pub(crate) struct Placed {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// One for each node.
    pub(crate) boxes: Vec<Area>,
    /// One for each edge.
    pub(crate) routes: Vec<Route>,
    /// What stands in each node.
    pub(crate) inner: Vec<Option<Self>>,
}

/// Where something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Where an edge goes.
pub(crate) struct Route {
    /// Down from one point to the next: the lines within layers, and between them from the
    /// second of a pair to the first of the next.
    pub(crate) points: Vec<(f64, f64)>,
    /// The middle of its label.
    pub(crate) label: Option<(f64, f64)>,
    /// Whether it is not led about boxes.
    pub(crate) is_straight: bool,
}

impl Area {
    pub(crate) fn middle(&self) -> f64 {
        self.x + self.width / 2.0
    }

    fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// Puts all in its place. The depth is that of JSON, which is bounded.
pub(crate) fn placed(picture: &Picture) -> Placed {
    let inner: Vec<Option<Placed>> = picture
        .nodes
        .iter()
        .map(|node| node.inner.as_deref().map(placed))
        .collect();
    let mut boxes: Vec<Area> = (0..picture.nodes.len())
        .map(|node| size(picture, node, inner[node].as_ref()))
        .collect();
    let labels = Labels::of(picture);
    let widths = boxes.iter().zip(&labels.widths);
    let widths: Vec<f64> = widths.map(|(it, label)| it.width.max(*label)).collect();
    let edges: Vec<(usize, usize)> = picture.edges.iter().map(|it| (it.from, it.to)).collect();
    let is_last: Vec<bool> = picture.nodes.iter().map(|it| it.is_finalizer).collect();
    let layout = layout(&Graph {
        widths: &widths,
        edges: &edges,
        is_last: &is_last,
        in_layer_max: None,
        space: SPACE,
        line: LINE,
    });
    let rows = rows(&layout, &boxes, &labels);
    for (node, area) in boxes.iter_mut().enumerate() {
        area.x = round(layout.middles[node] - area.width / 2.0);
        area.y = rows[layout.layered.ranks[node]].y;
    }
    let routes = routes(&layout, &boxes, &rows, &labels);
    let height = rows.last().map_or(0.0, Area::bottom);
    Placed {
        width: ceil(layout.width) + 1.0,
        height,
        boxes,
        routes,
        inner,
    }
}

/// How large the box of a node is.
fn size(picture: &Picture, node: usize, inner: Option<&Placed>) -> Area {
    let node = &picture.nodes[node];
    let in_columns = |text: &str, most: usize| columns::width(&columns::short(text, most)) as f64;
    // The sign and a space stand before an id, a space and the count behind it.
    let sign = if node.state.is_some() { 2.0 } else { 0.0 };
    let count = count(node).map_or(0.0, |count| 1.0 + columns::width(&count) as f64);
    let id = (in_columns(&node.id, ID_COLUMNS) + sign + count) * ID_COLUMN;
    let about = in_columns(&about(node), ABOUT_COLUMNS) * ABOUT_COLUMN;
    let own = id.max(about) + 2.0 * PADDING;
    let (width, height) = match (inner, node.is_end()) {
        (Some(inner), _) => (
            own.max(inner.width + 2.0 * PADDING),
            BOX_HEIGHT + inner.height + PADDING,
        ),
        (None, true) => (own, END_HEIGHT),
        (None, false) => (own.max(BOX_WIDTH_MIN), BOX_HEIGHT),
    };
    Area {
        x: 0.0,
        y: 0.0,
        width: ceil(width / 2.0) * 2.0,
        height: ceil(height),
    }
}

/// The labels of edges, which stand above the boxes that these lead to.
struct Labels {
    /// How many labels stand below that of each edge. `None` without a label.
    places: Vec<Option<usize>>,
    /// How many stand above each node.
    counts: Vec<usize>,
    /// How wide the widest of them is.
    widths: Vec<f64>,
}

impl Labels {
    fn of(picture: &Picture) -> Self {
        let mut labels = Self {
            places: vec![None; picture.edges.len()],
            counts: vec![0; picture.nodes.len()],
            widths: vec![0.0; picture.nodes.len()],
        };
        for (edge, place) in picture.edges.iter().zip(&mut labels.places) {
            let Some(label) = short_label(edge) else {
                continue;
            };
            let count = &mut labels.counts[edge.to];
            if *count < LABELS_MAX {
                *place = Some(*count);
                *count += 1;
                let width = columns::width(&label) as f64 * LABEL_COLUMN;
                labels.widths[edge.to] = labels.widths[edge.to].max(width);
            }
        }
        labels
    }
}

/// Where each layer stands.
fn rows(layout: &Layout, boxes: &[Area], labels: &Labels) -> Vec<Area> {
    let layered = &layout.layered;
    let mut rows: Vec<Area> = Vec::with_capacity(layered.layers.len());
    for layer in &layered.layers {
        let nodes = || layer.iter().filter(|it| layered.is_node(**it));
        let height = nodes().map(|node| boxes[*node].height).fold(0.0, f64::max);
        let labels = nodes().map(|node| labels.counts[*node]).max().unwrap_or(0);
        rows.push(Area {
            height,
            y: labels as f64 * LABEL_HEIGHT,
            ..Area::default()
        });
    }
    let mut flat = vec![0.0_f64; rows.len()];
    for chain in &layered.chains {
        for ends in chain.windows(2) {
            let (from, to) = (layered.ranks[ends[0]], layered.ranks[ends[1]]);
            if from + 1 == to {
                let aside = (layout.middles[ends[0]] - layout.middles[ends[1]]).abs();
                flat[to] = flat[to].max(aside);
            }
        }
    }
    let mut y = 0.0;
    for (row, flat) in rows.iter_mut().zip(flat) {
        if y > 0.0 {
            y += ceil(GAP + (flat / 12.0).min(GAP_OF_FLAT_MAX));
        }
        row.y += y;
        y = row.bottom();
    }
    rows
}

fn routes(layout: &Layout, boxes: &[Area], rows: &[Area], labels: &Labels) -> Vec<Route> {
    let chains = &layout.layered.chains;
    let next = |edge: usize| layout.middles[chains[edge][1]];
    let before = |edge: usize| layout.middles[chains[edge][chains[edge].len() - 2]];
    let (mut leaving, mut coming) = (vec![Vec::new(); boxes.len()], vec![Vec::new(); boxes.len()]);
    for (edge, chain) in chains.iter().enumerate() {
        leaving[chain[0]].push(edge);
        coming[chain[chain.len() - 1]].push(edge);
    }
    let starts = ports(&mut leaving, boxes, chains.len(), next);
    let ends = ports(&mut coming, boxes, chains.len(), before);
    let route = |(edge, chain): (usize, &Vec<usize>)| {
        let (first, last) = (chain[0], chain[chain.len() - 1]);
        let (from, to) = (&boxes[first], &boxes[last]);
        // Boxes of one layer need not be equally high.
        let mut points = vec![(starts[edge], from.bottom())];
        if rows[layout.layered.ranks[first]].bottom() > from.bottom() {
            points.push((starts[edge], rows[layout.layered.ranks[first]].bottom()));
        } else {
            points.push(points[0]);
        }
        for vertex in &chain[1..chain.len() - 1] {
            let row = &rows[layout.layered.ranks[*vertex]];
            let x = round(layout.middles[*vertex]);
            points.extend([(x, row.y), (x, row.bottom())]);
        }
        points.extend([(ends[edge], to.y), (ends[edge], to.y)]);
        let place = labels.places[edge];
        let label = place.map(|place| {
            let above = 14.0 + place as f64 * LABEL_HEIGHT;
            (round(to.middle()), to.y - above)
        });
        let is_led = layout.layered.ranks[first] + chain.len() - 1 == layout.layered.ranks[last];
        Route {
            points,
            label,
            is_straight: !is_led,
        }
    };
    chains.iter().enumerate().map(route).collect()
}

/// Where each edge meets a box: in the order of where it comes from or goes to.
fn ports(
    edges: &mut [Vec<usize>],
    boxes: &[Area],
    count: usize,
    aside: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let mut ports = vec![0.0; count];
    for (edges, area) in edges.iter_mut().zip(boxes) {
        edges.sort_by(|a, b| aside(*a).total_cmp(&aside(*b)));
        let gaps = edges.len().saturating_sub(1) as f64;
        let room = (area.width - 2.0 * PADDING).max(0.0);
        let step = if gaps > 0.0 {
            (room / gaps).min(PORT)
        } else {
            0.0
        };
        let first = area.middle() - gaps * step / 2.0;
        for (place, edge) in edges.iter().enumerate() {
            ports[*edge] = round(first + place as f64 * step);
        }
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The boxes of one layer, and of all others, stand apart.
    fn check(placed: &Placed) {
        for (at, one) in placed.boxes.iter().enumerate() {
            for other in &placed.boxes[..at] {
                let is_beside = one.x >= other.x + other.width || other.x >= one.x + one.width;
                let is_above = one.y >= other.bottom() || other.y >= one.bottom();
                assert!(is_beside || is_above, "{one:?} {other:?}");
            }
            assert!(one.x >= 0.0 && one.x + one.width <= placed.width, "{one:?}");
            assert!(one.bottom() <= placed.height, "{one:?}");
        }
        placed.inner.iter().flatten().for_each(check);
    }

    #[test]
    fn no_box_of_the_examples_stands_on_another() {
        for text in [
            include_str!("../../examples/approval.json"),
            include_str!("../../examples/files.json"),
            include_str!("../../examples/loop.json"),
            include_str!("../../examples/saga.json"),
        ] {
            let picture = crate::reading::of_workflow(text).expect("valid");
            check(&placed(&picture));
        }
    }
}
