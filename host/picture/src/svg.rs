//! A picture as SVG: one text that needs nothing else, without scripts.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{Arguments, Write};

use crate::data::{Edge, Node, On, Picture, When};
use crate::placed::{ABOUT_COLUMNS, Area, ID_COLUMNS, LABEL_HEIGHT, Placed, Route, placed};
use crate::rounding::{ceil, floor, round};
use crate::signs::{about, count, full, label, legend, short_label, sign};
use crate::state::State;
use crate::{columns, xml};

/// About everything.
const MARGIN: f64 = 20.0;
/// Of the title, and of the legend.
const LINE: f64 = 30.0;
/// Pixels of a column of each.
const TITLE_COLUMN: f64 = 9.7;
const LEGEND_COLUMN: f64 = 6.4;

/// Colours and shapes.
const STYLE: &str = include_str!("style.css");

/// A picture as SVG.
#[must_use]
pub fn svg(picture: &Picture) -> String {
    let all = placed(picture);
    let title = columns::short(&picture.title, 80);
    let legend = legend_line(picture);
    let texts = [(&title, TITLE_COLUMN), (&legend, LEGEND_COLUMN)];
    let texts = texts.map(|(text, column)| columns::width(text) as f64 * column);
    let width = ceil(texts.into_iter().fold(all.width, f64::max)) + 2.0 * MARGIN;
    let below = if legend.is_empty() { 0.0 } else { LINE };
    let height = all.height + 2.0 * MARGIN + LINE + below;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"refrain-graph\" role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n<text class=\"title\" x=\"{MARGIN}\" y=\"{}\">{}</text>\n",
        xml::text(&picture.title),
        MARGIN + 8.0,
        xml::text(&title),
    );
    let aside = floor((width - all.width) / 2.0);
    Drawing { svg: &mut svg }.picture(picture, &all, "", (aside, MARGIN + LINE));
    if !legend.is_empty() {
        let y = height - MARGIN;
        push(
            &mut svg,
            format_args!(
                "<text class=\"legend\" x=\"{MARGIN}\" y=\"{y}\">{}</text>\n",
                xml::text(&legend)
            ),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend_line(picture: &Picture) -> String {
    let each = legend(picture).into_iter();
    let each = each.map(|(sign, words)| format!("{sign} {words}"));
    each.collect::<Vec<_>>().join("   ")
}

fn push(svg: &mut String, text: Arguments<'_>) {
    // Writing to a text does not fail.
    let _ = svg.write_fmt(text);
}

struct Drawing<'a> {
    svg: &'a mut String,
}

impl Drawing<'_> {
    /// What stands in a node is drawn within it. The depth is that of JSON, which is bounded.
    fn picture(&mut self, picture: &Picture, placed: &Placed, way: &str, at: (f64, f64)) {
        push(
            self.svg,
            format_args!("<g transform=\"translate({} {})\">\n", at.0, at.1),
        );
        let mut repeats: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (edge, route) in picture.edges.iter().zip(&placed.routes) {
            let repeat = repeats.entry((edge.from, edge.to)).or_default();
            *repeat += 1;
            self.edge(picture, edge, route, way, *repeat);
        }
        for ((node, area), inner) in picture.nodes.iter().zip(&placed.boxes).zip(&placed.inner) {
            self.node(node, area, inner.as_ref(), way);
        }
        self.svg.push_str("</g>\n");
    }

    fn edge(&mut self, picture: &Picture, edge: &Edge, route: &Route, way: &str, repeat: usize) {
        let ends = [edge.from, edge.to].map(|it| format!("{way}{}", picture.nodes[it].id));
        let again = match repeat {
            1 => String::new(),
            repeat => format!(".{repeat}."),
        };
        push(
            self.svg,
            format_args!(
                "<g class=\"{}\" id=\"edge-{}..{}{again}\" data-from=\"{}\" data-to=\"{}\">",
                edge_classes(picture, edge, route),
                xml::name(&ends[0]),
                xml::name(&ends[1]),
                xml::text(&ends[0]),
                xml::text(&ends[1]),
            ),
        );
        if let Some(label) = label(edge) {
            push(
                self.svg,
                format_args!("<title>{}</title>", xml::text(&label)),
            );
        }
        let (x, y) = route.points[route.points.len() - 1];
        push(
            self.svg,
            format_args!(
                "<path class=\"line\" d=\"{}\"/><path class=\"head\" d=\"M{x} {y}l-4 -7h8z\"/>",
                line(route)
            ),
        );
        if let (Some((x, y)), Some(label)) = (route.label, short_label(edge)) {
            push(
                self.svg,
                format_args!("<text x=\"{x}\" y=\"{y}\">{}</text>", xml::text(&label)),
            );
        }
        self.svg.push_str("</g>\n");
    }

    fn node(&mut self, node: &Node, area: &Area, inner: Option<&Placed>, way: &str) {
        let own = format!("{way}{}", node.id);
        let state = node.state.map(State::name);
        push(
            self.svg,
            format_args!(
                "<g class=\"node kind-{}{}{}\" id=\"node-{}\" data-node=\"{}\"><title>{}</title>",
                xml::name(&node.kind),
                state.map(|it| format!(" state-{it}")).unwrap_or_default(),
                if inner.is_some() { " nested" } else { "" },
                xml::name(&own),
                xml::text(&own),
                full(node)
                    .iter()
                    .map(|it| xml::text(it))
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
        );
        self.shape(node, area);
        let x = area.middle();
        let y = area.y + if node.is_end() { 18.0 } else { 20.0 };
        push(
            self.svg,
            format_args!("<text class=\"id\" x=\"{x}\" y=\"{y}\">"),
        );
        if let Some(state) = node.state {
            push(
                self.svg,
                format_args!("<tspan class=\"sign\">{}</tspan> ", sign(state)),
            );
        }
        let id = columns::short(&node.id, ID_COLUMNS);
        push(
            self.svg,
            format_args!("<tspan class=\"name\">{}</tspan>", xml::text(&id)),
        );
        if let Some(count) = count(node) {
            push(
                self.svg,
                format_args!(" <tspan class=\"count\">{}</tspan>", xml::text(&count)),
            );
        }
        self.svg.push_str("</text>");
        let about = columns::short(&about(node), ABOUT_COLUMNS);
        if !about.is_empty() {
            let y = y + LABEL_HEIGHT + 3.0;
            push(
                self.svg,
                format_args!(
                    "<text class=\"about\" x=\"{x}\" y=\"{y}\">{}</text>",
                    xml::text(&about)
                ),
            );
        }
        if let (Some(inner), Some(picture)) = (inner, node.inner.as_deref()) {
            self.svg.push('\n');
            let aside = round(area.x + (area.width - inner.width) / 2.0);
            let below = area.y + area.height - inner.height - 14.0;
            self.picture(picture, inner, &format!("{own}/"), (aside, below));
        }
        self.svg.push_str("</g>\n");
    }

    /// What tells kinds apart besides their names.
    fn shape(&mut self, node: &Node, area: &Area) {
        let Area {
            x,
            y,
            width,
            height,
        } = *area;
        let round = match node.kind.as_str() {
            "end" | "terminate" | "limit_exceeded" => height / 2.0,
            "wait" | "human_approval" => 16.0,
            "parallel" | "join" => 0.0,
            _ => 5.0,
        };
        let (right, bottom) = (x + width, y + height);
        if node.kind == "map" {
            push(
                self.svg,
                format_args!(
                    "<path class=\"more\" d=\"M{} {}v5h{width}v{}h-5\"/>",
                    x + 5.0,
                    bottom,
                    -height
                ),
            );
        }
        match node.kind.as_str() {
            "condition" => push(
                self.svg,
                format_args!(
                    "<path class=\"box\" d=\"M{} {y}H{}L{right} {}L{} {bottom}H{}L{x} {}z\"/>",
                    x + 12.0,
                    right - 12.0,
                    y + height / 2.0,
                    right - 12.0,
                    x + 12.0,
                    y + height / 2.0
                ),
            ),
            _ => push(
                self.svg,
                format_args!(
                    "<rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
                ),
            ),
        }
        if node.kind == "subgraph" {
            push(
                self.svg,
                format_args!(
                    "<rect class=\"inset\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\"/>",
                    x + 3.0,
                    y + 3.0,
                    width - 6.0,
                    height - 6.0
                ),
            );
        }
        if node.is_finalizer {
            push(
                self.svg,
                format_args!(
                    "<path class=\"inset\" d=\"M{} {}h{}\"/>",
                    x + 4.0,
                    bottom - 3.0,
                    width - 8.0
                ),
            );
        }
    }
}

fn edge_classes(picture: &Picture, edge: &Edge, route: &Route) -> String {
    let mut classes = "edge".to_owned();
    let mut add = |class: &str, is_so: bool| {
        if is_so {
            classes.push(' ');
            classes.push_str(class);
        }
    };
    add("on-failure", edge.on == On::Failure);
    add("on-always", edge.on == On::Always);
    add(
        "conditional",
        matches!(edge.when, When::Condition(_) | When::Chosen(_)),
    );
    add("otherwise", edge.when == When::Otherwise);
    add("ahead", !picture.is_gone(edge));
    add("far", route.is_straight);
    classes
}

/// The way of an edge: straight within layers, curved between them.
fn line(route: &Route) -> String {
    let mut way = String::new();
    for (place, pair) in route.points.chunks(2).enumerate() {
        let (x, y) = pair[0];
        match place {
            0 => push(&mut way, format_args!("M{x} {y}")),
            _ => {
                let (from_x, from_y) = route.points[2 * place - 1];
                let bend = round((y - from_y) / 2.0);
                match from_x == x {
                    true => push(&mut way, format_args!("V{y}")),
                    false => push(
                        &mut way,
                        format_args!("C{from_x} {} {x} {} {x} {y}", from_y + bend, y - bend),
                    ),
                }
            }
        }
        let below = pair[1].1;
        if below != y {
            push(&mut way, format_args!("V{below}"));
        }
    }
    way
}
