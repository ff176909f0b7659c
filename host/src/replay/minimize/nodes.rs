//! A workflow without some of its nodes: what led to them leads on to what came after them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::case::Case;
use crate::graph::{END, Graph};

/// So many times as many edges as before may there be.
const EDGES_TIMES_MAX: usize = 4;

/// The nodes in an order in which each stands behind those that lead to it.
pub(super) fn in_order(case: &Case) -> Vec<String> {
    let ways = Ways::of(case);
    let mut missing: BTreeMap<&str, usize> = case.nodes().map(|id| (id.as_str(), 0)).collect();
    for to in ways.0.values().flatten() {
        if let Some(count) = missing.get_mut(to.as_str()) {
            *count += 1;
        }
    }
    let first = missing.iter().filter(|(_, count)| **count == 0);
    let mut ready: Vec<&str> = first.map(|(id, _)| *id).collect();
    let mut ordered = Vec::new();
    while let Some(id) = ready.pop() {
        ordered.push(id.to_owned());
        for to in ways.from(id) {
            if let Some(count) = missing.get_mut(to.as_str()) {
                *count -= 1;
                if *count == 0 {
                    ready.push(to);
                }
            }
        }
    }
    ordered
}

/// Where edges lead from each node.
struct Ways(BTreeMap<String, BTreeSet<String>>);

impl Ways {
    fn of(case: &Case) -> Self {
        let mut ways: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut add = |from: &str, to: &str| {
            let from = ways.entry(from.to_owned()).or_default();
            from.insert(to.to_owned());
        };
        for edge in written(&case.workflow) {
            if let (Some(from), Some(to)) = (edge["from"].as_str(), edge["to"].as_str()) {
                add(from, to);
            }
        }
        let graph = Graph::read(&case.workflow.to_string());
        for edge in graph.into_iter().flat_map(|graph| graph.edges) {
            add(&edge.from, &edge.to);
        }
        Self(ways)
    }

    fn from(&self, node: &str) -> impl Iterator<Item = &String> {
        self.0.get(node).into_iter().flatten()
    }

    /// Where one comes to from here, through nodes that are left out.
    fn exits(&self, from: &str, removed: &BTreeSet<&str>) -> Vec<String> {
        let (mut seen, mut exits) = (BTreeSet::new(), BTreeSet::new());
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for to in self.from(node) {
                match removed.contains(to.as_str()) {
                    true if seen.insert(to) => open.push(to),
                    true => {}
                    false => drop(exits.insert(to.clone())),
                }
            }
        }
        exits.into_iter().collect()
    }

    /// All that one comes to from here.
    fn reached(&self, from: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::from([from.to_owned()]);
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for to in self.from(node) {
                if reached.insert(to.clone()) {
                    open.push(to);
                }
            }
        }
        reached
    }
}

/// The edges that the workflow writes.
fn written(workflow: &Value) -> impl Iterator<Item = &Value> {
    workflow["edges"].as_array().into_iter().flatten()
}

/// The case without these nodes, and without those that nothing leads to then. `None` if it
/// is left without a beginning, or comes to too many edges.
pub(super) fn without(case: &Case, ids: &[String], removed: &[bool]) -> Option<Case> {
    let marked = ids.iter().zip(removed).filter(|(_, removed)| **removed);
    let mut removed: BTreeSet<&str> = marked.map(|(id, _)| id.as_str()).collect();
    let ways = Ways::of(case);
    let start = case.workflow["start_node"].as_str()?;
    let mut begin = start.to_owned();
    if removed.contains(start) {
        let mut exits = ways.exits(start, &removed);
        exits.retain(|exit| exit != END);
        match exits.as_slice() {
            [only] => begin.clone_from(only),
            // Nothing else can stand at the beginning of several.
            _ => drop(removed.remove(start)),
        }
    }
    let mut left = case.clone();
    left.workflow["start_node"] = begin.as_str().into();
    left.workflow["edges"] = bridged(&case.workflow, &ways, &removed)?.into();
    let nodes = left.workflow["nodes"].as_object_mut()?;
    nodes.retain(|id, _| !removed.contains(id.as_str()));
    for node in nodes.values_mut() {
        retarget(&mut node["kind"], &|id| match removed.contains(id) {
            true => ways.exits(id, &removed),
            false => vec![id.to_owned()],
        });
    }
    Some(connected(left, &begin))
}

