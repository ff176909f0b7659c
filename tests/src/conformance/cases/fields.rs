//! Each field of each kind of event: with another value, of another type, missing; and with
//! another value and the chain made whole again.

use std::collections::BTreeMap;

use refrain::conformance::Edit;
use refrain::time::{parse_rfc3339, rfc3339};
use serde_json::{Value, json};

use super::super::draft::{Drafts, set, text, unset};
use super::super::source::Source;
use super::SEED;
use crate::dice::Dice;

/// The fields that all events have.
const OF_ALL: [&str; 6] = ["sequence", "at", "origin", "salt", "hash", "type"];

/// The fields that are records, or lists of them.
const RECORDS: [&str; 5] = ["limits", "forked_from", "parent", "workflow", "labels"];

/// The names that some fields have to choose from.
const CHOICES: [(&str, &[&str]); 7] = [
    ("origin", &["fact", "decision"]),
    ("status", &["completed", "failed", "cancelled", "running"]),
    ("decision", &["approved", "rejected"]),
    (
        "reason",
        &["unreached", "by_operator", "run_on", "not_needed"],
    ),
    (
        "reason",
        &[
            "cancel_requested",
            "workflow_timed_out",
            "by_operator",
            "join_satisfied",
            "map_settled",
            "terminated",
            "budget_exceeded",
        ],
    ),
    ("code", &["unknown_workflow", "too_deep", "too_many"]),
    ("budget", &["tokens", "cost_usd"]),
];

/// A field of an event, and the events that have it.
type Places<'a> = BTreeMap<(String, String), Vec<(&'a Source, usize)>>;

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) {
    let mut dice = Dice::seeded(SEED);
    for (number, ((kind, field), places)) in places(sources).into_iter().enumerate() {
        let times = if kind == "any" { 5 } else { 1 };
        let what = format!("{kind}.{}", field.replace('/', "."));
        for time in 1..=times {
            let Some((source, line)) = dice.pick(&places).copied() else {
                continue;
            };
            let value = value(source, line, &field);
            let named = |group: &str| match times {
                1 => format!("{group}.{what}"),
                _ => format!("{group}.{what}.{time}"),
            };
            let to = other(&field, value);
            drafts.named(
                named("tampered"),
                source,
                vec![set(line, &field, to.clone())],
            );
            let mistyped = mistyped(&field, value, number + time);
            let mark = "what becomes no JSON";
            let edits = vec![
                set(line, &field, mark),
                text(line, format!("\"{mark}\""), mistyped),
            ];
            drafts.named(named("mistyped"), source, edits);
            drafts.named(named("missing"), source, vec![unset(line, &field)]);
            if field == "hash" {
                continue;
            }
            let forged = vec![set(line, &field, to), Edit::Rechain {}];
            drafts.by_chance(named("forged"), source, forged);
            let missing = vec![unset(line, &field), Edit::Rechain {}];
            if is_optional(&kind, &field) {
                drafts.by_chance(named("left_out"), source, missing);
            }
        }
        borrowed(drafts, &mut dice, &what, &field, &places);
    }
}

/// The field gets the value that it has in another event of its log.
fn borrowed(
    drafts: &mut Drafts,
    dice: &mut Dice,
    what: &str,
    field: &str,
    places: &[(&Source, usize)],
) {
    if ["sequence", "hash", "type"].contains(&field) {
        return;
    }
    for time in 1..=2 {
        let Some((source, line)) = dice.pick(places).copied() else {
            return;
        };
        let own = value(source, line, field);
        let others = source.lines_where(|event| {
            let found = event.pointer(&format!("/{field}"));
            found.is_some_and(|it| it != own)
        });
        let Some(from) = dice.pick(&others) else {
            continue;
        };
        let to = value(source, *from, field).clone();
        let edits = vec![set(line, field, to), Edit::Rechain {}];
        drafts.by_chance(format!("borrowed.{what}.{time}"), source, edits);
    }
}

/// All fields that there are, of the first log that has each of them, and of all others.
fn places(sources: &[Source]) -> Places<'_> {
    let mut places = Places::new();
    for source in sources {
        for line in source.event_lines() {
            let event = source.event(line);
            let kind = event["type"].as_str().unwrap_or_default();
            for field in fields(event) {
                let kind = match OF_ALL.contains(&&*field) {
                    true => "any",
                    false => kind,
                };
                let key = (kind.to_owned(), field);
                places.entry(key).or_default().push((source, line));
            }
        }
    }
    places
}

/// The fields of an event, and those of the records in it.
fn fields(event: &Value) -> Vec<String> {
    let mut fields = Vec::new();
    for (name, value) in event.as_object().into_iter().flatten() {
        fields.push(name.clone());
        if !RECORDS.contains(&&**name) {
            continue;
        }
        let (record, path) = match value.get(0) {
            Some(first) => (first, format!("{name}/0")),
            None => (value, name.clone()),
        };
        let inner = record.as_object().into_iter().flatten();
        fields.extend(inner.map(|(inner, _)| format!("{path}/{inner}")));
    }
    fields
}

