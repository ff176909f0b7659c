//! R1, R10: how JSON is spelled changes nothing that is decided.
//!
//! What may differ: the digests, because they are of texts, and the spelling
//! of what the user's data is made of, because that is kept verbatim.

use proptest::prelude::*;
use refrain_guest::contract::{Event, EventKind, Fact};
use refrain_guest::digest::digest_of_text;
use refrain_guest::notation::{Memory, step};
use refrain_guest::shell::Scheduler;
use refrain_guest::strategies::History;
use serde_json::Value;

use crate::properties::machines::graph;
use crate::properties::{fail, holds, lives};

#[test]
fn law2_r10_key_order_and_whitespace_change_no_decision() {
    holds(120, lives(), |history| {
        let decided = decided(&history).map_err(fail)?;
        let log = history.log();
        prop_assert_eq!(decided.len(), log.len());
        for (other, event) in decided.iter().zip(log) {
            prop_assert_eq!(comparable(other), comparable(event));
        }
        Ok(())
    });
}

/// The log of the same history, with every JSON text spelled otherwise.
fn decided(history: &History) -> Result<Vec<Event>, String> {
    let text = respelled(history.workflow().text());
    let mut world = Memory::new(&graph(history.workflow(), &text), 0);
    let mut scheduler = Scheduler::new();
    for turn in history.turns() {
        world.now = turn.at;
        let facts = turn.offered().into_iter();
        let mut facts: Vec<_> = facts.map(|fact| otherwise(fact, &text)).collect();
        for _ in &turn.steps {
            let stepped = step(&mut world, &mut scheduler, std::mem::take(&mut facts));
            stepped.map_err(|error| format!("{error:?}"))?;
        }
    }
    Ok(world.events)
}

/// The fact with its JSON spelled otherwise.
fn otherwise(mut fact: Fact, workflow: &str) -> Fact {
    match &mut fact {
        EventKind::WorkflowStarted(it) => {
            it.workflow_digest = digest_of_text(workflow);
            it.initial_input = respelled(&it.initial_input);
        }
        EventKind::NodeCompleted(it) => {
            it.state_patch = respelled(&it.state_patch);
            it.output = respelled(&it.output);
        }
        EventKind::ExternalEventReceived(it) => it.payload = respelled(&it.payload),
        EventKind::ApprovalReceived(it) => {
            it.state_patch = it.state_patch.as_deref().map(respelled);
        }
        _ => {}
    }
    fact
}

/// The same JSON, keys in the reverse order, with more space than it needs.
fn respelled(text: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("it is JSON");
    let mut spelled = String::from("\n ");
    spell(&value, &mut spelled);
    spelled
}

fn spell(value: &Value, text: &mut String) {
    let list = |items: &mut dyn Iterator<Item = (Option<&String>, &Value)>, text: &mut String| {
        for (place, (key, value)) in items.enumerate() {
            text.push_str(if place > 0 { " ,\r\n" } else { " " });
            if let Some(key) = key {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push_str("\t: ");
            }
            spell(value, text);
        }
    };
    match value {
        Value::Object(fields) => {
            text.push('{');
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, value)| (Some(key), value))
                .collect();
            list(&mut fields.into_iter().rev(), text);
            text.push_str(" }");
        }
        Value::Array(items) => {
            text.push('[');
            list(&mut items.iter().map(|item| (None, item)), text);
            text.push_str("\n]");
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// An event without digests, its JSON parsed.
fn comparable(event: &Event) -> Value {
    const JSON: [&str; 5] = [
        "initial_input",
        "output",
        "state_patch",
        "final_state",
        "payload",
    ];
    let mut value = serde_json::to_value(event).expect("an event can be written");
    let kind = value["kind"].as_object_mut().into_iter().flatten();
    for (name, field) in kind.filter_map(|(_, kind)| kind.as_object_mut()).flatten() {
        let text = field.as_str().filter(|_| JSON.contains(&name.as_str()));
        if let Some(parsed) = text.and_then(|text| serde_json::from_str(text).ok()) {
            *field = parsed;
        } else if name == "item_digest" || name == "workflow_digest" {
            *field = Value::Null;
        }
    }
    value
}
