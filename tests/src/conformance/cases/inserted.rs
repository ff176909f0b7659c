//! Events that nobody recorded, put into logs whose chain is then made whole.

use refrain::conformance::Edit;
use serde_json::{Map, Value, json};

use super::super::draft::Drafts;
use super::super::source::Source;
use super::SEED;
use crate::dice::Dice;

/// So many events are put into each log.
const PER_LOG: usize = 5;

/// The facts and decisions that are put into logs; `NODE` and `EXECUTION` stand for what the
/// log has.
const EVENTS: [(&str, &str); 36] = [
    (
        "fact",
        r#"{"type":"cancel_requested","reason":"forged","by":"eve"}"#,
    ),
    ("fact", r#"{"type":"cancel_requested"}"#),
    ("fact", r#"{"type":"execution_paused","by":"eve"}"#),
    ("fact", r#"{"type":"execution_unpaused"}"#),
    ("fact", r#"{"type":"retry_requested","node_id":"NODE"}"#),
    (
        "fact",
        r#"{"type":"skip_requested","node_id":"NODE","by":"eve"}"#,
    ),
    ("fact", r#"{"type":"skip_requested","node_id":"nobody"}"#),
    (
        "fact",
        r#"{"type":"node_started","node_id":"NODE","worker_id":"eve","attempt":1}"#,
    ),
    (
        "fact",
        r#"{"type":"node_started","node_id":"NODE","worker_id":"eve","attempt":2}"#,
    ),
    (
        "fact",
        r#"{"type":"node_completed","node_id":"NODE","attempt":1,"fence":3,"output":{},"state_patch":{},"duration_ms":1}"#,
    ),
    (
        "fact",
        r#"{"type":"node_completed","node_id":"NODE","attempt":1,"fence":3,"output":{},"state_patch":{"eve":true},"duration_ms":1,"edited_by":"eve"}"#,
    ),
    (
        "fact",
        r#"{"type":"node_failed","node_id":"NODE","attempt":1,"fence":3,"error":"forged","retryable":true}"#,
    ),
    (
        "fact",
        r#"{"type":"lease_expired","node_id":"NODE","attempt":1,"fence":3}"#,
    ),
    (
        "fact",
        r#"{"type":"node_released","node_id":"NODE","attempt":1,"fence":3,"by":"eve"}"#,
    ),
    (
        "fact",
        r#"{"type":"approval_received","node_id":"NODE","user_id":"eve","decision":"approved"}"#,
    ),
    (
        "fact",
        r#"{"type":"approval_received","node_id":"NODE","user_id":"eve","decision":"rejected","comment":"no"}"#,
    ),
    (
        "fact",
        r#"{"type":"external_event_received","correlation_key":"k","payload":{"eve":1}}"#,
    ),
    (
        "fact",
        r#"{"type":"external_event_received","correlation_key":"k","payload":{},"event_id":"1","by":"eve"}"#,
    ),
    ("fact", r#"{"type":"host_stalled","reason":"forged"}"#),
    ("fact", r#"{"type":"stall_lifted"}"#),
    ("fact", r#"{"type":"execution_forked","by":"eve"}"#),
    (
        "fact",
        r#"{"type":"child_started","node_id":"NODE","attempt":1,"iteration":0,"child_id":"EXECUTION","workflow_digest":"0000000000000000000000000000000000000000000000000000000000000000"}"#,
    ),
    (
        "fact",
        r#"{"type":"child_refused","node_id":"NODE","attempt":1,"iteration":0,"code":"too_many"}"#,
    ),
    (
        "fact",
        r#"{"type":"child_ended","node_id":"NODE","attempt":1,"iteration":0,"child_id":"EXECUTION","status":"completed","child_sequence":9,"head":"0000000000000000000000000000000000000000000000000000000000000000","output":{}}"#,
    ),
    (
        "decision",
        r#"{"type":"workflow_completed","final_state":{}}"#,
    ),
    (
        "decision",
        r#"{"type":"workflow_failed","cause":"timeout","timeout_ms":1,"final_state":{}}"#,
    ),
    (
        "decision",
        r#"{"type":"workflow_cancelled","final_state":{}}"#,
    ),
    ("decision", r#"{"type":"workflow_timed_out"}"#),
    (
        "decision",
        r#"{"type":"node_scheduled","node_id":"NODE","queue_type":"general","attempt":1,"item_digest":"0000000000000000000000000000000000000000000000000000000000000000"}"#,
    ),
    (
        "decision",
        r#"{"type":"node_settled","node_id":"NODE","output":null,"state_patch":{"eve":1}}"#,
    ),
    (
        "decision",
        r#"{"type":"node_skipped","node_id":"NODE","reason":"unreached"}"#,
    ),
    (
        "decision",
        r#"{"type":"node_cancelled","node_id":"NODE","reason":"cancel_requested"}"#,
    ),
    (
        "decision",
        r#"{"type":"retry_scheduled","node_id":"NODE","attempt":2,"delay_ms":1000,"item_digest":"0000000000000000000000000000000000000000000000000000000000000000"}"#,
    ),
    (
        "decision",
        r#"{"type":"node_exhausted","node_id":"NODE","attempts":1,"cause":"lease_expired"}"#,
    ),
    ("decision", r#"{"type":"timer_fired","node_id":"NODE"}"#),
    (
        "decision",
        r#"{"type":"stalled","reason":"attempts_exhausted","node_id":"NODE","attempts":1,"cause":"lease_expired"}"#,
    ),
];

/// Events of kinds, or with fields, that a newer program may write.
const NEWER: [(&str, &str); 6] = [
    ("kind", r#"{"type":"node_melted","node_id":"NODE"}"#),
    (
        "kind_with_other_fields",
        r#"{"type":"a_b_c","x":[{}],"y":null}"#,
    ),
    (
        "kind_that_is_none",
        r#"{"type":"node melted","node_id":"NODE"}"#,
    ),
    (
        "kind_in_capitals",
        r#"{"type":"Node_melted","node_id":"NODE"}"#,
    ),
    (
        "kind_that_is_too_long",
        r#"{"type":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","node_id":"NODE"}"#,
    ),
    ("empty_kind", r#"{"type":"","node_id":"NODE"}"#),
];

pub(super) fn all(drafts: &mut Drafts, sources: &[Source]) {
    let mut dice = Dice::seeded(SEED + 3);
    for (number, source) in sources.iter().enumerate() {
        let is_of_own_guest = source.name.starts_with("order_");
        let count = if is_of_own_guest { 1 } else { PER_LOG };
        for time in 0..count {
            // Each of the events, again and again.
            let place = (number * PER_LOG + time * 7) % EVENTS.len();
            let lines: Vec<usize> = (3..=source.last_line()).collect();
            let Some(before) = dice.pick(&lines).copied() else {
                continue;
            };
            let (kind, line) = written(&mut dice, source, before, EVENTS[place]);
            let edits = vec![Edit::Insert { before, text: line }, Edit::Renumber {}];
            let what = format!("{kind}_{place}_put_at_{before}");
            drafts.forge(source, &what, edits);
        }
    }
    newer(drafts, &mut dice, sources);
    beginnings(drafts, sources);
}

/// Of one log each, in its middle and at its end: the hash of such an event is not known.
fn newer(drafts: &mut Drafts, dice: &mut Dice, sources: &[Source]) {
    for (what, event) in NEWER {
        let whole: Vec<&Source> = sources.iter().filter(|it| it.events.len() > 6).collect();
        for place in ["middle", "end"] {
            let Some(source) = dice.pick(&whole).copied() else {
                continue;
            };
            let before = match place {
                "middle" => source.last_line() / 2 + 1,
                _ => source.last_line(),
            };
            let (_, line) = written(dice, source, before, ("fact", event));
            let edits = vec![
                Edit::Insert { before, text: line },
                Edit::Remove { line: before + 1 },
            ];
            drafts.named(format!("newer.{what}.{place}"), source, edits);
        }
    }
}

/// A second beginning, and none.
fn beginnings(drafts: &mut Drafts, sources: &[Source]) {
    for source in sources.iter().filter(|it| it.events.len() > 6).step_by(9) {
        let again = vec![Edit::Copy { line: 2, before: 3 }, Edit::Renumber {}];
        drafts.forge(source, "two_beginnings", again);
        let none = vec![Edit::Remove { line: 2 }, Edit::Renumber {}];
        drafts.forge(source, "no_beginning", none);
        let nothing = vec![Edit::Cut { line: 2, bytes: 0 }];
        drafts.forge(source, "no_events", nothing);
    }
}

/// The event as a line that stands before this one, and its kind.
fn written(
    dice: &mut Dice,
    source: &Source,
    before: usize,
    (origin, event): (&str, &str),
) -> (String, String) {
    let event = event
        .replace("NODE", &escaped(&node(dice, source)))
        .replace(
            "EXECUTION",
            source.header["execution_id"].as_str().unwrap_or_default(),
        );
    let fields: Map<String, Value> = serde_json::from_str(&event).unwrap_or_default();
    let kind = fields["type"].as_str().unwrap_or_default().to_owned();
    let place = json!({
        "sequence": before - 1,
        "at": source.event(before - 1)["at"],
        "origin": origin,
        "salt": "0".repeat(32),
        "hash": "0".repeat(64),
    });
    let place = place.to_string();
    let line = format!("{},{}", place.trim_end_matches('}'), &event[1..]);
    (kind, line)
}

/// The text as it stands within a JSON string.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A node, or an instance, of the log.
fn node(dice: &mut Dice, source: &Source) -> String {
    let ids = source
        .events
        .iter()
        .filter_map(|event| event["node_id"].as_str());
    let ids: Vec<&str> = ids.collect();
    dice.pick(&ids).copied().unwrap_or("a").to_owned()
}
