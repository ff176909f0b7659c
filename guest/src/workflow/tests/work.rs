//! What nodes say of their work (rule R5), and workflows without a version (rule R1).

use alloc::format;
use alloc::string::String;

use super::faults::{check, faults};
use super::{plain, plan, workflow};
use crate::workflow::plan::{Kind, RunOn};

#[test]
fn r5_nodes_say_more_of_their_work() {
    let text = workflow(
        r#""a": {"kind": {"type": "task", "queue": "gpu", "steps": [1, {"model": "x"}]}, "priority": 9},
           "b": {"kind": {"type": "http", "url": "http://h"}, "queue": "mail", "lease_secs": 60},
           "c": {"kind": {"type": "tool", "tool_ref": "t"}, "queue": null, "priority": null, "lease_secs": null, "run_on": null},
           "f": {"kind": {"type": "task", "queue": "gpu"}, "run_on": "failure", "priority": 0},
           "g": {"kind": {"type": "condition", "branches": []}, "run_on": "always"}"#,
        &["a b", "b c", "c f", "f g"],
        "",
    );
    let plan = plan(&text);
    let work = |id: &str| {
        let node = &plan.nodes[plan.find(id).unwrap().0 as usize];
        let Kind::Work(work) = &node.kind else {
            panic!("{id} is work")
        };
        (&*work.queue, work.priority, work.finalizer)
    };
    assert_eq!(work("a"), ("gpu", Some(9), None));
    assert_eq!(work("b"), ("mail", None, None));
    assert_eq!(work("c"), ("tool", None, None));
    assert_eq!(work("f"), ("gpu", Some(0), Some(RunOn::Failure)));
    assert_eq!(work("g"), ("general", None, Some(RunOn::Always)));
}

/// A workflow without a version is known by its text.
#[test]
fn r1_a_version_may_be_left_out() {
    let of = |more: &str| {
        format!(
            r#"{{"workflow_id": "w", {more}"start_node": "a", "nodes": {{{}}}}}"#,
            plain("a")
        )
    };
    let (without, null) = (of(""), of(r#""version": null, "#));
    let digits = &crate::digest::digest_of_text(&without)[..12];
    assert_eq!(plan(&without).version, format!("0.0.0+{digits}"));
    assert_ne!(plan(&null).version, plan(&without).version);
    assert!(plan(&null).version.starts_with("0.0.0+"));
    let schema = of(r#""$schema": "https://example.org/workflow.schema.json", "#);
    assert!(plan(&schema).ignored.is_empty());
}

/// What a node says of its work items, where it has some.
#[test]
fn r1_fields_of_work() {
    let fault = |kind: &str, more: &str| {
        let node = format!(r#""a": {{"kind": {{{kind}}}, {more}}}"#);
        faults(&workflow(&node, &[], "")).swap_remove(0)
    };
    let tool = r#""type": "tool", "tool_ref": "t""#;
    let wait = r#""type": "wait", "condition": "timer", "timeout_secs": 1"#;
    let approval = r#""type": "human_approval", "description": "?""#;
    let terminate = r#""type": "terminate", "status": "completed""#;
    let join = r#""type": "join", "wait_for": []"#;
    let branches = r#""type": "condition", "branches": [{"target": "end"}]"#;
    let finalizer = r#""type": "finalizer", "tool_ref": "t", "run_on": "always""#;
    let task = r#""type": "task", "queue": "gpu""#;
    #[rustfmt::skip]
    let rows = [
        (tool,      r#""queue": """#,           "queue",      "an id may not be empty"),
        (tool,      r#""queue": 7"#,            "queue",      "expected a text, found a number"),
        (tool,      r#""priority": 10"#,        "priority",   "`priority` cannot be 10"),
        (tool,      r#""priority": "high""#,    "priority",   "expected a whole number, not negative, found a text"),
        (tool,      r#""lease_secs": 0"#,       "lease_secs", "`lease_secs` cannot be 0"),
        (tool,      r#""lease_secs": 3153600001"#, "lease_secs", "`lease_secs` cannot be 3153600001"),
        (tool,      r#""run_on": "never""#,     "run_on",     "`never` is no `run_on`"),
        (tool,      r#""prioritys": 1"#,        "prioritys",  "unknown field `prioritys`"),
        (wait,      r#""queue": "gpu""#,        "queue",      "`queue` has no effect: no worker does this node"),
        (join,      r#""lease_secs": 9"#,       "lease_secs", "`lease_secs` has no effect: no worker does this node"),
        (branches,  r#""priority": 9"#,         "priority",   "`priority` has no effect: no worker does this node"),
        (branches,  r#""run_on": "always""#,    "run_on",     "`run_on` has no effect: no worker does this node"),
        (wait,      r#""node_timeout_secs": 2"#, "node_timeout_secs", "`node_timeout_secs` has no effect: no worker does this node"),
        (approval,  r#""node_timeout_secs": 2"#, "node_timeout_secs", "`node_timeout_secs` has no effect: no worker does this node"),
        (join,      r#""node_timeout_secs": 2"#, "node_timeout_secs", "`node_timeout_secs` has no effect: no worker does this node"),
        (branches,  r#""node_timeout_secs": 2"#, "node_timeout_secs", "`node_timeout_secs` has no effect: no worker does this node"),
        (terminate, r#""node_timeout_secs": 2"#, "node_timeout_secs", "`node_timeout_secs` has no effect: no worker does this node"),
        (task,      r#""queue": "mail""#,       "queue",      "`queue` stands in the node's kind already"),
        (finalizer, r#""run_on": "failure""#,   "run_on",     "`run_on` stands in the node's kind already"),
    ];
    for (kind, more, field, message) in rows {
        let expected = (format!("/nodes/a/{field}"), String::from(message));
        assert_eq!(fault(kind, more), expected, "{kind} {more}");
    }
    let node = r#""a": {"kind": {"type": "http", "url": "http://h"}, "run_on": "always"}"#;
    check(
        &workflow(node, &[], ""),
        &[("/start_node", "`a` is a finalizer, which runs at the end")],
    );
}
