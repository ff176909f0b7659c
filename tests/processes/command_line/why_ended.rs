//! Why an execution has ended is said where no node's failure says it; and what would have
//! handled a failure, and what helps where a child cannot be started.

use serde_json::{Value, json};

use crate::command_line::desk::{Desk, Said, approval, command};

/// What `explain` says of an execution of this workflow, run to its end.
fn explained(workflow: &Value) -> (Desk, Said) {
    let desk = Desk::new();
    desk.file("w.json", workflow.to_string());
    let run = desk.types(&["run", "w.json"]);
    assert!(run.code.is_some(), "{run:?}");
    let explained = desk.types(&["explain", "@last"]);
    (desk, explained)
}

#[test]
fn law9_an_end_without_a_failed_node_is_explained() {
    let terminated = json!({
        "workflow_id": "w", "start_node": "a",
        "nodes": {
            "a": { "kind": command(&["true"]) },
            "stop": { "kind": { "type": "terminate", "status": "failed", "reason": "no stock" } },
        },
        "edges": [{ "from": "a", "to": "stop" }],
    });
    let (desk, said) = explained(&terminated);
    assert!(
        said.out
            .contains("is failed; node \"stop\" ended it: no stock"),
        "{said:?}"
    );
    let forked = desk.types(&["fork", "@last"]);
    assert!(
        forked
            .err
            .contains("leads to that end (terminated: no stock): fork it from before that"),
        "{forked:?}"
    );
    let timed_out = json!({
        "workflow_id": "w", "start_node": "a", "timeouts": { "workflow_timeout": 1 },
        "nodes": { "a": { "kind": command(&["sleep", "9"]) } },
    });
    let (desk, said) = explained(&timed_out);
    assert!(
        said.out.contains("is failed; workflow timed out after 1 s"),
        "{said:?}"
    );
    let forked = desk.types(&["fork", "@last"]);
    assert!(
        forked
            .err
            .contains("its workflow may take 1 s, which counts from now"),
        "{forked:?}"
    );
}

#[test]
fn law9_a_failure_that_an_execution_did_not_end_for_is_no_cause_of_its_end() {
    let desk = Desk::new();
    let running = desk.runs(&json!({
        "workflow_id": "w", "start_node": "a",
        "nodes": {
            "a": { "kind": command(&["true"]) },
            "fails": { "kind": command(&["false"]), "retry_policy": "no_retry" },
            "later": { "kind": approval() },
            "stop": { "kind": { "type": "terminate", "status": "failed", "reason": "no stock" } },
        },
        "edges": [{ "from": "a", "to": "fails" }, { "from": "a", "to": "later" }, { "from": "later", "to": "stop" }],
    }));
    desk.until_event(&desk.execution(), "node_exhausted");
    let approved = desk.types(&["approve", "@last", "later"]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    running.ends();
    let said = desk.types(&["explain", "@last"]);
    assert!(
        said.out.contains("node \"stop\" ended it: no stock"),
        "{said:?}"
    );
    assert!(!said.out.contains("fails is failed"), "{said:?}");
    let document = desk.document(&["explain", "@last", "--json"], 0);
    assert_eq!(document["causes"], json!([]), "{document}");
    let named = desk.types(&["explain", "@last", "fails"]);
    assert!(named.out.contains("fails is failed"), "{named:?}");
}

#[test]
fn r26_an_unhandled_failure_tells_what_its_edges_saw() {
    let (_desk, said) = explained(&json!({
        "workflow_id": "w", "start_node": "a",
        "nodes": {
            "a": { "kind": command(&["false"]), "retry_policy": "no_retry" },
            "b": { "kind": command(&["true"]) },
        },
        "edges": [{ "from": "a", "to": "b", "on": "failure", "condition": "error.class == state.class" }],
    }));
    let expected = "the condition `error.class == state.class` from `a` to `b` was false when node `a` was settled: `error.class` was \"";
    assert!(said.out.contains(expected), "{said:?}");
    assert!(said.out.contains("`state.class` was missing"), "{said:?}");
}

#[test]
fn r22_a_workflow_that_is_not_registered_is_named_with_what_helps() {
    let (desk, said) = explained(&json!({
        "workflow_id": "w", "start_node": "g",
        "nodes": { "g": { "kind": { "type": "subgraph", "workflow_id": "lib", "version": "1.0.0" } } },
    }));
    let expected = "no workflow `lib` of version 1.0.0 is registered; register it, then fork the execution from before this node";
    assert!(said.out.contains(expected), "{said:?}");
    let shown = desk.types(&["show", "@last"]);
    assert!(shown.out.contains(expected), "{shown:?}");
}

#[test]
fn law11_a_fork_of_a_child_says_that_its_parent_hears_nothing_of_it() {
    let desk = Desk::new();
    let body = json!({
        "start_node": "x",
        "nodes": { "x": { "kind": command(&["false"]), "retry_policy": "no_retry" } },
    });
    let workflow = json!({
        "workflow_id": "outer", "start_node": "c",
        "nodes": { "c": { "kind": { "type": "subgraph", "body": body }, "retry_policy": "no_retry" } },
    });
    desk.file("w.json", workflow.to_string());
    let started = desk.types(&["start", "w.json"]);
    let parent = started.out.trim();
    desk.types(&["resume", parent]);
    let shown = desk.document(&["show", parent, "--json"], 0);
    let child = shown["children"][0]["execution_id"]
        .as_str()
        .expect("a child");
    let forked = desk.types(&["fork", child, "--from", "x"]);
    assert_eq!(forked.code, Some(0), "{forked:?}");
    let expected = format!(
        "it is the fork of a child, and has no parent: {parent} hears nothing of it; for the parent to go on with another child, fork the parent: refrain fork"
    );
    assert!(forked.err.contains(&expected), "{forked:?}");
}
