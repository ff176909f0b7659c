//! A picture as boxes and lines of characters.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::columns::{centred, short, width};
use crate::data::{Node, On, Picture};
use crate::layout::{Graph, Layout, layout};
use crate::lines::{Along, Channel, Owner, rows};
use crate::rounding::{ceil, floor};
use crate::signs::{about, count, sign};

/// More nodes or edges than these are never drawn so.
const NODES_MAX: usize = 400;
const EDGES_MAX: usize = 2_000;
/// Columns of a line in a box; what does not fit is left out.
const TEXT_COLUMNS: usize = 36;

/// Nodes of one layer: as many as there are, and fewer where they do not fit. With one there
/// would be nothing but lines beside each other.
const IN_LAYER: [Option<usize>; 5] = [None, Some(5), Some(4), Some(3), Some(2)];

/// Boxes and lines, without what stands in nodes. `None` if they do not fit into so many
/// columns.
pub(crate) fn drawing(picture: &Picture, columns: usize) -> Option<String> {
    if picture.nodes.len() > NODES_MAX || picture.edges.len() > EDGES_MAX {
        return None;
    }
    let boxes: Vec<[String; 2]> = picture.nodes.iter().map(lines).collect();
    let widths = boxes.iter().map(|[first, second]| {
        let inner = width(first).max(width(second));
        // Odd, so that there is a column in the middle.
        (inner + 4) | 1
    });
    let widths: Vec<usize> = widths.collect();
    let mut layouts = IN_LAYER
        .into_iter()
        .map(|max| laid_out(picture, &widths, max));
    let layout = layouts.find(|layout| room(layout) <= columns && is_led(layout))?;
    let middles = layout.middles.iter();
    let drawing = Drawing {
        picture,
        boxes,
        widths,
        columns: middles.map(|it| floor(*it) as usize).collect(),
        is_dashed: is_dashed(picture, &layout),
        room: room(&layout),
        layout,
    };
    Some(drawing.text())
}

fn laid_out(picture: &Picture, widths: &[usize], in_layer_max: Option<usize>) -> Layout {
    let edges: Vec<(usize, usize)> = picture.edges.iter().map(|it| (it.from, it.to)).collect();
    let is_last: Vec<bool> = picture.nodes.iter().map(|it| it.is_finalizer).collect();
    layout(&Graph {
        widths: &widths.iter().map(|it| *it as f64).collect::<Vec<_>>(),
        edges: &edges,
        is_last: &is_last,
        in_layer_max,
        space: 2.0,
        line: 2.0,
    })
}

/// How many columns a layout takes.
fn room(layout: &Layout) -> usize {
    ceil(layout.width) as usize + 1
}

/// Whether every edge is led down from layer to layer.
fn is_led(layout: &Layout) -> bool {
    let ranks = &layout.layered.ranks;
    let mut steps = layout.layered.chains.iter().flat_map(|it| it.windows(2));
    steps.all(|ends| ranks[ends[0]] + 1 == ranks[ends[1]])
}

fn is_dashed(picture: &Picture, layout: &Layout) -> Vec<bool> {
    let mut is_dashed = vec![false; layout.layered.ranks.len()];
    for (edge, chain) in picture.edges.iter().zip(&layout.layered.chains) {
        for vertex in chain {
            is_dashed[*vertex] |= edge.on == On::Failure;
        }
    }
    is_dashed
}

/// The lines in the box of a node.
fn lines(node: &Node) -> [String; 2] {
    let sign = node.state.map(|state| format!("{} ", sign(state)));
    let count = count(node).map(|count| format!(" {count}"));
    let first = format!(
        "{}{}{}",
        sign.unwrap_or_default(),
        short(&node.id, TEXT_COLUMNS),
        count.unwrap_or_default()
    );
    [first, short(&about(node), TEXT_COLUMNS)]
}

struct Drawing<'a> {
    picture: &'a Picture,
    boxes: Vec<[String; 2]>,
    widths: Vec<usize>,
    /// The column of the middle of each vertex.
    columns: Vec<usize>,
    layout: Layout,
    /// Whether the edge that each vertex leads through a layer is drawn with dashes.
    is_dashed: Vec<bool>,
    /// How many columns there are.
    room: usize,
}