/// The written edges, where those to nodes that are left out lead on.
fn bridged(workflow: &Value, ways: &Ways, removed: &BTreeSet<&str>) -> Option<Vec<Value>> {
    let edges_max = EDGES_TIMES_MAX * written(workflow).count();
    let mut edges = Vec::new();
    let mut known = BTreeSet::new();
    let mut add = |edge: Value| {
        if known.insert(edge.to_string()) {
            edges.push(edge);
        }
    };
    for edge in written(workflow) {
        let (from, to) = (edge["from"].as_str()?, edge["to"].as_str()?);
        if removed.contains(from) {
            continue;
        }
        if !removed.contains(to) {
            add(edge.clone());
            continue;
        }
        for exit in ways.exits(to, removed) {
            let mut edge = edge.clone();
            edge["to"] = exit.into();
            add(edge);
        }
    }
    (edges.len() <= edges_max).then_some(edges)
}

/// Without nodes that nothing leads to, edges of these, and facts about them.
fn connected(mut case: Case, start: &str) -> Case {
    let reached = Ways::of(&case).reached(start);
    if let Some(nodes) = case.workflow["nodes"].as_object_mut() {
        nodes.retain(|id, _| reached.contains(id));
    }
    let is_kept = |end: &Value| {
        end.as_str()
            .is_some_and(|it| it == END || reached.contains(it))
    };
    if let Some(edges) = case.workflow["edges"].as_array_mut() {
        edges.retain(|edge| is_kept(&edge["from"]) && is_kept(&edge["to"]));
    }
    case.retain_known();
    case
}

/// The case without these edges, and without the nodes that nothing leads to then.
pub(super) fn without_edges(case: &Case, removed: &[bool]) -> Option<Case> {
    let mut left = case.clone();
    let mut removed = removed.iter();
    let edges = left.workflow["edges"].as_array_mut()?;
    edges.retain(|_| !removed.next().copied().unwrap_or_default());
    let start = left.workflow["start_node"].as_str()?.to_owned();
    Some(connected(left, &start))
}

pub(super) fn edges(case: &Case) -> usize {
    written(&case.workflow).count()
}

/// Names other nodes where a kind names some: none, one or several for each. Where one is
/// wanted, the first is taken.
pub(super) fn retarget(kind: &mut Value, to: &dyn Fn(&str) -> Vec<String>) {
    let one = |target: &mut Value| {
        if let Some(id) = target.as_str() {
            let first = to(id).into_iter().find(|it| it != END);
            *target = first.map_or(Value::Null, Value::from);
        }
        !target.is_null()
    };
    for name in ["branches", "wait_for"] {
        if let Some(list) = kind.get_mut(name).and_then(Value::as_array_mut) {
            let each = std::mem::take(list)
                .into_iter()
                .flat_map(|mut it| match &it {
                    Value::String(id) => {
                        let ids = to(id).into_iter().filter(|it| it != END);
                        ids.map(Value::from).collect()
                    }
                    _ => match one(&mut it["target"]) {
                        true => vec![it],
                        false => Vec::new(),
                    },
                });
            *list = each.collect();
        }
    }
    for pointer in [
        "/fallback_node",
        "/on_input_required",
        "/on_violation/branch/target",
    ] {
        if let Some(target) = kind.pointer_mut(pointer) {
            one(target);
        }
    }
    if let Some(fields) = kind.as_object_mut() {
        fields.retain(|name, value| !(value.is_null() && name.starts_with("on_input")));
        fields.retain(|name, value| !(value.is_null() && name == "fallback_node"));
    }
}

/// The case in which this node is ordinary work. `None` if it is that already.
pub(super) fn plain(case: &Case, id: &str) -> Option<Case> {
    let mut plain = case.clone();
    let node = plain.workflow["nodes"].get_mut(id)?;
    let ordinary = json!({ "id": id, "kind": { "type": "condition", "branches": [] } });
    if *node == ordinary {
        return None;
    }
    *node = ordinary;
    let start = plain.workflow["start_node"].as_str()?.to_owned();
    Some(connected(plain, &start))
}
