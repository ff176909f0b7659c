//! Workflows and executions, drawn.

use std::fs;

use serde_json::json;

use crate::command_line::desk::{Desk, approval, chain, command};

/// Two commands and a person, whose workflow stands in a node.
const TREE: &str = r#"{
  "workflow_id": "tree", "version": "1.0.0", "start_node": "first",
  "nodes": {
    "first": {"kind": {"type": "command", "argv": ["echo", "{\"files\": [1, 2, 3]}"]}},
    "each": {"kind": {"type": "map", "over": "state.files",
      "body": {"type": "command", "argv": ["true"]}}},
    "sub": {"kind": {"type": "subgraph", "body": {"start_node": "ask",
      "nodes": {"ask": {"kind": {"type": "human_approval", "description": "Well?"}},
        "then": {"kind": {"type": "command", "argv": ["true"]}}},
      "edges": [{"from": "ask", "to": "then"}]}}},
    "no": {"kind": {"type": "command", "argv": ["true"]}}
  },
  "edges": [{"from": "first", "to": "each"}, {"from": "each", "to": "sub"},
    {"from": "first", "to": "no", "condition": "state.files == null"}]
}"#;

#[test]
fn a_workflow_is_drawn_in_each_form() {
    let desk = Desk::new();
    desk.file(
        "w.json",
        chain(&[("a", approval()), ("b", command(&["true"]))]).to_string(),
    );
    desk.file("w.yaml", "workflow_id: w\nversion: 1.0.0\nstart_node: a\nnodes:\n  a: {kind: {type: command, argv: [\"true\"]}}\n");
    for (words, expected) in [
        (vec!["graph", "w.json"], "│ human_approval  │"),
        (vec!["graph", "w.yaml"], "│ command │"),
        (
            vec!["graph", "w.json", "--format", "svg"],
            "<g class=\"node kind-command\" id=\"node-b\" data-node=\"b\">",
        ),
        (
            vec!["graph", "w.json", "--format", "mermaid"],
            "\n    n0 --> n1\n",
        ),
        (
            vec!["graph", "w.json", "--format", "dot"],
            "\n    \"a\" -> \"b\";\n",
        ),
    ] {
        let said = desk.types(&words);
        assert_eq!(said.code, Some(0), "{words:?}: {said:?}");
        assert!(said.out.contains(expected), "{words:?}: {}", said.out);
        assert_eq!(said.err, "", "{words:?}");
    }
    let piped = desk.pipes(
        &["graph", "-"],
        &fs::read_to_string(desk.path().join("w.json")).expect("a file"),
    );
    assert_eq!(piped.out, desk.types(&["graph", "w.json"]).out);
}

#[test]
fn an_execution_is_drawn_with_states_counts_and_its_child() {
    let desk = Desk::new();
    desk.file("tree.json", TREE);
    let mut running = desk.begins(&["run", "tree.json"]);
    running.says("Well?");
    let shown = desk.document(&["show", "@last", "--json"], 0);
    let id = shown["execution_id"].as_str().expect("an id").to_owned();
    let drawn = desk.types(&["graph", &id]);
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    for expected in [
        "✓ first",
        "✓ each 3/3",
        "◔ sub",
        "– no",
        "in sub:",
        "◔ ask",
        "· then",
    ] {
        assert!(drawn.out.contains(expected), "{expected}: {}", drawn.out);
    }
    let svg = desk.types(&["graph", &id, "--format", "svg"]).out;
    for expected in [
        "<g class=\"node kind-map state-completed\" id=\"node-each\"",
        "<tspan class=\"count\">3/3</tspan>",
        "<g class=\"node kind-human_approval state-waiting\" id=\"node-sub.2f.ask\" data-node=\"sub/ask\">",
        "<g class=\"edge conditional ahead\" id=\"edge-first..no\"",
        "<g class=\"edge\" id=\"edge-first..each\"",
    ] {
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
    // Before anything has happened, and behind the first node's completion.
    let before = desk.types(&["graph", &id, "--at", "0"]).out;
    for expected in ["· first", "· each", "· sub", "· ask", "behind event 0 of"] {
        assert!(before.contains(expected), "{expected}: {before}");
    }
    let events = desk.events(&id);
    let done = events.iter().find(|it| it["type"] == "node_completed");
    let sequence = done.expect("the first node")["sequence"].to_string();
    let then = desk.types(&["graph", &id, "--at", &sequence]).out;
    assert!(then.contains("✓ first") && then.contains("· sub"), "{then}");
    let last = desk.types(&["graph", &id, "--at", &events.len().to_string()]);
    assert!(last.out.contains("◔ ask"), "{last:?}");
    running.interrupt();
    running.ends();
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let desk = Desk::new();
    desk.file("w.json", chain(&[("a", command(&["true"]))]).to_string());
    desk.file("bad.json", "{\"workflow_id\": \"w\"}");
    desk.file("beef", chain(&[("a", command(&["true"]))]).to_string());
    let many: serde_json::Map<_, _> = (0..100_000)
        .map(|place| (format!("n{place}"), json!({ "kind": command(&["true"]) })))
        .collect();
    let many = json!({ "workflow_id": "w", "version": "1.0.0", "start_node": "n0", "nodes": many });
    desk.file("many.json", many.to_string());
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(0));
    let id = desk.execution();
    for (words, code, expected) in [
        (
            vec!["graph", "w.json", "--format", "png"],
            2,
            "svg, mermaid, dot, ascii",
        ),
        (
            vec!["graph", "none.json"],
            2,
            "there is no file \"none.json\"",
        ),
        (vec!["graph", "bad.json"], 1, "remedy: "),
        (vec!["graph", "many.json"], 1, "20000"),
        (
            vec!["graph", "w.json", "--at", "1"],
            2,
            "--at is of executions",
        ),
        (
            vec!["graph", &id, "--at", "1000"],
            2,
            "1000 is none of them",
        ),
        (vec!["graph", &id, "--at", "-1"], 2, "'-1'"),
        (vec!["graph", "exec_ffffffff"], 2, "there is no execution"),
        (vec!["graph", "."], 2, "it is a folder"),
        (
            vec!["graph", "beef"],
            0,
            "is taken for the file of this name",
        ),
    ] {
        let said = desk.types(&words);
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        assert!(said.err.contains(expected), "{words:?}: {}", said.err);
    }
}

