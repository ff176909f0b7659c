//! Decisions hold codes and data: what is written for people in one came from the
//! world. So another wording is never another decision.

use std::collections::BTreeSet;

use proptest::prelude::*;
use refrain_guest::contract::{Event, Origin};
use refrain_guest::strategies::History;
use serde_json::Value;

use crate::properties::{holds, lives};

/// The texts in a value; of objects the keys too, where they are the user's.
fn texts(value: Value, with_keys: bool, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            if let Ok(inner @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(&text) {
                texts(inner, true, into);
            }
            into.insert(text);
        }
        Value::Array(values) => values
            .into_iter()
            .for_each(|value| texts(value, with_keys, into)),
        Value::Object(fields) => {
            for (key, value) in fields {
                if with_keys {
                    into.insert(key);
                }
                texts(value, with_keys, into);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn texts_of(events: &[Event], origin: Origin) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for event in events.iter().filter(|event| event.origin == origin) {
        let value = serde_json::to_value(&event.kind).expect("an event can be written");
        texts(value, false, &mut found);
    }
    found
}

/// A text that was written for people: with a space in it. JSON that decisions
/// compose of payloads is looked into, and is none itself.
fn is_prose(text: &str) -> bool {
    text.contains(' ') && serde_json::from_str::<Value>(text).is_err()
}

fn came_from_the_world(history: &History) -> BTreeSet<String> {
    let mut known = texts_of(history.log(), Origin::Fact);
    let workflow = serde_json::from_str(history.workflow().text()).expect("a workflow is JSON");
    texts(workflow, true, &mut known);
    known
}

#[test]
fn law2_no_decision_holds_a_sentence_of_the_scheduler() {
    holds(200, lives(), |history| {
        let known = came_from_the_world(&history);
        for text in texts_of(history.log(), Origin::Decision) {
            prop_assert!(
                !is_prose(&text) || known.contains(&text),
                "a decision says {text:?}, and nobody else has"
            );
        }
        Ok(())
    });
}

#[test]
fn a_sentence_in_a_decision_would_be_found() {
    assert!(is_prose("node(s) failed terminally: a"));
    assert!(is_prose("timed out after 5 s"));
    for text in ["general", "{\"a b\": 1}", "\"a b\"", "boom"] {
        assert!(!is_prose(text), "{text}");
    }
}
