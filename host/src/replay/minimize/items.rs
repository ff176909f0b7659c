//! Maps with fewer instances: items of the list are left out, and the instances behind them
//! move up.

use std::collections::BTreeSet;

use serde_json::Value;

use super::case::Case;
use super::facts;
use super::play::Played;
use super::spots::{self, Document, Spot, Step};
use crate::model::EventKind;

/// A list of which maps have as many instances as it has items.
#[derive(Clone, Debug)]
pub(super) struct List {
    spot: Spot,
    pub(super) items: usize,
    maps: Vec<String>,
}

/// The lists that maps may go over.
pub(super) fn lists(case: &Case, played: &Played) -> Vec<List> {
    let expanded = played.events.iter().filter_map(|event| match &event.kind {
        EventKind::MapExpanded(it) => Some((it.count as usize, &it.node_id)),
        _ => None,
    });
    let expanded: Vec<(usize, &String)> = expanded.collect();
    if expanded.is_empty() {
        return Vec::new();
    }
    let mut lists = Vec::new();
    for (document, value) in spots::documents(case) {
        if document == Document::Workflow {
            continue;
        }
        let mut open: Vec<(Vec<Step>, &Value)> = vec![(Vec::new(), &value)];
        while let Some((path, value)) = open.pop() {
            if let Value::Array(items) = value {
                let as_many = expanded.iter().filter(|(count, _)| *count == items.len());
                let maps: Vec<String> = as_many.map(|(_, node)| (*node).clone()).collect();
                if !maps.is_empty() && !items.is_empty() {
                    let spot = Spot {
                        document,
                        path: path.clone(),
                    };
                    let items = items.len();
                    lists.push(List { spot, items, maps });
                }
            }
            if let Value::Object(fields) = value {
                let below = fields.iter();
                open.extend(below.map(|(name, value)| {
                    (
                        [path.as_slice(), &[Step::Key(name.clone())]].concat(),
                        value,
                    )
                }));
            }
        }
    }
    lists
}

/// The case without these items of the list.
pub(super) fn without(case: &Case, list: &List, removed: &[bool]) -> Option<Case> {
    let mut next = 0;
    let numbers = removed.iter().map(|removed| {
        let number = (!removed).then_some(next);
        next += u32::from(!removed);
        number
    });
    let numbers: Vec<Option<u32>> = numbers.collect();
    let items = (0..list.items).map(|place| Spot {
        document: list.spot.document,
        path: [list.spot.path.as_slice(), &[Step::Index(place)]].concat(),
    });
    let mut left = spots::without(case, &items.collect::<Vec<_>>(), removed)?;
    for turn in &mut left.turns {
        turn.facts
            .retain_mut(|fact| facts::renumber(fact, &list.maps, &numbers));
    }
    Some(left)
}

/// The case in which this map goes over a list of its own, with an item for each instance
/// that something is told of, and so many more. `None` if it is no map, or does so already.
pub(super) fn of_its_own(case: &Case, node: &str, more: usize) -> Option<Case> {
    let told = case.facts().filter_map(|fact| facts::instance(fact, node));
    let told: BTreeSet<u32> = told.collect();
    let list = format!("[{}]", vec!["0"; told.len() + more].join(","));
    let mut other = case.clone();
    let over = other.workflow["nodes"].get_mut(node)?["kind"].get_mut("over")?;
    if over.as_str()?.len() <= list.len() {
        return None;
    }
    *over = list.into();
    let mut numbers = vec![None; told.last().map_or(0, |last| *last as usize + 1)];
    for (new, old) in (0..).zip(told) {
        numbers[old as usize] = Some(new);
    }
    for fact in other.facts_mut() {
        facts::renumber(fact, &[node.to_owned()], &numbers);
    }
    Some(other)
}
