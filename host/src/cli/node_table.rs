//! Nodes in a table, how wide their names are, and how many there are in each state.

use std::collections::{BTreeMap, HashMap};

use refrain::names;
use refrain::replay::nodes::{Node, Nodes};
use refrain::store::Timestamp;
use serde_json::Value;

use super::output::Paint;
use super::table::{Table, plain};
use super::text::{Text, counted, text};
use super::time::{span, stamp};

/// How many there are, and how many in each state.
pub(super) fn summary(noun: &str, counts: &BTreeMap<&'static str, usize>) -> Text {
    let all: usize = counts.values().sum();
    let each = counts.iter();
    let each = each.map(|(state, count)| text!("{} {}", count, state.replace('_', " ")));
    text!(
        "{}: {}",
        counted(all as u64, noun),
        Text::joined(each, ", ")
    )
}

/// Each compensation comes behind the node or instance that it undoes.
pub(super) fn stand_below_what_they_undo(nodes: &mut [Node]) {
    if nodes.iter().all(|node| node.undoes().is_none()) {
        return;
    }
    let places: HashMap<String, usize> = nodes
        .iter()
        .enumerate()
        .map(|(place, node)| (node.id.clone(), place))
        .collect();
    let place = |id: &str| places.get(id).copied().unwrap_or(usize::MAX);
    nodes.sort_by_cached_key(|node| match node.undoes() {
        Some(undone) => (place(undone), true),
        None => (place(&node.id), false),
    });
}

/// Rows of the table of nodes: more than anyone reads, and as many as a workflow has that a
/// person has written.
pub(super) const ROWS_MAX: usize = 1_000;

pub(super) fn node_table(nodes: &[Node], told: &Nodes, now: Timestamp) -> Table {
    let mut table = Table::new([
        "NODE", "STATE", "ATTEMPTS", "SINCE", "WAITED", "WORKED", "ERROR",
    ]);
    for node in nodes {
        table.row([
            plain(&node.id),
            (
                Text::word(&names::node_state(node.state).replace('_', " ")),
                Paint::of_node(node.state),
            ),
            plain(if node.attempts == 0 {
                String::new()
            } else {
                node.attempts.to_string()
            }),
            plain(node.since.map(stamp).unwrap_or_default()),
            plain(node.waited_ms(now).map(span).unwrap_or_default()),
            plain(match node.started_at {
                Some(_) => span(node.worked_ms(now)),
                None => String::new(),
            }),
            plain(last_column(node, told)),
        ]);
    }
    table
}

/// The last error; of a map, how its instances stand.
fn last_column(node: &Node, told: &Nodes) -> String {
    let error = node.error.as_deref().unwrap_or_default().replace('\n', " ");
    match instances_in_words(told, node) {
        Some(words) if error.is_empty() => words,
        Some(words) => format!("{error}; {words}"),
        None => error,
    }
}

/// How many instances of a map are in each state: `2000 instances: 1990 completed, 10 failed`.
/// `None` if the node is no map.
pub(super) fn instances_in_words(told: &Nodes, map: &Node) -> Option<String> {
    let states = told.instances_of(map)?;
    let count = map.instances?;
    let noun = if count == 1 { "instance" } else { "instances" };
    let mut words = match states.is_empty() {
        true => format!("{count} {noun}"),
        false => format!("{count} {noun}: {}", in_words(&states)),
    };
    let undos = told.undos_of(map);
    if !undos.is_empty() {
        words.push_str("; compensations: ");
        words.push_str(&in_words(&undos));
    }
    Some(words)
}

/// How many there are in each state, in words: `1990 completed, 10 failed`.
fn in_words(states: &BTreeMap<&'static str, u32>) -> String {
    let each = states.iter();
    let each = each.map(|(state, count)| format!("{count} {}", state.replace('_', " ")));
    each.collect::<Vec<_>>().join(", ")
}

/// How wide the names of a workflow's nodes are, those of workflows within it with the way
/// to them. The depth is that of JSON, which is bounded.
pub(super) fn widest(workflow: &Value) -> usize {
    let nodes = workflow["nodes"].as_object().into_iter().flatten();
    let widths = nodes.map(|(id, node)| {
        let own = Text::word(id).width();
        match widest(&node["kind"]["body"]) {
            0 => own,
            below => own + 1 + below,
        }
    });
    widths.max().unwrap_or(0)
}