#[test]
fn an_erased_execution_is_still_a_graph() {
    let desk = Desk::new();
    desk.file(
        "w.json",
        chain(&[("a", command(&["true"])), ("b", command(&["false"]))]).to_string(),
    );
    assert_eq!(desk.types(&["run", "w.json"]).code, Some(1));
    let id = desk.execution();
    let before = desk.types(&["graph", &id]).out;
    assert!(before.contains("✓ a") && before.contains("✗ b"), "{before}");
    assert_eq!(desk.types(&["erase", &id]).code, Some(0));
    assert_eq!(desk.types(&["graph", &id]).out, before);
}

#[test]
fn a_wide_graph_is_a_list_in_few_columns() {
    let desk = Desk::new();
    let ids: Vec<String> = (0..30)
        .map(|place| format!("a_node_of_a_long_name_{place:02}"))
        .collect();
    let mut nodes: serde_json::Map<_, _> = ids
        .iter()
        .map(|id| (id.clone(), json!({ "kind": command(&["true"]) })))
        .collect();
    nodes.insert(
        "all".to_owned(),
        json!({ "kind": { "type": "parallel", "branches": ids } }),
    );
    nodes.insert(
        "join".to_owned(),
        json!({ "kind": { "type": "join", "wait_for": ids } }),
    );
    let wide =
        json!({ "workflow_id": "w", "version": "1.0.0", "start_node": "all", "nodes": nodes });
    desk.file("wide.json", wide.to_string());
    let said = desk.types(&["graph", "wide.json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out.contains("\n    → a_node_of_a_long_name_29\n"),
        "{}",
        said.out
    );
    assert!(
        said.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        said.out
    );
}

#[test]
fn a_large_graph_has_all_its_nodes_and_edges() {
    let desk = Desk::new();
    let nodes: serde_json::Map<_, _> = (0..5_000)
        .map(|place| (format!("n{place}"), json!({ "kind": command(&["true"]) })))
        .collect();
    let edge = |from: usize| [1, 2, 60].map(|step| (from, from + step));
    let edges = (0..5_000).flat_map(edge).filter(|it| it.1 < 5_000);
    let edges: Vec<_> = edges
        .map(|(from, to)| json!({ "from": format!("n{from}"), "to": format!("n{to}") }))
        .collect();
    let large = json!({
        "workflow_id": "w", "version": "1.0.0", "start_node": "n0", "nodes": nodes, "edges": edges,
    });
    desk.file("large.json", large.to_string());
    for (format, node, edge) in [
        ("svg", "<g class=\"node ", "<g class=\"edge"),
        ("mermaid", "[\"n", " --> "),
        ("dot", "tooltip=\"n", " -> "),
        ("ascii", "\nn", "    → "),
    ] {
        let said = desk.types(&["-q", "graph", "large.json", "--format", format]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{format}");
        assert_eq!(said.out.matches(node).count(), 5_000, "{format}");
        assert_eq!(said.out.matches(edge).count(), edges.len(), "{format}");
    }
    let said = desk.types(&["graph", "large.json", "--format", "mermaid"]);
    assert!(said.err.contains("`maxEdges`"), "{}", said.err);
}
