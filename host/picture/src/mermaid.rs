//! A picture in the language of Mermaid, a flowchart.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::{format, vec};
use core::fmt::Write;

use serde_json::Value;

use crate::data::{Node, On, Picture};
use crate::escaped::escaped;
use crate::signs::{about, count, label, sign};
use crate::state::State;

/// Colours of states, for light and dark grounds alike.
const CLASSES: [(&str, &str); 5] = [
    ("good", "stroke:#1a7f37,stroke-width:2px"),
    ("bad", "stroke:#cf222e,stroke-width:2px"),
    ("busy", "stroke:#0969da,stroke-width:2px"),
    ("held", "stroke:#9a6700,stroke-width:2px"),
    ("faint", "opacity:0.5,stroke-dasharray:4 3"),
];

/// A picture as a flowchart of Mermaid.
#[must_use]
pub fn mermaid(picture: &Picture) -> String {
    // A text of JSON is one of YAML.
    let title = Value::from(escaped(&picture.title));
    let mut text = format!("---\ntitle: {title}\n---\nflowchart TD\n");
    let mut chart = Chart {
        text: &mut text,
        next: 0,
        used: [false; CLASSES.len()],
    };
    chart.part(picture, 1);
    let used = chart.used;
    for ((name, style), _) in CLASSES.iter().zip(used).filter(|(_, used)| *used) {
        // Writing to a text does not fail.
        let _ = writeln!(text, "    classDef {name} {style}");
    }
    text
}

struct Chart<'a> {
    text: &'a mut String,
    /// The number of the next node.
    next: usize,
    /// Which of the classes are used.
    used: [bool; CLASSES.len()],
}

impl Chart<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        self.text.push_str(&"    ".repeat(depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The nodes and edges of a workflow, and the numbers of its nodes from the first on. The
    /// depth is that of JSON, which is bounded.
    fn part(&mut self, picture: &Picture, depth: usize) -> usize {
        let first = self.next;
        self.next += picture.nodes.len();
        let mut is_led_to = vec![false; picture.nodes.len()];
        for edge in &picture.edges {
            is_led_to[edge.to] = true;
        }
        for (place, node) in picture.nodes.iter().enumerate() {
            self.node(node, first + place, depth);
        }
        for edge in &picture.edges {
            let arrow = match edge.on {
                On::Success | On::Always => "-->",
                On::Failure => "-.->",
            };
            let label = label(edge).map(|label| format!("|{}|", quoted(&label)));
            let (from, to) = (first + edge.from, first + edge.to);
            self.line(
                depth,
                &format!("n{from} {arrow}{} n{to}", label.unwrap_or_default()),
            );
        }
        for (place, node) in picture.nodes.iter().enumerate() {
            let Some(inner) = &node.inner else { continue };
            let number = first + place;
            let title = quoted(&format!("in {}", node.id));
            self.line(depth, &format!("subgraph s{number}[{title}]"));
            self.part(inner, depth + 1);
            self.line(depth, "end");
            self.line(depth, &format!("n{number} -.- s{number}"));
        }
        first
    }

    fn node(&mut self, node: &Node, number: usize, depth: usize) {
        let [open, close] = match node.kind.as_str() {
            "end" | "terminate" | "limit_exceeded" | "wait" | "human_approval" => ["([", "])"],
            "condition" => ["{{", "}}"],
            "map" | "subgraph" => ["[[", "]]"],
            _ => ["[", "]"],
        };
        let class = node.state.and_then(class);
        if let Some(class) = class {
            self.used[class] = true;
        }
        let class = class.map(|it| format!(":::{}", CLASSES[it].0));
        let label = quoted(&words(node));
        self.line(
            depth,
            &format!("n{number}{open}{label}{close}{}", class.unwrap_or_default()),
        );
    }
}

/// What stands in the box of a node: its sign, id, count, and its kind below.
fn words(node: &Node) -> String {
    let sign = node.state.map(|state| format!("{} ", sign(state)));
    let count = count(node).map(|count| format!(" {count}"));
    let about = about(node);
    let below = if about.is_empty() { "" } else { "\n" };
    format!(
        "{}{}{}{below}{about}",
        sign.unwrap_or_default(),
        escaped(&node.id),
        count.unwrap_or_default()
    )
}

/// The place among the classes.
fn class(state: State) -> Option<usize> {
    Some(match state {
        State::Completed => 0,
        State::Failed | State::Failing => 1,
        State::Ready | State::Scheduled | State::Running => 2,
        State::Waiting | State::BackingOff | State::Cancelled => 3,
        State::Pending | State::Skipped => 4,
    })
}

/// A text in quotation marks: what is more than a letter, digit or space to Mermaid or to a
/// page is spelled by its number.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for line in text.split('\n').enumerate() {
        if line.0 > 0 {
            quoted.push_str("<br/>");
        }
        for c in escaped(line.1).chars() {
            match c {
                '"' | '#' | '&' | '<' | '>' | '`' | '\\' | ';' | '*' | '_' | '~' | '|' | '['
                | ']' | '{' | '}' => {
                    // Writing to a text does not fail.
                    let _ = write!(quoted, "#{};", u32::from(c));
                }
                c => quoted.push(c),
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_foreign_ends_a_label() {
        assert_eq!(
            quoted("a\"]; <b>\n#quot; `c`\u{202e}|{}"),
            "\"a#34;#93;#59; #60;b#62;<br/>#35;quot#59; #96;c#96;#92;u#123;202e#125;#124;#123;#125;\""
        );
    }
}
