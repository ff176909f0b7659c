//! What undoes nodes (rules R1, R5 and R27).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::faults::check;
use super::{FINALIZER, PLAIN, plan, workflow};
use crate::workflow::plan::Compensation;

/// A workflow whose node `a` is of this kind, and has these fields besides.
fn with(kind: &str, fields: &str) -> String {
    workflow(
        &format!(r#""a": {{"kind": {kind}, {fields}}}, "b": {PLAIN}"#),
        &["a b"],
        "",
    )
}

fn compensation(kind: &str, fields: &str) -> Compensation {
    let plan = plan(&with(kind, fields));
    let node = plan.nodes.into_iter().find(|node| node.id == "a");
    let node = node.expect("it is a node");
    *node.compensation.expect("it has a compensation")
}

const COMMAND: &str = r#"{"type": "command", "argv": ["true"]}"#;
const UNDO: &str = r#""compensate": {"type": "command", "argv": ["undo", "${output.id}"]}"#;
const CHILD: &str = r#"{"type": "subgraph", "workflow_id": "w", "version": "1.0.0"}"#;

#[test]
fn r27_a_compensation_is_work_of_its_own() {
    let of_command = compensation(COMMAND, UNDO);
    assert_eq!(of_command.work.queue, "command");
    assert!(of_command.work.template.is_some());
    assert_eq!(
        of_command.json.get(),
        r#"{"type": "command", "argv": ["undo", "${output.id}"]}"#
    );
    // The node's queue and priority are its own, but a task says its queue itself.
    let more = format!(r#"{UNDO}, "queue": "near", "priority": 7"#);
    let near = compensation(COMMAND, &more).work;
    assert_eq!((&*near.queue, near.priority), ("near", Some(7)));
    let task = r#""compensate": {"type": "task", "queue": "far"}, "queue": "near""#;
    assert_eq!(compensation(COMMAND, task).work.queue, "far");
    assert_eq!(compensation(CHILD, UNDO).work.queue, "command");
    let undone = format!(r#"{{"kind": {COMMAND}, {UNDO}, "queue": "near"}}"#);
    let http = r#"{"kind": {"type": "tool", "tool_ref": "t"}, "compensate": {"type": "http", "url": "http://h"}}"#;
    let plan = plan(&workflow(
        &format!(r#""a": {undone}, "b": {http}"#),
        &["a b"],
        "",
    ));
    assert_eq!(
        plan.queues().collect::<Vec<_>>(),
        ["near", "near", "tool", "http"]
    );
}

#[test]
fn r27_what_undoes_an_instance_reads_its_element() {
    let body = r#"{"type": "tool", "tool_ref": "t"}"#;
    let map = format!(r#"{{"type": "map", "over": "state.x", "body": {body}}}"#);
    let undo = r#""compensate": {"type": "tool", "tool_ref": "u", "input_mapping": {"a": "item.a", "i": "index", "o": "output", "n": "node_id"}}"#;
    assert!(compensation(&map, undo).work.input_mapping.is_some());
    let over_children = format!(r#"{{"type": "map", "over": "state.x", "body": {CHILD}}}"#);
    assert_eq!(compensation(&over_children, undo).work.queue, "tool");
}

#[test]
fn r27_faults_of_compensations() {
    #[rustfmt::skip]
    let rows: &[(&str, &str, &str)] = &[
        (r#"{"type": "map"}"#, "/type", "`map` cannot be a compensation"),
        (r#"{"type": "subgraph", "workflow_id": "w", "version": "1.0.0"}"#, "/type", "`subgraph` cannot be a compensation"),
        (r#"{"type": "wait", "condition": "timer"}"#, "/type", "`wait` cannot be a compensation"),
        (r#"{"type": "condition"}"#, "/type", "`condition` cannot be a compensation"),
        (r#"{"type": "finalizer", "tool_ref": "t", "run_on": "always"}"#, "/type", "`finalizer` cannot be a compensation"),
        (r#"{"type": "comand"}"#, "/type", "unknown kind `comand`"),
        (r#"{"type": "command"}"#, "", "the field `argv` is missing"),
        (r#"{"type": "command", "argv": ["true"], "retry_policy": "no_retry"}"#, "/retry_policy", "unknown field `retry_policy`"),
        (r#"{"type": "command", "argv": ["${item}"]}"#, "/argv/0", "`${item}` does not parse: unknown word `item`; it can be read only in the body of a map, and in the compensation of one (column 3)"),
        (r#"{"type": "policy", "policy_ref": "p", "on_violation": {"branch": {"target": "b"}}}"#, "/on_violation/branch/target", "a compensation leads nowhere: it cannot choose a target"),
    ];
    for (undo, pointer, message) in rows {
        let text = with(COMMAND, &format!(r#""compensate": {undo}"#));
        let pointer = format!("/nodes/a/compensate{pointer}");
        check(&text, &[(&pointer, message)]);
    }
    check(
        &with(COMMAND, r#""compensate": ["undo"]"#),
        &[("/nodes/a/compensate", "expected an object, found a list")],
    );
}

#[test]
fn r27_what_nobody_completes_is_not_undone() {
    const NOBODY: &str = "`compensate` has no effect: no worker and no child completes this node";
    #[rustfmt::skip]
    let rows: &[(&str, &str)] = &[
        (r#"{"type": "parallel"}"#, NOBODY),
        (r#"{"type": "join"}"#, NOBODY),
        (r#"{"type": "wait", "condition": "timer", "timeout_secs": 5}"#, NOBODY),
        (r#"{"type": "human_approval", "description": "May it?"}"#, NOBODY),
        (r#"{"type": "condition", "branches": [{"target": "b"}]}"#, NOBODY),
        (r#"{"type": "limit_exceeded"}"#, NOBODY),
        (r#"{"type": "subgraph", "workflow_id": "w", "version": "1.0.0", "detached": true}"#, "`compensate` has no effect: nobody waits for a detached child, so it completes nothing here"),
    ];
    for (kind, message) in rows {
        check(&with(kind, UNDO), &[("/nodes/a/compensate", message)]);
    }
    let finalizer = FINALIZER.replacen('{', &format!("{{{UNDO}, "), 1);
    check(
        &workflow(&format!(r#""a": {PLAIN}, "f": {finalizer}"#), &[], ""),
        &[(
            "/nodes/f/compensate",
            "`compensate` has no effect: a finalizer runs when the compensations are over",
        )],
    );
    let id = "x".repeat(241);
    let text = workflow(
        &format!(r#""a": {PLAIN}, "{id}": {{"kind": {COMMAND}, {UNDO}}}"#),
        &[&format!("a {id}")],
        "",
    );
    check(
        &text,
        &[(
            &format!("/nodes/{id}"),
            "the id of a node with `compensate` has at most 240 bytes, as it is part of longer ones",
        )],
    );
}
