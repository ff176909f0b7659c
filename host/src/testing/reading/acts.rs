//! What people and other programs do.

use std::time::Duration;

use super::fields::{Fields, Reading};
use super::values::{flag, json, must_be_true, node, object, span, text};
use crate::live::{Approval, Signal};
use crate::testing::act::Act;
use crate::testing::graph::Workflows;
use crate::testing::text::span::span_text;
use crate::testing::text::value::{Node, Value};

/// Who decides, unless an act says so.
const PERSON: &str = "tester";

/// The keys that say what is done; an act has one of them.
const DEEDS: [&str; 8] = [
    "approve", "reject", "signal", "cancel", "pause", "unpause", "retry", "skip",
];

/// The other keys, and the deeds that each says something of.
const OTHERS: [(&str, &[&str]); 9] = [
    ("at", &DEEDS),
    ("by", &DEEDS),
    ("refused", &DEEDS),
    ("comment", &["approve", "reject"]),
    ("patch", &["approve", "reject"]),
    ("payload", &["signal"]),
    ("id", &["signal"]),
    ("reason", &["cancel", "pause", "unpause", "retry", "skip"]),
    ("child", &["signal", "cancel", "pause", "unpause"]),
];

/// The acts of a case, in the order of the text.
pub(super) fn read(reading: &Reading<'_, '_>, node: &Node, until: Duration) -> Vec<Act> {
    let Value::List(acts) = &node.value else {
        reading.is_not(node, "`acts`", "a list");
        return Vec::new();
    };
    let acts = acts.iter().filter_map(|node| {
        let act = act(reading, node)?;
        if act.at > until {
            let message = format!("the case ends before that, at {}", span_text(until));
            let remedy = "let it happen earlier, or set the case's `until` to a later time";
            reading.report(node.at, message, remedy);
        }
        Some(act)
    });
    acts.collect()
}

fn act(reading: &Reading<'_, '_>, node: &Node) -> Option<Act> {
    let others = OTHERS.map(|(key, _)| key);
    let known = [&others[..], &DEEDS].concat();
    let fields = reading.members(node, "an act", &known)?;
    let deeds = fields.of(&DEEDS);
    let Some(deed) = deeds.first() else {
        // A key that is not known has been told of, and is what was meant.
        if fields.has_unknown {
            return None;
        }
        let remedy = format!("say what is done: one of {}", DEEDS.join(", "));
        reading.report(node.at, "an act does nothing", remedy);
        return None;
    };
    for other in &deeds[1..] {
        let message = format!(
            "an act does one thing, and this one does `{}` already",
            deed.key
        );
        reading.report(other.at, message, "make two acts of it");
    }
    for (key, of) in OTHERS {
        if let Some(member) = fields.member(key)
            && !of.contains(&deed.key.as_str())
        {
            let message = format!("`{key}` says nothing of `{}`", deed.key);
            reading.report(
                member.at,
                message,
                format!("it belongs to {}", of.join(", ")),
            );
        }
    }
    let at = match fields.get("at") {
        Some(at) => span(reading, at, "`at`")?,
        None => {
            let remedy = "say when, by the simulated clock: `at: 5s` after the start";
            reading.report(node.at, "an act has no time", remedy);
            return None;
        }
    };
    let act = done(reading, &fields, &deed.key, &deed.node, at)?;
    with_rest(reading, &fields, act)
}

fn done(
    reading: &Reading<'_, '_>,
    fields: &Fields<'_>,
    key: &str,
    value: &Node,
    at: Duration,
) -> Option<Act> {
    let named = || node(reading, value, &format!("`{key}`"));
    Some(match key {
        "approve" | "reject" => Act::decide(at, named()?, approval(reading, fields, key)?),
        "signal" => Act::signal(at, signal(reading, fields, value)?),
        "retry" => Act::retry(at, named()?),
        "skip" => Act::skip(at, named()?),
        _ => {
            must_be_true(reading, value, &format!("`{key}`"));
            match key {
                "cancel" => Act::cancel(at),
                "pause" => Act::pause(at),
                _ => Act::unpause(at),
            }
        }
    })
}

fn approval(reading: &Reading<'_, '_>, fields: &Fields<'_>, key: &str) -> Option<Approval> {
    let user = match fields.get("by") {
        Some(by) => text(reading, by, "`by`")?,
        None => PERSON.to_owned(),
    };
    let mut approval = match key {
        "approve" => Approval::approved(user),
        _ => Approval::rejected(user),
    };
    if let Some(comment) = fields.get("comment") {
        approval = approval.comment(text(reading, comment, "`comment`")?);
    }
    if let Some(patch) = fields.get("patch") {
        approval = approval.state_patch(object(reading, patch, "`patch`")?);
    }
    Some(approval)
}

fn signal(reading: &Reading<'_, '_>, fields: &Fields<'_>, key: &Node) -> Option<Signal> {
    let key = text(reading, key, "`signal`")?;
    let signal = match fields.get("payload") {
        Some(payload) => Signal::new(key, json(reading, payload, "`payload`")?),
        None => Signal::new(key, serde_json::json!({})),
    };
    match fields.get("id") {
        Some(id) => text(reading, id, "`id`").map(|id| signal.event_id(id)),
        None => Some(signal),
    }
}

fn with_rest(reading: &Reading<'_, '_>, fields: &Fields<'_>, mut act: Act) -> Option<Act> {
    if let Some(by) = fields.get("by") {
        act = act.by(text(reading, by, "`by`")?);
    }
    if let Some(reason) = fields.get("reason") {
        act = act.reason(text(reading, reason, "`reason`")?);
    }
    if let Some(child) = fields.get("child") {
        let node = text(reading, child, "`child`")?;
        if !reading.name(child.at, &node, Workflows::check_parent) {
            return None;
        }
        act = act.of_child(node);
    }
    let refused = fields.get("refused");
    match refused.map(|node| flag(reading, node, "`refused`")) {
        Some(refused) if refused? => Some(act.is_refused()),
        _ => Some(act),
    }
}
