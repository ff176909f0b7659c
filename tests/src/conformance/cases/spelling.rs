//! Lines that say the same in other characters, and lines that are no JSON, or not the JSON
//! that an event is.

use anyhow::{Context, Result};
use refrain::conformance::Edit;
use refrain::model::Digest;
use serde_json::json;

use super::super::draft::{Drafts, raw, set, text};
use super::super::source::{Source, named};

/// What is done to the line of an event. A line may be spelled in other ways, but for its
/// payloads; each of the first of these texts stands in it.
const REPLACED: [(&str, &str, &str); 26] = [
    ("spaces", ":", " :\t"),
    ("a_return_at_the_end", "1000}", "1000}\r"),
    ("an_escaped_name", "\"type\"", "\"t\\u0079pe\""),
    (
        "an_escaped_value",
        "\"node_completed\"",
        "\"node\\u005fcompleted\"",
    ),
    ("an_escaped_slash", "\"a\"", "\"\\u0061\""),
    ("a_mark_before_it", "{", "\u{feff}{"),
    ("a_comma_too_many", "{", "{,"),
    ("a_comma_at_the_end", "1000}", "1000,}"),
    ("a_comment", "{", "{/* fine */"),
    ("single_quotes", "\"type\"", "'type'"),
    ("no_quotes", "\"type\"", "type"),
    ("a_raw_control", "\"a\"", "\"a\u{1}\""),
    ("a_raw_tab", "\"a\"", "\"a\t\""),
    ("a_lone_surrogate", "\"a\"", "\"\\ud800\""),
    ("a_surrogate_pair", "\"a\"", "\"\\ud83d\\ude00\""),
    ("an_unknown_escape", "\"a\"", "\"\\x61\""),
    ("a_second_object", "1000}", "1000}{}"),
    ("a_list_around_it", "{", "[{"),
    ("a_field_twice", "\"type\"", "\"attempt\":1,\"type\""),
    (
        "a_field_twice_escaped",
        "\"type\"",
        "\"\\u0061ttempt\":1,\"type\"",
    ),
    (
        "a_field_that_nobody_knows",
        "\"type\"",
        "\"note\":1,\"type\"",
    ),
    (
        "a_field_of_an_erased_event",
        "\"hash\"",
        "\"commitment\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"hash\"",
    ),
    (
        "a_payload_twice",
        "\"output\"",
        "\"output_text\":\"null\",\"output\"",
    ),
    ("no_brace_at_the_end", "1000}", "1000"),
    ("a_capital_name", "\"type\"", "\"Type\""),
    (
        "a_late_field_of_another_kind",
        "\"type\"",
        "\"retry_after_ms\":5,\"type\"",
    ),
];

/// Payloads as they are spelled, and taken as they are: they stand in the chain character for
/// character.
const PAYLOADS: [(&str, &str); 14] = [
    ("spaced", "{ \"a\" : 1 }"),
    (
        "of_a_great_number",
        "{\"n\":123456789012345678901234567890}",
    ),
    ("of_an_exponent", "{\"n\":1e400}"),
    ("of_minus_zero", "{\"n\":-0}"),
    ("of_a_fraction", "{\"n\":1.0}"),
    ("of_escapes", "{\"\\u00fc\":\"\\/\\ud83d\\ude00\"}"),
    ("of_a_lone_surrogate", "{\"a\":\"\\ud800\"}"),
    ("of_a_member_twice", "{\"a\":1,\"a\":2}"),
    ("of_a_member_twice_escaped", "{\"a\":1,\"\\u0061\":2}"),
    ("of_no_object", "[1]"),
    ("of_null", "null"),
    (
        "of_a_name_that_objects_have",
        "{\"__proto__\":{\"x\":1},\"constructor\":7}",
    ),
    ("of_directions", "{\"\u{202e}a\":\"\u{2066}\u{feff}\"}"),
    ("of_a_line_separator", "{\"a\":\"\u{2028}\"}"),
];

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) -> Result<()> {
    let source = named(sources, "guest_changed")?;
    let line = source.line_of("node_completed").context("a completion")?;
    let next = line + 1;
    let replaced = REPLACED.map(|(what, from, to)| (what, vec![text(line, from, to)]));
    drafts.each("spelled", source, replaced);
    payloads(drafts, source, line)?;
    order(drafts, source, line);
    sizes(drafts, source, line, next);
    bytes(drafts, source, line);
    Ok(())
}

