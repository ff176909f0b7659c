//! Why a node failed, where only the workflow's text or the rest of the log says it: which
//! expression came to null, which workflow is not registered, which node failed first.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::desk::{Desk, command};

/// A workflow that says one thing that two expressions come to, of which one is null.
fn greets(text: &str) -> Value {
    json!({
        "workflow_id": "greets", "version": "1.0.0", "start_node": "judge",
        "nodes": {
            "judge": { "kind": command(&["echo", r#"{"score": 3}"#]) },
            "tell": { "kind": { "type": "command", "argv": ["echo", "hello", text] } },
        },
        "edges": [{ "from": "judge", "to": "tell" }],
    })
}

const BOTH: &str =
    "one of `${input.usr}`, `${state.score > 2 ? 'a' : '}'}` comes to null, in `/kind/argv/2`";

#[test]
fn r29_an_expression_that_came_to_null_is_shown_wherever_its_failure_is() {
    let desk = Desk::new();
    let text = "${input.usr} ${state.score > 2 ? 'a' : '}'}";
    desk.file("greets.json", greets(text).to_string());
    let run = desk.types(&["run", "greets.json", "--input", r#"{"user": "ada"}"#]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for said in [
        desk.types(&["explain", "@last"]).out,
        desk.types(&["explain", "@last", "tell"]).out,
        desk.types(&["show", "@last"]).out,
        desk.types(&["list"]).out,
        desk.types(&["output", "@last", "tell"]).err,
        run.err.clone(),
    ] {
        assert!(said.contains(BOTH), "{said}");
    }
    let unset =
        "node `tell` read `${input.usr}`: `input.usr` was never set; did you mean `input.user`?";
    assert!(run.err.contains(unset), "{run:?}");
    let shown = desk.document(&["show", "@last", "--json"], 0);
    assert!(shown.to_string().contains("comes to null"), "{shown}");

    desk.file(
        "greets.test.yaml",
        "workflow: greets.json\ncases: {a: {expect: {status: completed}}}\n",
    );
    let tested = desk.types(&["test", "greets.test.yaml"]);
    assert_eq!(tested.code, Some(1), "{tested:?}");
    assert!(tested.out.contains("one of `${input.usr}`,"), "{tested:?}");
}

#[test]
fn law9_a_node_that_failed_before_its_first_attempt_says_so_where_its_output_is_asked_for() {
    let desk = Desk::new();
    desk.file("greets.json", greets("${state.nothing}").to_string());
    assert_eq!(desk.types(&["run", "greets.json"]).code, Some(1));
    let output = desk.types(&["output", "@last", "tell"]);
    let expected = "tell failed before its first attempt, and no program of it has run: `${state.nothing}` comes to null, in `/kind/argv/2`";
    assert!(output.err.contains(expected), "{output:?}");
}

/// A finalizer whose name comes first fails because of what failed before it.
#[test]
fn law9_the_fork_that_is_told_begins_at_the_node_that_failed_first() {
    let desk = Desk::new();
    let fails = json!({ "kind": command(&["false"]), "retry_policy": "no_retry" });
    let mut finalizer = fails.clone();
    finalizer["run_on"] = "failure".into();
    let workflow = json!({
        "workflow_id": "alarm", "version": "1.0.0", "start_node": "work",
        "nodes": { "work": fails, "alarm": finalizer },
    });
    desk.file("alarm.json", workflow.to_string());
    let run = desk.types(&["run", "alarm.json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.contains("--from work` goes on"), "{run:?}");
    let (work, alarm) = (
        run.err.find("node work failed").expect("it is told"),
        run.err.find("node alarm failed").expect("it is told"),
    );
    assert!(work < alarm, "{run:?}");
    let shown = desk.types(&["show", "@last"]);
    assert!(shown.out.contains("--from work` goes on"), "{shown:?}");
}

#[test]
fn r22_a_workflow_that_is_not_registered_is_named_wherever_its_failure_is() {
    let desk = Desk::new();
    let child = json!({ "type": "subgraph", "workflow_id": "sign", "version": "1.0.0" });
    let workflow = json!({
        "workflow_id": "contract", "version": "1.0.0", "start_node": "sign",
        "nodes": { "sign": { "kind": child, "retry_policy": "no_retry" } },
    });
    desk.file("contract.json", workflow.to_string());
    let run = desk.types(&["run", "contract.json"]);
    for said in [
        run.err,
        desk.types(&["list"]).out,
        desk.types(&["explain", "@last"]).out,
        desk.types(&["show", "@last"]).out,
    ] {
        let named = "no workflow `sign` of version 1.0.0 is registered";
        assert!(said.contains(named), "{said}");
        assert!(!said.contains("or it is written in place"), "{said}");
    }
}

#[test]
fn r1_a_condition_on_an_edge_to_a_finalizer_is_refused() {
    let desk = Desk::new();
    let mut finalizer = json!({ "kind": command(&["true"]) });
    finalizer["run_on"] = "success".into();
    let workflow = json!({
        "workflow_id": "fin", "version": "1.0.0", "start_node": "a",
        "nodes": { "a": { "kind": command(&["true"]) }, "mail": finalizer },
        "edges": [{ "from": "a", "to": "mail", "condition": "state.never" }],
    });
    desk.file("fin.json", workflow.to_string());
    let checked = desk.document(&["validate", "fin.json", "--json"], 1);
    let fault = &checked["faults"][0];
    assert_eq!(fault["pointer"], "/edges/0/condition");
    let remedy = fault["remedy"].as_str().expect("a remedy");
    assert!(remedy.contains("`run_on`"), "{remedy}");
}

#[test]
fn r6_a_field_of_the_node_in_the_kind_of_a_worker_is_noted() {
    let desk = Desk::new();
    let task = json!({ "type": "task", "queue": "q", "priority": 9, "run_on": "always" });
    let workflow = json!({
        "workflow_id": "place", "version": "1.0.0", "start_node": "a",
        "nodes": { "a": { "kind": task } },
    });
    desk.file("place.json", workflow.to_string());
    let checked = desk.document(&["validate", "place.json", "--json"], 0);
    let found = json!(["/nodes/a/kind/priority", "/nodes/a/kind/run_on"]);
    assert_eq!(checked["in_kinds"], found);
    let said = desk.types(&["validate", "place.json"]);
    let note = "note: /nodes/a/kind/priority is for the worker alone; what the scheduler goes by belongs to the node itself, beside its `kind`";
    assert!(said.out.contains(note), "{said:?}");
}

/// The scheduler's list of what belongs beside a `kind`, and the command's, are those fields
/// of nodes that change anything.
#[test]
fn r6_each_field_of_nodes_is_known_where_it_stands_in_a_kind() {
    let desk = Desk::new();
    let schema = desk.document(&["schema"], 0);
    let fields = schema["$defs"]["node"]["properties"].as_object();
    let fields = fields.expect("a node has fields").keys();
    let fields: BTreeSet<&str> = fields
        .map(String::as_str)
        .filter(|name| !["id", "kind", "policy", "data_policy"].contains(name))
        .collect();
    let checked = |kind: &Value, code| {
        let node = |name: &&str| {
            let mut kind = kind.clone();
            kind[*name] = json!("x");
            ((*name).to_owned(), json!({ "kind": kind }))
        };
        let nodes: Map<String, Value> = fields.iter().map(node).collect();
        let others = fields.iter().filter(|name| **name != "queue");
        let edges: Vec<Value> = others
            .map(|name| json!({ "from": "queue", "to": name }))
            .collect();
        let workflow = json!({
            "workflow_id": "fields", "version": "1.0.0", "start_node": "queue",
            "nodes": nodes, "edges": edges,
        });
        desk.file("fields.json", workflow.to_string());
        desk.document(&["validate", "fields.json", "--json"], code)
    };
    let found = checked(&json!({ "type": "tool", "tool_ref": "t" }), 0);
    let found = found["in_kinds"].as_array().expect("a list").clone();
    let goes_by = fields
        .iter()
        .filter(|name| !["description", "labels"].contains(name));
    let goes_by: Vec<Value> = goes_by
        .map(|name| json!(format!("/nodes/{name}/kind/{name}")))
        .collect();
    assert_eq!(found, goes_by);
    let refused = checked(&command(&["true"]), 1);
    let refused = refused["faults"].as_array().expect("a list");
    let remedies: Vec<&Value> = refused.iter().map(|fault| &fault["remedy"]).collect();
    let belongs = fields.iter().map(|name| {
        json!(format!(
            "put it elsewhere: `{name}` belongs to the node itself, beside its `kind`"
        ))
    });
    assert_eq!(
        remedies,
        belongs.collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
}
