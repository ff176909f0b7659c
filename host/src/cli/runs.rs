//! The runs of nodes that are more than one, counted for people: instances of maps, and
//! compensations.

use std::collections::{BTreeMap, HashMap};

use refrain::model::instance_of;
use refrain::names;

use super::nodes::{Node, Nodes};
use super::text::{Text, text};

/// How many instances of a map are in each state. Those that the log does not tell of have
/// not begun. `None` if it is no map that was expanded.
pub(super) fn instances_of(nodes: &Nodes, map: &Node) -> Option<BTreeMap<&'static str, u32>> {
    let count = map.instances?;
    let mut states = states(nodes.iter().filter(|it| it.map() == Some(&map.id)));
    let begun: u32 = states.values().sum();
    if begun < count {
        states.insert("not begun", count - begun);
    }
    Some(states)
}

/// The same in words, with what undoes them: `2000 instances: 1990 completed, 10 failed`.
pub(super) fn instances_in_words(nodes: &Nodes, map: &Node) -> Option<String> {
    let states = instances_of(nodes, map)?;
    let count = map.instances?;
    let noun = if count == 1 { "instance" } else { "instances" };
    let mut words = match states.is_empty() {
        true => format!("{count} {noun}"),
        false => format!("{count} {noun}: {}", in_words(&states)),
    };
    let undos = undos_of(nodes, map);
    if !undos.is_empty() {
        words.push_str("; compensations: ");
        words.push_str(&in_words(&undos));
    }
    Some(words)
}

/// How many of the compensations of a map's instances are in each state.
fn undos_of(nodes: &Nodes, map: &Node) -> BTreeMap<&'static str, u32> {
    states(nodes.iter().filter(|node| {
        let undone = node.undoes().and_then(instance_of);
        undone.is_some_and(|(id, _)| id == map.id)
    }))
}

fn states<'a>(nodes: impl Iterator<Item = &'a Node>) -> BTreeMap<&'static str, u32> {
    let mut states = BTreeMap::new();
    for node in nodes {
        *states.entry(names::node_state(node.state)).or_default() += 1;
    }
    states
}

fn in_words(states: &BTreeMap<&'static str, u32>) -> String {
    let each = states.iter();
    let each = each.map(|(state, count)| format!("{count} {}", state.replace('_', " ")));
    each.collect::<Vec<_>>().join(", ")
}

/// How many there are, and how many in each state: `3 nodes: 2 completed, 1 failed`.
pub(super) fn counted(noun: &str, counts: &BTreeMap<&'static str, usize>) -> Text {
    let all: usize = counts.values().sum();
    let several = if all == 1 { "" } else { "s" };
    let each = counts.iter();
    let each = each.map(|(state, count)| text!("{} {}", count, state.replace('_', " ")));
    text!("{} {}{}: {}", all, noun, several, Text::joined(each, ", "))
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
