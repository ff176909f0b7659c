//! The first line.

use anyhow::{Context, Result};
use refrain::conformance::Edit;
use refrain::model::Digest;
use serde_json::json;

use super::super::draft::{Drafts, raw, set, text, unset};
use super::super::source::{Source, named};

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The header's fields get these values.
const VALUES: [(&str, &str, &str); 34] = [
    ("format", "older", "\"refrain-log/1\""),
    ("format", "newer", "\"refrain-log/3\""),
    (
        "format",
        "much_newer",
        "\"refrain-log/18446744073709551615\"",
    ),
    (
        "format",
        "of_too_many_digits",
        "\"refrain-log/18446744073709551616\"",
    ),
    ("format", "of_a_leading_zero", "\"refrain-log/03\""),
    ("format", "of_a_sign", "\"refrain-log/+3\""),
    ("format", "of_a_space", "\"refrain-log/3 \""),
    ("format", "of_another_name", "\"refrain-logs/3\""),
    ("format", "without_a_number", "\"refrain-log\""),
    ("format", "of_a_number", "2"),
    (
        "execution_id",
        "of_another",
        "\"exec_00000000000000000000000000000000\"",
    ),
    (
        "execution_id",
        "in_capitals",
        "\"EXEC_00000000000000000000000000000000\"",
    ),
    ("execution_id", "too_short", "\"exec_00\""),
    ("execution_id", "empty", "\"\""),
    ("execution_id", "null", "null"),
    ("workflow", "another", "\"{}\""),
    ("workflow", "an_object", "{}"),
    ("workflow", "empty", "\"\""),
    (
        "guest_digest",
        "of_another",
        "\"0000000000000000000000000000000000000000000000000000000000000000\"",
    ),
    ("guest_digest", "too_short", "\"00\""),
    (
        "guest_digest",
        "in_capitals",
        "\"ABCDEF0000000000000000000000000000000000000000000000000000000000\"",
    ),
    ("events", "one_more", "11"),
    ("events", "none", "0"),
    ("events", "far_too_many", "18446744073709551615"),
    ("events", "more_than_a_number", "18446744073709551616"),
    ("events", "a_fraction", "10.0"),
    ("events", "a_text", "\"10\""),
    (
        "head",
        "of_another",
        "\"0000000000000000000000000000000000000000000000000000000000000000\"",
    ),
    ("head", "empty", "\"\""),
    ("owed_a_step", "no", "false"),
    ("owed_a_step", "a_text", "\"yes\""),
    ("components", "empty", "[]"),
    ("components", "no_list", "{}"),
    ("note", "unknown", "1"),
];

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) -> Result<()> {
    let source = named(sources, "stalled")?;
    for (field, what, value) in VALUES {
        let name = format!("header.{field}.{what}");
        drafts.named(name, source, vec![raw(1, field, value)?]);
    }
    for field in [
        "format",
        "execution_id",
        "workflow",
        "guest_digest",
        "events",
        "head",
    ] {
        let name = format!("header.{field}.missing");
        drafts.named(name, source, vec![unset(1, field)]);
    }
    texts(drafts, source);
    bound(drafts, source)?;
    for other in ["timer", "completed", "child", "forked"] {
        let name = format!("header.of_another_log.{other}");
        let header = &named(sources, other)?.lines[0];
        drafts.named(name, source, instead(header));
    }
    Ok(())
}

/// What stands there instead of a header.
fn texts(drafts: &mut Drafts, source: &Source) {
    for (what, text) in [
        ("no_json", "refrain"),
        ("a_list", "[]"),
        ("a_number", "7"),
        ("an_empty_object", "{}"),
        ("another_format", "{\"type\":\"node_scheduled\"}"),
        ("only_the_format", "{\"format\":\"refrain-log/2\"}"),
        (
            "only_a_newer_format",
            "{\"format\":\"refrain-log/9\",\"log\":[]}",
        ),
        ("a_database", "SQLite format 3\u{0}"),
        ("empty", ""),
    ] {
        drafts.named(format!("header.{what}"), source, instead(text));
    }
    let whole = [
        ("missing", vec![Edit::Remove { line: 1 }]),
        ("twice", vec![Edit::Copy { line: 1, before: 2 }]),
        ("only", vec![Edit::Cut { line: 2, bytes: 0 }]),
        ("nothing", vec![Edit::Cut { line: 1, bytes: 0 }]),
        ("half", vec![Edit::Cut { line: 1, bytes: 40 }]),
        (
            "format_last",
            vec![unset(1, "format"), set(1, "format", "refrain-log/2")],
        ),
        ("spaced", vec![text(1, "{", " { ")]),
        ("a_field_twice", vec![text(1, "{", "{\"head\":1,")]),
    ];
    drafts.each("header", source, whole);
}

