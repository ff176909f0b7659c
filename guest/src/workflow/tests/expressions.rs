//! Rule R29: which texts hold expressions, and what is wrong with them.

use alloc::format;

use super::super::plan::{Kind, PlanText};
use super::faults::check;
use super::{parse, workflow};

/// Only where a field may hold expressions, and only where it does.
#[test]
fn r29_texts_with_expressions_are_read_once() {
    let has_template = |kind: &str| {
        let plan = parse(&workflow(&format!(r#""a": {{"kind": {kind}}}"#), &[], ""));
        let plan = plan.unwrap_or_else(|faults| panic!("{kind}: {faults:?}"));
        match &plan.nodes[0].kind {
            Kind::Work(work) => work.template.is_some(),
            Kind::Wait(wait) => {
                matches!(wait.correlation_key, Some(PlanText::Template(_)))
            }
            Kind::HumanApproval(it) => matches!(it.description, PlanText::Template(_)),
            other => panic!("{other:?}"),
        }
    };
    #[rustfmt::skip]
    let rows = [
        (r#"{"type": "command", "argv": ["echo", "${state.x}"]}"#, true),
        (r#"{"type": "command", "argv": ["echo", "\u0024{state.x}"]}"#, true),
        (r#"{"type": "command", "argv": ["echo", "$${x"]}"#, true),
        (r#"{"type": "command", "argv": ["echo\n$x"]}"#, false),
        (r#"{"type": "command", "argv": ["a"], "cwd": "/${input.x}"}"#, true),
        (r#"{"type": "command", "argv": ["a"], "env": {"A": "${node_id}"}}"#, true),
        (r#"{"type": "command", "argv": ["a"], "env": {"${A": "x"}}"#, false),
        (r#"{"type": "command", "argv": ["a"], "input_mapping": {"${x": "'${'"}}"#, false),
        (r#"{"type": "http", "url": "${state.base}/x"}"#, true),
        (r#"{"type": "http", "url": "https://${state.host}/x"}"#, true),
        (r#"{"type": "http", "url": "http://h", "headers": {"A": "b ${state.x}"}}"#, true),
        (r#"{"type": "http", "url": "http://h", "body": {"a": [1, {"b": "${state.x}"}]}}"#, true),
        (r#"{"type": "http", "url": "http://h", "body": {"${a": 1}}"#, false),
        (r#"{"type": "tool", "tool_ref": "${what"}"#, false),
        (r#"{"type": "model", "model_ref": "m", "prompt_ref": "p", "system_prompt": "${x", "mine": "${y"}"#, false),
        (r#"{"type": "wait", "condition": "external_event", "correlation_key": "k-${input.x}"}"#, true),
        (r#"{"type": "wait", "condition": "external_event", "correlation_key": "k"}"#, false),
        (r#"{"type": "human_approval", "description": "Pay ${state.sum}?"}"#, true),
    ];
    for (kind, expected) in rows {
        assert_eq!(has_template(kind), expected, "{kind}");
    }
}

/// The pointer of the text, and the column in it.
#[test]
fn r29_what_is_no_expression_is_told_at_its_text() {
    #[rustfmt::skip]
    let rows: [(&str, &str, &str); 14] = [
        (r#""type": "command", "argv": ["a", "é ${x}"]"#, "/argv/1",
            "`é ${x}` does not parse: unknown word `x`; a path begins with state, input, node_id or errors, and a text stands in quotes: \"x\" (column 5)"),
        (r#""type": "command", "argv": ["a"], "env": {"A/B": "${item.x}"}"#, "/env/A~1B",
            "`${item.x}` does not parse: unknown word `item`; it can be read only in the body of a map, and in the compensation of one (column 3)"),
        (r#""type": "command", "argv": ["a", "é ${secret}"]"#, "/argv/1",
            "`é ${secret}` does not parse: a secret is written `${secret.NAME}` (column 11)"),
        (r#""type": "command", "argv": ["a", "${secret.A-B}"]"#, "/argv/1",
            "`${secret.A-B}` does not parse: the worker puts it in, so that it can be no part of an expression: `${secret.A}` stands alone (column 11)"),
        (r#""type": "http", "url": "http://h", "headers": {"A": "${secret.1A}"}"#, "/headers/A",
            "`${secret.1A}` does not parse: a secret's name has 1 to 128 of the letters A to Z and a to z, digits and `_`, and begins with no digit (column 10)"),
        (r#""type": "task", "queue": "q", "key": "${'Bearer ' + secret.KEY}""#, "/key",
            "`${'Bearer ' + secret.KEY}` does not parse: unknown word `secret`; the worker puts it in: it stands alone, `${secret.NAME}` or `${execution_id}`, in `url`, `headers`, `body`, `argv`, `env`, `cwd` and the fields of a `task` (column 15)"),
        (r#""type": "wait", "condition": "external_event", "correlation_key": "${execution_id}""#, "/correlation_key",
            "`${execution_id}` does not parse: unknown word `execution_id`; the worker puts it in: it stands alone, `${secret.NAME}` or `${execution_id}`, in `url`, `headers`, `body`, `argv`, `env`, `cwd` and the fields of a `task` (column 3)"),
        (r#""type": "limit_exceeded", "description": "at ${secret.KEY}""#, "/description",
            "`at ${secret.KEY}` names a secret where nobody puts it in (column 4)"),
        (r#""type": "tool", "tool_ref": "é${secret.KEY}""#, "/tool_ref",
            "`é${secret.KEY}` names a secret where nobody puts it in (column 2)"),
        (r#""type": "http", "url": "http://h/${state.a b}""#, "/url",
            "`http://h/${state.a b}` does not parse: expected an operator or the end, found `b` (column 20)"),
        (r#""type": "http", "url": "http://h", "body": {"a": [1, "${state."]}"#, "/body/a/1",
            "`${state.` does not parse: expected a name after the dot, found the end (column 9)"),
        (r#""type": "http", "url": "ftp://${state.host}/""#, "/url", "the request's URL is neither of `http` nor of `https`"),
        (r#""type": "wait", "condition": "external_event", "correlation_key": "${state.a""#, "/correlation_key",
            "`${state.a` does not parse: this `${` has no closing `}`; a literal `${` is written `$${` (column 10)"),
        (r#""type": "human_approval", "description": "${}""#, "/description",
            "`${}` does not parse: expected a path such as state.name, a literal, a list or (…), found `}` (column 3)"),
    ];
    for (kind, pointer, message) in rows {
        let nodes = format!(r#""a": {{"kind": {{{kind}}}}}"#);
        check(
            &workflow(&nodes, &[], ""),
            &[(&format!("/nodes/a/kind{pointer}"), message)],
        );
    }
}
