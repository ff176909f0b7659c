//! Rule R1: texts that would be taken as they are written, and what was meant by a name.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{parse, plain, workflow};

/// The pointer, the message and the remedy of the one fault of a node.
fn told(node: &str) -> (String, String, String) {
    let text = workflow(&format!(r#""a": {node}"#), &[], "");
    let faults = parse(&text).expect_err("it is refused");
    let [fault] = &faults[..] else {
        panic!("{faults:?}")
    };
    (
        fault.pointer.replace("/nodes/a/", ""),
        fault.message.clone(),
        fault.remedy.clone(),
    )
}

/// What looks like an expression, where none is resolved, would be taken as it is written.
#[test]
fn r1_a_text_that_holds_no_expressions_is_refused_with_one() {
    #[rustfmt::skip]
    let rows = [
        (r#"{"kind": {"type": "terminate", "status": "failed", "reason": "é ${input.x}"}}"#, "kind/reason",
            "`é ${input.x}` would be taken as it is written: `reason` holds no expressions (column 3)"),
        (r#"{"kind": {"type": "limit_exceeded", "description": "${state.x}"}}"#, "kind/description",
            "`${state.x}` would be taken as it is written: `description` holds no expressions (column 1)"),
        (r#"{"kind": {"type": "subgraph", "workflow_id": "${input.w}", "version": "1.0.0"}}"#, "kind/workflow_id",
            "the id `${input.w}` would be taken as it is written: it holds no expressions"),
        (r#"{"kind": {"type": "subgraph", "workflow_id": "w", "version": "${input.v}"}}"#, "kind/version",
            "`${input.v}` would be taken as it is written: `version` holds no expressions (column 1)"),
        (r#"{"kind": {"type": "subgraph", "workflow_id": "w", "version": "1.0.0", "output_key": "${secret.K}"}}"#, "kind/output_key",
            "`${secret.K}` would be taken as it is written: `output_key` holds no expressions (column 1)"),
        (r#"{"kind": {"type": "map", "over": "[1]", "output_key": "k${x", "body": {"type": "tool", "tool_ref": "${mine}"}}}"#, "kind/output_key",
            "`k${x` would be taken as it is written: `output_key` holds no expressions (column 2)"),
        (r#"{"kind": {"type": "task", "queue": "${input.q}"}}"#, "kind/queue",
            "the id `${input.q}` would be taken as it is written: it holds no expressions"),
        (r#"{"kind": {"type": "tool", "tool_ref": "t"}, "queue": "q-${input.q}"}"#, "queue",
            "the id `q-${input.q}` would be taken as it is written: it holds no expressions"),
    ];
    for (node, pointer, message) in rows {
        let (at, said, _) = told(node);
        assert_eq!((&*at, &*said), (pointer, message), "{node}");
    }
}

#[test]
fn r1_r22_a_child_has_a_version_that_a_workflow_can_have() {
    let of = |version: &str| {
        format!(r#"{{"kind": {{"type": "subgraph", "workflow_id": "w", "version": "{version}"}}}}"#)
    };
    for version in ["1.0.0", "0.0.0", "10.20.30", "0.0.0+0123456789ab"] {
        let text = workflow(&format!(r#""a": {}"#, of(version)), &[], "");
        assert!(parse(&text).is_ok(), "{version}");
    }
    for version in [
        "latest",
        "1.0",
        "1.0.0-rc",
        "0.0.0+0123",
        "0.0.0+0123456789aB",
        "1.0.0+0123456789ab",
    ] {
        let (pointer, message, remedy) = told(&of(version));
        assert_eq!(pointer, "kind/version");
        assert_eq!(
            message,
            format!("`{version}` is no version that a workflow can have")
        );
        assert!(remedy.contains("\"1.0.0\""), "{remedy}");
    }
}

/// A name with another ending is told, and what an expression may hold only once.
#[test]
fn r1_remedies_name_what_was_meant() {
    let (pointer, message, remedy) = told(
        r#"{"kind": {"type": "subgraph", "workflow_id": "w", "version": "1.0.0", "repeat": {"while": "true", "max": 2, "maximum": 3}}}"#,
    );
    assert_eq!(pointer, "kind/repeat/maximum");
    assert_eq!(message, "unknown field `maximum`");
    assert_eq!(remedy, "did you mean `max`? If not, leave it out");
    let text = workflow(&plain("a b"), &["a b if state.x =", "a b if state.y ="], "");
    let faults = parse(&text).expect_err("it is refused");
    let remedies: Vec<&str> = faults.iter().map(|fault| &*fault.remedy).collect();
    assert_eq!(
        remedies,
        [
            "correct the expression; it may hold paths, literals, lists, == != < <= > >= in && || ! ? : + ( ) has() size() contains() startsWith() endsWith()",
            "correct the expression",
        ]
    );
}

/// What belongs beside `kind`, and stands in a kind that nobody but this project reads.
#[test]
fn r6_a_field_of_the_node_inside_its_kind_is_told_where_it_belongs() {
    let command = r#""type": "command", "argv": ["true"]"#;
    let put = |name: &str| {
        format!("put it elsewhere: `{name}` belongs to the node itself, beside its `kind`")
    };
    let meant = |name: &str| {
        format!("did you mean `{name}`? It belongs to the node itself, beside its `kind`")
    };
    for name in super::super::kind::beside_kinds() {
        let node = format!(r#"{{"kind": {{{command}, "{name}": "x"}}}}"#);
        assert_eq!(told(&node).2, put(name));
        let is_of_nodes = |field: &crate::workflow::table::Field| field.name == name;
        assert!(super::super::source::NODE.iter().any(is_of_nodes), "{name}");
    }
    let rows = [
        ("retries", meant("retry_policy")),
        ("timeout_secs", meant("node_timeout_secs")),
        ("undo", meant("compensate")),
        ("compensat", meant("compensate")),
        (
            "outputs",
            "did you mean `output`? If not, leave it out".into(),
        ),
    ];
    for (name, remedy) in rows {
        let node = format!(r#"{{"kind": {{{command}, "{name}": 1}}}}"#);
        assert_eq!(told(&node).2, remedy, "{name}");
        let body = r#"{"kind": {"type": "map", "over": "[1]", "body": "#;
        let node = format!(r#"{body}{{{command}, "{name}": 1}}}}}}"#);
        assert_eq!(told(&node).2, remedy, "in a map: {name}");
    }
    let map = r#"{"kind": {"type": "map", "over": "[1]", "retry_policy": "no_retry", "body": {"type": "tool", "tool_ref": "t"}}}"#;
    assert_eq!(told(map).2, put("retry_policy"));
}

/// The remedies that name what was meant, or how it is written.
#[test]
fn r1_remedies_show_how_it_is_written() {
    let of = |nodes: &str, edges: &[&str], more: &str| {
        let faults = parse(&workflow(nodes, edges, more)).expect_err("it is refused");
        let remedies = faults.into_iter().map(|fault| fault.remedy);
        remedies.collect::<Vec<String>>().join(" | ")
    };
    let node = |node: &str| of(&format!(r#""a": {node}"#), &[], "");
    let bare = "write the expression itself here, without `${ }`; it may hold";
    let over = r#"{"kind": {"type": "map", "over": "${input.files}", "body": {"type": "tool", "tool_ref": "t"}}}"#;
    assert!(node(over).starts_with(bare), "{}", node(over));
    let condition = of(&plain("a b"), &["a b if ${state.x > 1}"], "");
    assert!(condition.starts_with(bare), "{condition}");
    let text = r#"{"kind": {"type": "command", "argv": ["${state.}"]}}"#;
    assert!(node(text).starts_with("correct the expression, or write `$${`"));

    let (small, quick) = (
        plain("a small"),
        r#"{"kind": {"type": "tool", "tool_ref": "t"}, "retry_policy": "qick"}"#,
    );
    let own = r#", "retry_policies": {"quick": {"max_attempts": 2}}"#;
    let rows = [
        (
            of(&small, &["a smal", "a small"], ""),
            "did you mean `small`?",
        ),
        (
            of(&small, &["smal a", "a small"], ""),
            "did you mean `small`?",
        ),
        (
            of(&small, &["a big", "a small"], ""),
            "name one of `nodes`, or \"end\"",
        ),
        (
            of(&format!(r#""a": {quick}"#), &[], own),
            "did you mean `quick`?",
        ),
        (
            of(
                &plain("a"),
                &[],
                r#", "retry_policies": {"p": {"max_attempts": 2, "backoff": "fast"}}"#,
            ),
            "write one of fixed, linear, exponential | add `initial_delay`, a whole number of seconds (or {\"secs\", \"nanos\"})",
        ),
        (
            of(&plain("a b"), &["a b", "b a"], ""),
            "remove one of these edges; a node that may fail is repeated by its retry policy, and several by a `subgraph` with `repeat`",
        ),
        (
            node(r#"{"kind": {"type": "tool", "tool_ref": "t"}, "compensation": {}}"#),
            "did you mean `compensate`? If not, leave it out",
        ),
        (
            node(
                r#"{"kind": {"type": "map", "over": "[1]", "tolerate": 1, "body": {"type": "tool", "tool_ref": "t"}}}"#,
            ),
            "write {\"failures\": 3} or {\"percent\": 10}",
        ),
        (
            node(r#"{"kind": {"type": "command", "argv": "ls -l"}}"#),
            "write a list of texts, like [\"ls\", \"-l\"]",
        ),
        (
            node(r#"{"kind": {"type": "tool", "tool_ref": 7}}"#),
            "write it in quotation marks: \"7\"",
        ),
        // Nothing follows from a word that is none but the fault itself.
        (
            of(
                &format!(
                    r#"{}, "f": {{"kind": {{"type": "tool", "tool_ref": "t"}}, "run_on": "end"}}"#,
                    plain("a")
                ),
                &[],
                "",
            ),
            "write one of success, failure, always",
        ),
    ];
    for (remedy, expected) in rows {
        assert_eq!(remedy, expected);
    }
    let text = workflow(&plain("a"), &[], "").replace(r#""1.0.0""#, "1.0");
    let faults = parse(&text).expect_err("a number is no version");
    assert_eq!(faults[0].remedy, "write it like \"1.0.0\", or leave it out");
    assert_eq!(faults.len(), 1, "{faults:?}");
}
