//! Children from the command line: run, listed, shown as a tree, explained down to the cause,
//! and audited with their parents, from the database and from exports.

use serde_json::{Value, json};

use super::desk::{Desk, command};

/// A map of children, of which the second fails, and a loop.
fn parent() -> Value {
    let script = r#"[ "$(cat | tr -dc 0-9)" != 21 ] && echo '{"x":1}' || { echo no >&2; exit 1; }"#;
    let leaf = |node: Value| json!({ "start_node": "x", "nodes": { "x": node } });
    let checks = json!({ "kind": command(&["sh", "-c", script]), "retry_policy": "no_retry" });
    let adds = json!({ "kind": command(&["sh", "-c", "echo '{\"x\":1}'"]) });
    let each = json!({
        "type": "map", "over": "[1, 2]", "tolerate": { "failures": 1 },
        "body": { "type": "subgraph", "body": leaf(checks) },
    });
    let again = json!({
        "type": "subgraph", "body": leaf(adds), "repeat": { "while": "iteration < 1", "max": 5 },
    });
    json!({
        "workflow_id": "parent", "version": "1.0.0", "start_node": "each",
        "nodes": {
            "each": { "kind": each, "retry_policy": "no_retry" },
            "again": { "kind": again },
        },
        "edges": [{ "from": "each", "to": "again" }],
    })
}

#[test]
fn r22_children_are_listed_shown_explained_and_audited_with_their_parent() {
    let desk = Desk::new();
    desk.file("parent.json", parent().to_string());
    let run = desk.types(&["run", "parent.json", "--db", "d.db"]);
    assert_eq!(run.code, Some(0), "{run:?}");

    let listed = desk.document(&["list", "--db", "d.db", "--json"], 0);
    let listed = listed["executions"].as_array().expect("a list").clone();
    assert_eq!(listed.len(), 5);
    let (children, parents): (Vec<&Value>, Vec<&Value>) =
        listed.iter().partition(|it| it["child_of"].is_object());
    let parent = parents[0]["execution_id"].as_str().expect("an id");
    assert_eq!((children.len(), parents.len()), (4, 1));
    for child in &children {
        assert_eq!(child["child_of"]["execution_id"], parent);
    }
    let iterations = children
        .iter()
        .filter(|it| it["child_of"]["node_id"] == "again");
    let iterations: Vec<_> = iterations
        .map(|it| it["child_of"]["iteration"].clone())
        .collect();
    assert_eq!(iterations, [1, 0], "the newest comes first");
    let table = desk.types(&["list", "--db", "d.db"]).out;
    assert_eq!(table.matches(", child").count(), 4, "{table}");

    let shown = desk.types(&["show", parent, "--db", "d.db"]).out;
    for child in &children {
        let id = child["execution_id"].as_str().expect("an id");
        assert!(shown.contains(id), "{id} is not in the tree: {shown}");
    }
    let why = desk
        .types(&["explain", parent, "each[1]", "--db", "d.db"])
        .out;
    assert!(why.contains("no"), "down to what the command said: {why}");

    let audit = desk.document(&["audit", "--all", "--db", "d.db", "--json"], 0);
    let audited = audit["executions"].as_array().expect("a list");
    let linked = audited
        .iter()
        .filter(|it| it["child_of"]["link"] == "linked");
    assert_eq!(linked.count(), 4, "{audit:#}");

    // The same from exports, with no database at hand.
    let mut files = Vec::new();
    for (place, execution) in listed.iter().enumerate() {
        let id = execution["execution_id"].as_str().expect("an id");
        let file = format!("{place}.ndjson");
        let exported = desk.types(&["export", id, "--db", "d.db", "-o", &file]);
        assert_eq!(exported.code, Some(0), "{exported:?}");
        files.push(file);
    }
    let mut words = vec!["audit", "--json"];
    for file in &files {
        words.extend(["--file", file]);
    }
    let audit = desk.document(&words, 0);
    let audited = audit["executions"].as_array().expect("a list");
    let linked = audited
        .iter()
        .filter(|it| it["child_of"]["link"] == "linked");
    assert_eq!(linked.count(), 4, "{audit:#}");
}
