//! Small workflows, written in a line.

use serde_json::{Map, Value, json};

/// A workflow `w` 1.0.0 of `tool` nodes: `"a -> b, a -> c"`. The first node
/// named is its start.
#[must_use]
pub fn tools(edges: &str) -> Value {
    let mut nodes = Map::new();
    let mut written = Vec::new();
    let mut start = String::new();
    for edge in edges.split(',') {
        let ends: Vec<&str> = edge.split("->").map(str::trim).collect();
        for end in &ends {
            if start.is_empty() {
                start = (*end).to_owned();
            }
            nodes.insert((*end).to_owned(), tool());
        }
        if let [from, to] = ends[..] {
            written.push(json!({ "from": from, "to": to }));
        }
    }
    json!({ "workflow_id": "w", "version": "1.0.0", "start_node": start, "nodes": nodes, "edges": written })
}

/// A node of kind `tool`.
#[must_use]
pub fn tool() -> Value {
    json!({ "kind": { "type": "tool", "tool_ref": "t" } })
}

/// A workflow `w` 1.0.0 of one node `a`.
#[must_use]
pub fn single(node: Value) -> Value {
    json!({ "workflow_id": "w", "version": "1.0.0", "start_node": "a", "nodes": { "a": node }, "edges": [] })
}
