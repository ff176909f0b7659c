//! Nodes in a table, and how many there are in each state.

use std::collections::{BTreeMap, HashMap};

use refrain::names;
use refrain::store::Timestamp;

use super::node::Node;
use super::nodes::Nodes;
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
    match told.instances_in_words(node) {
        Some(words) if error.is_empty() => words,
        Some(words) => format!("{error}; {words}"),
        None => error,
    }
}
