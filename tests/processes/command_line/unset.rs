//! A success that has silently left something out is told of.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, command};

/// A node whose answer chooses by this condition whether a second one runs.
fn chooses(condition: &str) -> Value {
    json!({
        "workflow_id": "typo", "version": "1.0.0", "start_node": "judge",
        "nodes": {
            "judge": { "id": "judge", "kind": command(&["echo", r#"{"score": 3}"#]) },
            "publish": { "id": "publish", "kind": command(&["true"]) },
        },
        "edges": [{ "from": "judge", "to": "publish", "condition": condition }],
    })
}

const SAID: &str = "node `publish` was skipped, because `state.scroe > 2` was false after node `judge`: `state.scroe` was never set; did you mean `state.score`?";

#[test]
fn a_condition_that_read_what_was_never_set_is_told_of_at_the_end() {
    let desk = Desk::new();
    desk.file("typo.json", chooses("state.scroe > 2").to_string());
    let run = desk.types(&["run", "typo.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.err.contains(SAID), "{run:?}");

    let run = desk.document(&["run", "typo.json", "--json"], 0);
    let expected = json!([{
        "node_id": "publish", "from_node_id": "judge", "condition": "state.scroe > 2",
        "path": "state.scroe", "meant": "state.score",
    }]);
    assert_eq!(run["unset_paths"], expected);

    let started = desk.types(&["start", "typo.json"]);
    let resumed = desk.types(&["resume", started.out.trim()]);
    assert!(resumed.err.contains(SAID), "{resumed:?}");
}

#[test]
fn a_condition_that_was_false_by_what_it_saw_is_no_news() {
    let desk = Desk::new();
    for condition in ["state.score > 5", "has(state.scroe) && state.scroe > 2"] {
        desk.file(
            "fine.json",
            chooses(condition).to_string().replace("typo", condition),
        );
        let run = desk.types(&["run", "fine.json"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(!run.err.contains("never set"), "{run:?}");
        let run = desk.document(&["run", "fine.json", "--json"], 0);
        assert_eq!(run.get("unset_paths"), None, "{run}");
    }
}

/// A loop that ends after one round for a mistyped name, and a map over nothing.
#[test]
fn a_loop_or_a_map_that_read_what_was_never_set_is_told_of() {
    let desk = Desk::new();
    let body = json!({
        "start_node": "a",
        "nodes": { "a": { "kind": command(&["echo", r#"{"more": true}"#]) } },
    });
    let repeated = |condition: &str| {
        json!({
            "workflow_id": "loop", "start_node": "l",
            "nodes": { "l": { "kind": {
                "type": "subgraph", "body": body, "repeat": { "while": condition, "max": 2, "on_max": "complete" },
            } } },
        })
    };
    desk.file("loop.json", repeated("last.mroe").to_string());
    let run = desk.types(&["run", "loop.json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let said = "node `l` read `last.mroe`: `last.mroe` was never set; did you mean `last.more`?";
    assert!(run.err.contains(said), "{run:?}");
    desk.file("loop.json", repeated("last.more").to_string());
    let run = desk.types(&["run", "loop.json"]);
    assert!(!run.err.contains("never set"), "{run:?}");

    let map = json!({
        "workflow_id": "map", "start_node": "a",
        "nodes": {
            "a": { "kind": command(&["echo", r#"{"res": [1]}"#]) },
            "m": { "kind": { "type": "map", "over": "state.ress", "body": command(&["true"]) } },
        },
        "edges": [{ "from": "a", "to": "m" }],
    });
    desk.file("map.json", map.to_string());
    let run = desk.types(&["run", "map.json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let said = "node `m` read `state.ress`: `state.ress` was never set; did you mean `state.res`?";
    assert!(run.err.contains(said), "{run:?}");
    let explained = desk.types(&["explain", "@last"]);
    let said = "node `m` was settled by what it read at `state.ress`: `state.ress` was missing";
    assert!(explained.out.contains(said), "{explained:?}");
}

/// The scheduler is asked of children, too: what is told has the way to the node.
#[test]
fn what_a_child_read_and_was_never_set_is_told_of_by_its_parent() {
    let desk = Desk::new();
    let mut child = chooses("state.scroe > 2");
    let fields = child.as_object_mut().expect("an object");
    fields.remove("workflow_id");
    fields.remove("version");
    let workflow = json!({
        "workflow_id": "parent", "version": "1.0.0", "start_node": "c",
        "nodes": { "c": { "kind": { "type": "subgraph", "body": child } } },
    });
    desk.file("parent.json", workflow.to_string());
    let run = desk.types(&["run", "parent.json"]);
    let said = SAID
        .replace("`publish`", "`c/publish`")
        .replace("`judge`", "`c/judge`");
    assert!(run.err.contains(&said), "{run:?}");
    let run = desk.document(&["run", "parent.json", "--json"], 0);
    assert_eq!(run["unset_paths"][0]["node_id"], "c/publish", "{run}");
}

/// `work` tells of each execution that ends, and so of this.
#[test]
fn what_was_never_set_is_told_by_those_who_work_on_all() {
    let desk = Desk::new();
    desk.file("typo.json", chooses("state.scroe > 2").to_string());
    let id = desk.types(&["start", "typo.json"]).out.trim().to_owned();
    let work = desk.types(&["work", "--until-idle", "--wait", "0s"]);
    assert_eq!(work.code, Some(0), "{work:?}");
    assert!(work.err.contains(&format!("{id}: {SAID}")), "{work:?}");

    assert_eq!(desk.types(&["start", "typo.json"]).code, Some(0));
    let work = desk.document(&["work", "--until-idle", "--wait", "0s", "--json"], 0);
    assert_eq!(work["unset_paths"][0]["path"], "state.scroe", "{work}");
}
