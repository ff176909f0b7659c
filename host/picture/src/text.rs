//! A picture as text: each workflow by itself, those that stand in nodes below the others,
//! and what the signs mean.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::columns::{padded, short, width};
use crate::data::Picture;
use crate::drawing::drawing;
use crate::list::list;
use crate::signs::{legend, short_label};

/// As text for a terminal: boxes and lines if they fit into so many columns, otherwise a
/// line for each node and below it one for each that it leads to. Nothing in it steers a
/// terminal.
#[must_use]
pub fn text(picture: &Picture, columns: usize) -> String {
    let mut text = String::new();
    if !picture.title.is_empty() {
        text.push_str(&short(&picture.title, columns));
        text.push_str("\n\n");
    }
    part(picture, "", columns, &mut text);
    let legend = legend(picture);
    if !legend.is_empty() {
        let each = legend.into_iter();
        let each = each.map(|(sign, words)| format!("{sign} {words}"));
        text.push('\n');
        text.push_str(&short(&each.collect::<Vec<_>>().join("   "), columns));
        text.push('\n');
    }
    text
}

/// One workflow, and those that stand in its nodes. The depth is that of JSON, which is
/// bounded.
fn part(picture: &Picture, way: &str, columns: usize, text: &mut String) {
    match drawing(picture, columns) {
        Some(drawing) => {
            text.push_str(&drawing);
            text.push_str(&labels(picture, columns));
        }
        None => text.push_str(&list(picture, columns)),
    }
    for node in &picture.nodes {
        if let Some(inner) = &node.inner {
            let way = format!("{way}{}", node.id);
            text.push('\n');
            text.push_str(&short(&format!("in {way}:"), columns));
            text.push_str("\n\n");
            part(inner, &format!("{way}/"), columns, text);
        }
    }
}

/// What has to be so for edges, a line each: there is no room for it at the lines.
fn labels(picture: &Picture, columns: usize) -> String {
    let rows = picture.edges.iter().filter_map(|edge| {
        let [from, to] = [edge.from, edge.to].map(|it| short(&picture.nodes[it].id, 30));
        Some((format!("{from} → {to}"), short_label(edge)?))
    });
    let rows: Vec<_> = rows.collect();
    let room = rows.iter().map(|(ends, _)| width(ends)).max().unwrap_or(0);
    let mut text = String::new();
    for (place, (ends, label)) in rows.iter().enumerate() {
        if place == 0 {
            text.push('\n');
        }
        text.push_str(&short(&format!("{}  {label}", padded(ends, room)), columns));
        text.push('\n');
    }
    text
}