/// The same payload in each way, with the chain as it was and made whole again.
fn payloads(drafts: &mut Drafts, source: &Source, line: usize) -> Result<()> {
    for (what, payload) in PAYLOADS {
        for field in ["output", "state_patch"] {
            let edit = raw(line, field, payload)?;
            let name = format!("payload_{what}.{field}");
            drafts.forge(source, &name, vec![edit]);
        }
        let as_text = vec![
            Edit::Unset {
                line,
                field: "/state_patch".to_owned(),
            },
            set(line, "state_patch_text", payload),
        ];
        drafts.forge(source, &format!("payload_{what}.as_text"), as_text);
    }
    for (what, payload) in [
        ("with_line_breaks", "{\n  \"a\": 1\n}"),
        ("with_a_space_before_it", " {}"),
        ("that_is_no_json", "{\"a\""),
        ("that_is_empty", ""),
    ] {
        let as_text = vec![
            Edit::Unset {
                line,
                field: "/state_patch".to_owned(),
            },
            set(line, "state_patch_text", payload),
        ];
        drafts.forge(source, &format!("payload_{what}"), as_text);
    }
    Ok(())
}

/// The order of members says nothing.
fn order(drafts: &mut Drafts, source: &Source, line: usize) {
    for field in ["sequence", "type", "hash", "node_id"] {
        let value = source.event(line)[field].clone();
        let edits = vec![
            Edit::Unset {
                line,
                field: format!("/{field}"),
            },
            set(line, field, value),
        ];
        drafts.named(format!("spelled.{field}_last"), source, edits);
    }
}

/// Deep and long values.
fn sizes(drafts: &mut Drafts, source: &Source, line: usize, next: usize) {
    for depth in [90, 100, 101, 127, 128, 1_000, 50_000] {
        for field in ["output", "state_patch"] {
            let nest = Edit::Nest {
                line,
                field: format!("/{field}"),
                depth,
            };
            drafts.forge(source, &format!("nested_{depth}.{field}"), vec![nest]);
        }
    }
    let nest = |line, field: &str| Edit::Nest {
        line,
        field: field.to_owned(),
        depth: 50_000,
    };
    drafts.named(
        "spelled.a_deep_field_that_nobody_knows".to_owned(),
        source,
        vec![nest(line, "/note")],
    );
    drafts.named(
        "spelled.a_deep_id".to_owned(),
        source,
        vec![nest(next, "/node_id")],
    );
    for (what, line, field, bytes) in [
        ("a_long_payload", line, "/output", 100_000),
        ("a_long_id", next, "/node_id", 300),
        (
            "a_long_worker",
            source.line_of("node_started").unwrap_or(4),
            "/worker_id",
            70_000,
        ),
    ] {
        let field = field.to_owned();
        let lengthen = Edit::Lengthen { line, field, bytes };
        drafts.forge(source, what, vec![lengthen]);
    }
}

/// Bytes that are no UTF-8: in a line as it was, and where a replacement character stood when
/// the chain was made.
fn bytes(drafts: &mut Drafts, source: &Source, line: usize) {
    let replaced = |line: usize| Edit::Bytes {
        line,
        from: "\u{fffd}".to_owned(),
        to: "ff".to_owned(),
    };
    for (what, field) in [
        ("a_payload_of_a_lone_byte", "output"),
        ("a_patch_of_a_lone_byte", "state_patch"),
    ] {
        let made = [set(line, field, json!({ "\u{fffd}": 1 })), Edit::Rechain {}];
        drafts.named(format!("spelled.{what}_replaced"), source, made.to_vec());
        let edits = [&made[..], &[replaced(line)]].concat();
        drafts.named(format!("spelled.{what}"), source, edits);
        let bytes = source.lines[line - 1].len();
        let end = Edit::Cut { line, bytes };
        let cut = [&made[..], &[replaced(line), end]].concat();
        drafts.named(format!("spelled.{what}_cut"), source, cut);
    }
    let header = vec![set(1, "note", "\u{fffd}"), replaced(1)];
    drafts.named("spelled.a_header_of_a_lone_byte".to_owned(), source, header);
    let workflow = source.header["workflow"].as_str().unwrap_or_default();
    let workflow = format!("{workflow} \u{fffd}");
    let digest = Digest::of(workflow.as_bytes()).to_string();
    let header = vec![
        set(1, "workflow", workflow),
        set(2, "workflow_digest", digest),
        Edit::Rechain {},
        replaced(1),
    ];
    drafts.named(
        "spelled.a_workflow_of_a_lone_byte".to_owned(),
        source,
        header,
    );
    for (what, to) in [
        ("a_lone_byte", "2261ff22"),
        ("an_overlong_character", "22c0af22"),
        ("a_surrogate_in_bytes", "22eda08022"),
        ("half_a_character", "22c322"),
        ("a_zero", "22610022"),
    ] {
        let edit = Edit::Bytes {
            line,
            from: "\"a\"".to_owned(),
            to: to.to_owned(),
        };
        drafts.named(format!("spelled.{what}"), source, vec![edit]);
    }
}