fn value<'a>(source: &'a Source, line: usize, field: &str) -> &'a Value {
    let value = source.event(line).pointer(&format!("/{field}"));
    value.expect("the event has this field")
}

/// The name of a field in its record.
fn name(field: &str) -> &str {
    field.rsplit('/').next().unwrap_or(field)
}

/// Whether an event is still one without this field.
fn is_optional(kind: &str, field: &str) -> bool {
    kind != "any" && !field.contains('/') && OPTIONAL.contains(&field)
}

/// The fields that may be missing.
const OPTIONAL: [&str; 22] = [
    "by",
    "chosen_target",
    "comment",
    "correlation_key",
    "edited_by",
    "error_class",
    "error",
    "event_id",
    "expires_at",
    "finish_reason",
    "fire_at",
    "forked_from",
    "gen_ai_model",
    "gen_ai_system",
    "input_tokens",
    "key",
    "labels",
    "output_tokens",
    "parent",
    "reason",
    "retry_after_ms",
    "telemetry",
];

/// Another value of the same type.
fn other(field: &str, value: &Value) -> Value {
    match value {
        Value::String(text) => other_text(name(field), text).into(),
        Value::Number(number) => match number.as_u64() {
            Some(number) => number.wrapping_add(1).into(),
            None => json!(1),
        },
        Value::Bool(is) => (!is).into(),
        Value::Array(_) if field == "nodes" => json!(["forged"]),
        Value::Array(_) if field == "labels" => json!([{ "name": "forged", "value": "" }]),
        Value::Object(record) if RECORDS.contains(&field) => {
            let mut record = record.clone();
            for (name, value) in &mut record {
                *value = other(name, value);
            }
            record.into()
        }
        Value::Null | Value::Array(_) | Value::Object(_) => json!({ "forged": true }),
    }
}

fn other_text(name: &str, text: &str) -> String {
    if let Some(time) = parse_rfc3339(text) {
        return rfc3339(time + 1).unwrap_or_default();
    }
    if name == "type" {
        return other_kind(text);
    }
    let mut choices = CHOICES.iter().filter(|(field, _)| *field == name);
    if let Some((_, names)) = choices.find(|(_, names)| names.contains(&text)) {
        let at = names.iter().position(|it| *it == text).unwrap_or(0);
        return names[(at + 1) % names.len()].to_owned();
    }
    let is_hex = text.len() >= 32 && text.bytes().all(|it| it.is_ascii_hexdigit());
    if is_hex || text.starts_with("exec_") {
        let flipped = if text.ends_with('0') { "1" } else { "0" };
        return format!("{}{flipped}", &text[..text.len() - 1]);
    }
    format!("{text}x")
}

/// A kind with the same fields, where there is one.
fn other_kind(kind: &str) -> String {
    const ALIKE: [(&str, &str); 6] = [
        ("execution_paused", "execution_unpaused"),
        ("execution_unpaused", "execution_paused"),
        ("retry_requested", "skip_requested"),
        ("skip_requested", "retry_requested"),
        ("workflow_completed", "workflow_cancelled"),
        ("cancel_requested", "stall_lifted"),
    ];
    let alike = ALIKE.iter().find(|(from, _)| *from == kind);
    alike.map_or("workflow_timed_out", |(_, to)| to).to_owned()
}

/// JSON text of another type, or of a spelling that this type has not.
fn mistyped(field: &str, value: &Value, number: usize) -> String {
    let text = value.as_str().unwrap_or_default();
    let any = |texts: &[&str]| texts[number % texts.len()].to_owned();
    let quoted = |texts: &[String]| Value::from(&*texts[number % texts.len()]).to_string();
    match value {
        Value::Number(_) => any(&[
            "\"1\"",
            "-1",
            "1.0",
            "1e0",
            "18446744073709551616",
            "null",
            "true",
            "[1]",
            "-0",
            "4294967296.5",
        ]),
        Value::Bool(_) => any(&["1", "\"true\"", "null", "[]"]),
        Value::String(_) if parse_rfc3339(text).is_some() => quoted(&[
            text.replace(".000Z", "Z").replace('Z', "+00:00"),
            text.to_lowercase(),
            text.replace('T', " "),
            text.replace('Z', "0Z"),
            format!(" {text}"),
            "2023-02-30T22:13:20.000Z".to_owned(),
        ]),
        Value::String(_) if text.len() >= 32 && !text.contains('_') => quoted(&[
            text.to_uppercase() + "A",
            text[1..].to_owned(),
            format!("{text}0"),
            format!("g{}", &text[1..]),
            format!("0x{}", &text[2..]),
            String::new(),
        ]),
        Value::String(_) => any(&["7", "null", "{}", "true", "[\"x\"]"]),
        _ if RECORDS.contains(&field) || field == "nodes" => any(&["7", "\"x\"", "null", "true"]),
        // A payload is any JSON: what stands there next to it as a text is not.
        _ => any(&["[1,]", "{\"a\" 1}", "01", "nul", "\"\u{1}\"", "{\"a\":1}}"]),
    }
}
