//! A picture in the language of Graphviz.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::data::{Node, On, Picture, When};
use crate::escaped::escaped;
use crate::signs::{about, count, full, label, short_label, sign};
use crate::state::State;

/// A picture as a digraph of Graphviz.
#[must_use]
pub fn dot(picture: &Picture) -> String {
    let mut text = format!(
        "digraph {} {{\n    graph [label={}, labelloc=t, fontname=\"sans-serif\"];\n    node [shape=box, fontname=\"sans-serif\", fontsize=11];\n    edge [fontname=\"sans-serif\", fontsize=9];\n",
        quoted(&picture.title),
        quoted(&picture.title),
    );
    part(picture, "", 1, &mut text);
    text.push_str("}\n");
    text
}

/// The depth is that of JSON, which is bounded.
fn part(picture: &Picture, way: &str, depth: usize, text: &mut String) {
    let indent = "    ".repeat(depth);
    let mut line = |line: &str| {
        text.push_str(&indent);
        text.push_str(line);
        text.push('\n');
    };
    let name = |place: usize| quoted(&format!("{way}{}", picture.nodes[place].id));
    for (place, node) in picture.nodes.iter().enumerate() {
        line(&format!("{} [{}];", name(place), of_node(node)));
    }
    for edge in &picture.edges {
        let mut fields = Vec::new();
        if let (Some(short), Some(label)) = (short_label(edge), label(edge)) {
            fields.push(format!(
                "label={}, tooltip={}",
                quoted(&short),
                quoted(&label)
            ));
        }
        match (edge.on, &edge.when) {
            (On::Failure, _) => fields.push("style=dashed, color=\"#cf222e\"".to_owned()),
            (_, When::Otherwise) => fields.push("style=dotted".to_owned()),
            _ => {}
        }
        if !picture.is_gone(edge) {
            fields.push("penwidth=0.4".to_owned());
        }
        let fields = match fields.is_empty() {
            true => String::new(),
            false => format!(" [{}]", fields.join(", ")),
        };
        line(&format!(
            "{} -> {}{fields};",
            name(edge.from),
            name(edge.to)
        ));
    }
    for node in &picture.nodes {
        let Some(inner) = &node.inner else { continue };
        let own = format!("{way}{}", node.id);
        text.push_str(&format!(
            "{indent}subgraph {} {{\n",
            quoted(&format!("cluster {own}"))
        ));
        text.push_str(&format!(
            "{indent}    label={};\n",
            quoted(&format!("in {own}"))
        ));
        part(inner, &format!("{own}/"), depth + 1, text);
        text.push_str(&format!("{indent}}}\n"));
        for first in beginnings(inner) {
            let to = quoted(&format!("{own}/{first}"));
            text.push_str(&format!(
                "{indent}{} -> {to} [style=dotted, arrowhead=none];\n",
                quoted(&own)
            ));
        }
    }
}

/// The nodes that nothing leads to.
fn beginnings(picture: &Picture) -> Vec<&str> {
    let mut is_led_to = vec![false; picture.nodes.len()];
    for edge in &picture.edges {
        is_led_to[edge.to] = true;
    }
    let nodes = picture.nodes.iter().zip(is_led_to);
    let first = nodes.filter(|(_, is_led_to)| !is_led_to);
    first.map(|(node, _)| node.id.as_str()).collect()
}

fn of_node(node: &Node) -> String {
    let sign = node.state.map(|state| format!("{} ", sign(state)));
    let count = count(node).map(|count| format!(" {count}"));
    let first = format!(
        "{}{}{}",
        sign.unwrap_or_default(),
        escaped(&node.id),
        count.unwrap_or_default()
    );
    let about = about(node);
    let label = match about.is_empty() {
        true => quoted(&first),
        false => quoted_lines(&[first, about]),
    };
    let mut fields = vec![format!(
        "label={label}, tooltip={}",
        quoted_lines(&full(node))
    )];
    let shape = match node.kind.as_str() {
        "end" | "terminate" | "limit_exceeded" => Some("shape=oval"),
        "wait" | "human_approval" => Some("style=rounded"),
        "condition" => Some("shape=hexagon"),
        "map" => Some("shape=box3d"),
        "subgraph" => Some("peripheries=2"),
        _ => None,
    };
    fields.extend(shape.map(str::to_owned));
    if let Some(colour) = node.state.and_then(colour) {
        fields.push(format!("color=\"{colour}\""));
        if matches!(node.state, Some(State::Pending | State::Skipped)) {
            fields.push(format!("fontcolor=\"{colour}\""));
        }
    }
    fields.join(", ")
}

fn colour(state: State) -> Option<&'static str> {
    Some(match state {
        State::Completed => "#1a7f37",
        State::Failed | State::Failing => "#cf222e",
        State::Ready | State::Scheduled | State::Running => "#0969da",
        State::Waiting | State::BackingOff | State::Cancelled => "#9a6700",
        State::Pending | State::Skipped => "#8c959f",
    })
}

/// A text in quotation marks.
fn quoted(text: &str) -> String {
    quoted_lines(&[text])
}

/// The same with these lines.
fn quoted_lines(lines: &[impl AsRef<str>]) -> String {
    let each = lines.iter().map(|line| {
        let line = escaped(line.as_ref());
        line.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('&', "&amp;")
    });
    format!("\"{}\"", each.collect::<Vec<_>>().join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::quoted_lines;

    #[test]
    fn nothing_foreign_ends_a_label() {
        assert_eq!(
            quoted_lines(&["a\"];", "\\N &lt; \u{202e}\n"]),
            r#""a\"];\n\\N &amp;lt; \\u{202e}\\n""#
        );
    }
}
