//! Rules R1 and R2 as tables, over whole workflows.

mod endings;
mod children;
mod compensations;
mod faults;
mod remedies;
mod expressions;
mod plans;
mod work;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::parse;
use super::plan::Plan;

/// A workflow of these nodes and edges that begins at `a`. Nodes are JSON
/// members; `"a b"` in the edges is an edge, `"a b if x"` one with a condition.
fn workflow(nodes: &str, edges: &[&str], more: &str) -> String {
    let edge = |edge: &&str| {
        let (ends, condition) = edge
            .split_once(" if ")
            .map_or((*edge, None), |(ends, c)| (ends, Some(c)));
        let (from, to) = ends.split_once(' ').unwrap();
        let condition = condition.map_or(String::new(), |c| format!(r#", "condition": {c:?}"#));
        format!(r#"{{"from": "{from}", "to": "{to}"{condition}}}"#)
    };
    let edges = edges.iter().map(edge).collect::<Vec<_>>().join(", ");
    format!(
        r#"{{"workflow_id": "w", "version": "1.0.0", "start_node": "a", "nodes": {{{nodes}}}, "edges": [{edges}]{more}}}"#
    )
}

/// Nodes that do nothing special.
fn plain(ids: &str) -> String {
    ids.split(' ')
        .map(|id| format!(r#""{id}": {PLAIN}"#))
        .collect::<Vec<_>>()
        .join(", ")
}

const PLAIN: &str = r#"{"kind": {"type": "command", "argv": ["true"]}}"#;
const FINALIZER: &str = r#"{"kind": {"type": "finalizer", "tool_ref": "t", "run_on": "always"}}"#;

fn of_kind(kind: &str) -> String {
    workflow(
        &format!(r#""a": {{"kind": {kind}}}, "b": {PLAIN}"#),
        &["a b"],
        "",
    )
}

fn plan(text: &str) -> Plan {
    parse(text).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"))
}
