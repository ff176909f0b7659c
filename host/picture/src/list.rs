//! A picture as a list: layer by layer a line for each node, and below it one for each node
//! that it leads to. Any graph is readable so in any number of columns.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::columns::{padded, short, width};
use crate::data::{Node, Picture};
use crate::layout::ranks;
use crate::signs::{about, count, label, sign};

/// Columns that ids take in a table of them, at most.
const ID_COLUMNS: usize = 32;

/// The list, without what stands in nodes.
pub(crate) fn list(picture: &Picture, columns: usize) -> String {
    let edges: Vec<(usize, usize)> = picture.edges.iter().map(|it| (it.from, it.to)).collect();
    let is_last: Vec<bool> = picture.nodes.iter().map(|it| it.is_finalizer).collect();
    let ranks = ranks(&edges, &is_last, None);
    let mut order: Vec<usize> = (0..picture.nodes.len()).collect();
    order.sort_by_key(|node| ranks[*node]);
    let first: Vec<String> = picture.nodes.iter().map(name).collect();
    let room = first.iter().map(|it| width(it)).max().unwrap_or(0);
    let mut leading = vec![Vec::new(); picture.nodes.len()];
    for edge in &picture.edges {
        leading[edge.from].push(edge);
    }
    let mut text = String::new();
    let mut push = |line: String| {
        text.push_str(short(&line, columns).trim_end());
        text.push('\n');
    };
    let mut layer = None;
    for node in order {
        if layer != Some(ranks[node]) {
            layer = Some(ranks[node]);
            push(format!("── {}", ranks[node] + 1));
        }
        let about = about(&picture.nodes[node]);
        push(format!("{}  {about}", padded(&first[node], room)));
        for edge in &leading[node] {
            let to = short(&picture.nodes[edge.to].id, ID_COLUMNS);
            let label = label(edge).map(|label| format!("  {label}"));
            push(format!("    → {to}{}", label.unwrap_or_default()));
        }
    }
    text
}

/// A node's sign, id, and how many of its instances are done.
fn name(node: &Node) -> String {
    let sign = node.state.map(|state| format!("{} ", sign(state)));
    let count = count(node).map(|count| format!(" {count}"));
    let id = short(&node.id, ID_COLUMNS);
    format!(
        "{}{id}{}",
        sign.unwrap_or_default(),
        count.unwrap_or_default()
    )
}
