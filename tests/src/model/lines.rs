//! The edges between nodes, by the ids of these; and what follows from them for the order of
//! nodes.

use serde_json::Value;

use super::node::Node;

/// An edge by the ids of its ends.
pub(super) struct Line {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) condition: Option<String>,
    pub(super) chosen: bool,
    pub(super) on: String,
}

/// All edges, those inside kinds included; where there is an explicit edge
/// between the same nodes already, they are one. The terminal is no node: what leads
/// there comes second.
pub(super) fn lines(json: &Value, nodes: &[Node]) -> (Vec<Line>, Vec<Line>) {
    let mut lines: Vec<Line> = Vec::new();
    for edge in json["edges"].as_array().into_iter().flatten() {
        let text = |field: &str| edge[field].as_str().map(str::to_owned);
        let (from, to) = (text("from"), text("to"));
        let line = Line {
            from: from.expect("an edge comes from somewhere"),
            to: to.expect("an edge leads somewhere"),
            condition: text("condition"),
            chosen: false,
            on: text("on").unwrap_or_else(|| "success".to_owned()),
        };
        let same = |other: &Line| {
            let key = |line: &Line| (line.from.clone(), line.to.clone(), line.on.clone());
            key(other) == key(&line) && other.condition == line.condition
        };
        if !lines.iter().any(same) {
            lines.push(line);
        }
    }
    for node in nodes {
        inside(node, &mut lines);
    }
    lines.into_iter().partition(|line| line.to != "end")
}

/// The edges that a node's kind names.
fn inside(node: &Node, lines: &mut Vec<Line>) {
    let kind = node.kind();
    let list = |field: &str| kind[field].as_array().cloned().unwrap_or_default();
    if node.branches().is_some() {
        let own = lines.iter_mut().filter(|line| line.from == node.id);
        own.for_each(|line| line.chosen = true);
    }
    for branch in node.branches().into_iter().flatten() {
        add(lines, &node.id, &branch["target"], true);
    }
    if node.name() == "parallel" {
        for target in list("branches") {
            add(lines, &node.id, &target, false);
        }
    }
    if node.name() == "join" {
        for source in list("wait_for") {
            let source = source.as_str().expect("a join waits for nodes");
            add(lines, source, &Value::from(node.id.as_str()), false);
        }
    }
    let targets = [
        ("human_approval", &kind["fallback_node"]),
        ("policy", &kind["on_violation"]["branch"]["target"]),
        ("a2a_task", &kind["on_input_required"]),
    ];
    for (name, target) in targets {
        if node.name() == name {
            add(lines, &node.id, target, true);
        }
    }
}

fn add(lines: &mut Vec<Line>, from: &str, to: &Value, chosen: bool) {
    let Some(to) = to.as_str() else { return };
    let mut known = false;
    for line in lines.iter_mut() {
        if (line.from.as_str(), line.to.as_str()) != (from, to) {
            continue;
        }
        match (chosen, line.on.as_str()) {
            (false, _) => known = true,
            (true, "success") => {
                line.chosen = true;
                known = true;
            }
            (true, _) => line.on = "failure".to_owned(),
        }
    }
    if !known {
        lines.push(Line {
            from: from.to_owned(),
            to: to.to_owned(),
            condition: None,
            chosen,
            on: "success".to_owned(),
        });
    }
}

/// Rule R2: the longest path that leads to a node. A finalizer's counts the
/// edges among finalizers.
pub(super) fn rank(nodes: &mut [Node], lines: &[Line]) {
    let place = |id: &str| nodes.iter().position(|node| node.id == id);
    let edges: Vec<(usize, usize)> = lines
        .iter()
        .filter_map(|line| Some((place(&line.from)?, place(&line.to)?)))
        .filter(|(from, to)| nodes[*from].run_on().is_some() == nodes[*to].run_on().is_some())
        .collect();
    for _ in 0..nodes.len() {
        for (from, to) in &edges {
            nodes[*to].rank = nodes[*to].rank.max(nodes[*from].rank + 1);
        }
    }
}