/// The first line gives way to this one.
fn instead(text: &str) -> Vec<Edit> {
    let text = text.to_owned();
    vec![Edit::Remove { line: 1 }, Edit::Insert { before: 1, text }]
}

/// Event 1 names what it binds otherwise than the header, and the chain is whole.
fn bound(drafts: &mut Drafts, source: &Source) -> Result<()> {
    let workflow = source.header["workflow"].as_str().context("a workflow")?;
    let spaced = format!("{workflow} ");
    let digest = Digest::of(spaced.as_bytes()).to_string();
    let shorter = r#"{"workflow_id":"w","version":"1.0.0","start_node":"a","nodes":{"a":{"kind":{"type":"tool","tool_ref":"t"}}},"edges":[]}"#;
    let shorter_digest = Digest::of(shorter.as_bytes()).to_string();
    let exec = "exec_0123456789abcdef0123456789abcdef";
    let all = [
        ("another_format", vec![set(2, "format", 3)]),
        ("another_execution", vec![set(2, "execution_id", exec)]),
        (
            "another_execution_both",
            vec![set(2, "execution_id", exec), set(1, "execution_id", exec)],
        ),
        (
            "an_execution_in_capitals",
            vec![set(2, "execution_id", exec.to_uppercase())],
        ),
        (
            "another_workflow_digest",
            vec![set(2, "workflow_digest", ZEROS)],
        ),
        (
            "a_spaced_workflow",
            vec![
                set(1, "workflow", spaced),
                set(2, "workflow_digest", digest),
            ],
        ),
        (
            "another_workflow_both",
            vec![
                set(1, "workflow", shorter),
                set(2, "workflow_digest", shorter_digest),
            ],
        ),
        (
            "no_workflow_both",
            vec![
                set(1, "workflow", "{}"),
                set(2, "workflow_digest", Digest::of(b"{}").to_string()),
            ],
        ),
        ("another_workflow_id", vec![set(2, "workflow_id", "v")]),
        ("another_version", vec![set(2, "workflow_version", "1.0.1")]),
        ("another_guest", vec![set(2, "guest_digest", ZEROS)]),
        (
            "another_guest_both",
            vec![set(2, "guest_digest", ZEROS), set(1, "guest_digest", ZEROS)],
        ),
        ("another_seed", vec![set(2, "seed", 8)]),
        ("a_seed_of_64_bits", vec![set(2, "seed", u64::MAX)]),
        ("another_tenant", vec![set(2, "tenant", "other")]),
        ("another_priority", vec![set(2, "priority", 4)]),
        ("an_impossible_priority", vec![set(2, "priority", 10)]),
        ("simulated", vec![set(2, "simulated", true)]),
        ("an_input", vec![set(2, "initial_input", json!({"a": 1}))]),
        (
            "a_limit_of_none",
            vec![set(2, "limits/max_concurrent_nodes", 0)],
        ),
        (
            "a_limit_of_one",
            vec![set(2, "limits/max_dispatch_per_tick", 1)],
        ),
        (
            "a_label",
            vec![set(2, "labels", json!([{"name": "a", "value": "b"}]))],
        ),
        (
            "a_label_twice",
            vec![set(
                2,
                "labels",
                json!([{"name": "a", "value": "b"}, {"name": "a", "value": "c"}]),
            )],
        ),
        ("no_labels", vec![set(2, "labels", json!([]))]),
        ("a_key", vec![set(2, "key", "k")]),
        ("a_person", vec![set(2, "by", "eve")]),
    ];
    let chained = all.map(|(what, edits)| (what, [edits, vec![Edit::Rechain {}]].concat()));
    drafts.each("event_1", source, chained);
    Ok(())
}
