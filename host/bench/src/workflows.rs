//! Workflows that are measured.

use serde_json::{Map, json};

/// A workflow of so many steps, one after another.
#[must_use]
pub fn chain(nodes: usize) -> String {
    let name = |node: usize| format!("n{node:05}");
    let step = json!({"kind": {"type": "tool", "tool_ref": "nothing"}});
    let table: Map<_, _> = (0..nodes).map(|n| (name(n), step.clone())).collect();
    let edges: Vec<_> = (1..nodes)
        .map(|n| json!({"from": name(n - 1), "to": name(n)}))
        .collect();
    json!({
        "workflow_id": "chain", "version": "1.0.0", "start_node": name(0), "nodes": table, "edges": edges,
    })
    .to_string()
}

/// Layers of ten nodes; each node has edges to three of the next layer.
#[must_use]
pub fn layered(nodes: usize) -> String {
    let name = |node: usize| format!("n{node:05}");
    let mut table = Map::new();
    let mut edges = Vec::new();
    for node in 0..nodes {
        table.insert(
            name(node),
            json!({"id": name(node), "kind": {"type": "condition", "branches": []}}),
        );
        let layer = node.saturating_sub(1) / 10;
        for offset in 0..3 {
            let to = if node == 0 {
                1 + offset
            } else {
                1 + (layer + 1) * 10 + (node - 1 + offset) % 10
            };
            if to < nodes {
                edges.push(json!({"from": name(node), "to": name(to)}));
            }
        }
        if node > 3 && node < 11 {
            edges.push(json!({"from": name(0), "to": name(node)}));
        }
    }
    json!({"workflow_id": format!("layered {nodes}"), "version": "1.0.0", "start_node": name(0), "nodes": table, "edges": edges})
        .to_string()
}