impl Drawing<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut push = |line: &str| {
            text.push_str(line.trim_end());
            text.push('\n');
        };
        let layers = self.layout.layered.layers.len();
        for layer in 0..layers {
            let lines = self.layer(layer);
            // The end is lower than other boxes.
            let is_low = layer + 1 == layers && lines[3].trim().is_empty();
            let shown = if is_low { &lines[..3] } else { &lines[..] };
            shown.iter().for_each(|line| push(line));
            if layer + 1 < layers {
                self.channel(layer).iter().for_each(|line| push(line));
            }
        }
        text
    }

    /// The boxes of a layer, and the lines that pass it.
    fn layer(&self, layer: usize) -> [String; 4] {
        let mut rows: [String; 4] = Default::default();
        for vertex in &self.layout.layered.layers[layer] {
            let middle = self.columns[*vertex];
            let parts = match self.layout.layered.is_node(*vertex) {
                true => self.node(*vertex),
                false => {
                    let line = if self.is_dashed[*vertex] {
                        "╎"
                    } else {
                        "│"
                    };
                    [line; 4].map(str::to_owned)
                }
            };
            for (row, part) in rows.iter_mut().zip(parts) {
                let at = middle.saturating_sub(width(&part) / 2);
                let free = at.saturating_sub(width(row));
                row.push_str(&" ".repeat(free));
                row.push_str(&part);
            }
        }
        rows
    }

    /// The box of a node.
    fn node(&self, node: usize) -> [String; 4] {
        let kind = self.picture.nodes[node].kind.as_str();
        let [corners, along, side] = match kind {
            "map" | "subgraph" => ["╔╗╚╝", "═", "║"],
            "end" | "condition" | "parallel" | "join" | "wait" | "human_approval" | "terminate"
            | "limit_exceeded" => ["╭╮╰╯", "─", "│"],
            _ => ["┌┐└┘", "─", "│"],
        };
        let corner: Vec<char> = corners.chars().collect();
        let inner = self.widths[node] - 2;
        let [first, second] = &self.boxes[node];
        let line = along.repeat(inner);
        let within = |text: &str| format!("{side}{}{side}", centred(text, inner));
        let above = format!("{}{line}{}", corner[0], corner[1]);
        let below = self.bottom(node, along, inner);
        let below = format!("{}{below}{}", corner[2], corner[3]);
        match second.is_empty() {
            true => [above, within(first), below, " ".repeat(inner + 2)],
            false => [above, within(first), within(second), below],
        }
    }

    /// The line below a box, with where its edges leave it.
    fn bottom(&self, node: usize, along: &str, inner: usize) -> String {
        let mut edges = self.picture.edges.iter();
        let port = match (edges.any(|edge| edge.from == node), along) {
            (false, _) => along,
            (true, "═") => "╤",
            (true, _) => "┬",
        };
        let half = along.repeat(inner / 2);
        format!("{half}{port}{half}")
    }

    /// The lines between a layer and the next: rows along which they go, and arrows.
    fn channel(&self, layer: usize) -> Vec<String> {
        let segments = self.segments(layer);
        let mut sources: Vec<usize> = segments.iter().map(|it| it.0.from).collect();
        sources.dedup();
        let leading = |from: usize| segments.iter().filter(move |it| it.0.from == from);
        let is_bent = |it: &&(Owner, usize, usize)| it.1 != it.2;
        sources.retain(|from| leading(*from).any(|it| is_bent(&it)));
        let bent: Vec<Along> = sources
            .iter()
            .map(|from| Along {
                from: self.columns[*from],
                to: leading(*from).filter(is_bent).map(|it| it.2).collect(),
            })
            .collect();
        let places = rows(&bent);
        let height = places.iter().max().map_or(0, |row| row + 1);
        let mut channel = Channel::new(self.room, height + 1);
        for (owner, from, to) in &segments {
            let place = sources.iter().position(|it| *it == owner.from);
            match place.filter(|_| from != to) {
                Some(place) => {
                    let row = places[place];
                    channel.down(*owner, *from, 0..row);
                    channel.along(*owner, *from, *to, row);
                    channel.down(*owner, *to, row + 1..height + 1);
                }
                None => channel.down(*owner, *from, 0..height + 1),
            }
        }
        let mut lines: Vec<String> = (0..height).map(|row| channel.row(row)).collect();
        let mut arrows: Vec<char> = channel.row(height).chars().collect();
        for (owner, _, to) in &segments {
            if self.layout.layered.is_node(owner.to) {
                arrows[*to] = '▼';
            }
        }
        lines.push(arrows.into_iter().collect());
        lines
    }

    /// The lines from this layer to the next, sorted by where they come from: whose each is,
    /// and the columns of its ends.
    fn segments(&self, layer: usize) -> Vec<(Owner, usize, usize)> {
        let mut segments = Vec::new();
        for (edge, chain) in self.picture.edges.iter().zip(&self.layout.layered.chains) {
            let ends = chain.windows(2);
            let mut here = ends.filter(|it| self.layout.layered.ranks[it[0]] == layer);
            if let Some(ends) = here.next() {
                let owner = Owner {
                    from: ends[0],
                    to: ends[1],
                    is_dashed: edge.on == On::Failure,
                };
                segments.push((owner, self.columns[ends[0]], self.columns[ends[1]]));
            }
        }
        segments.sort_by_key(|(owner, _, to)| (owner.from, *to));
        segments
    }
}
