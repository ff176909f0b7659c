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
