//! What workers answer.

use super::fields::{Fields, Reading};
use super::values::{flag, json, must_be_true, object, span, target, text};
use crate::error::WorkError;
use crate::live::Answer;
use crate::testing::case::{Answers, NodeAnswer};
use crate::testing::graph::Workflows;
use crate::testing::text::value::{Member, Node, Value};

/// The keys of an answer.
const KEYS: [&str; 11] = [
    "after",
    "output",
    "patch",
    "choose",
    "fail",
    "class",
    "retryable",
    "retry_after",
    "timeout",
    "dies",
    "telemetry",
];

/// The keys of which an answer has one at the most: how the attempt ends.
const ENDS: [&str; 3] = ["fail", "timeout", "dies"];

/// The keys of an answer that completes the node.
const OF_COMPLETION: [&str; 4] = ["output", "patch", "choose", "telemetry"];

/// The keys of an answer that fails.
const OF_FAILURE: [&str; 3] = ["class", "retryable", "retry_after"];

/// The keys that say nothing of a child as a whole.
const NOT_OF_STAND_INS: [&str; 5] = ["choose", "telemetry", "class", "retryable", "retry_after"];

/// The answers of all nodes, by node.
pub(super) fn read(reading: &Reading<'_, '_>, node: &Node) -> Vec<(String, Answers)> {
    let members = reading.mapping(node, "`nodes`").unwrap_or_default();
    let mut answers = Vec::new();
    for Member { at, key, node } in members {
        reading.name(*at, key, Workflows::check_worker);
        if reading.workflows.has_stand_in(key) {
            refuse_of_stand_ins(reading, key, node);
        }
        // What it chooses is a node of its own workflow.
        let of_child = key.rsplit_once('/').map(|(way, _)| reading.of_child(way));
        if let Some(of_node) = of_node(of_child.as_ref().unwrap_or(reading), node) {
            answers.push((key.clone(), of_node));
        }
    }
    answers
}

/// An answer for all of a child ends the child, and nothing else.
fn refuse_of_stand_ins(reading: &Reading<'_, '_>, name: &str, node: &Node) {
    let answers = match &node.value {
        Value::List(answers) => answers.iter().collect(),
        _ => vec![node],
    };
    for answer in answers {
        let Value::Map(members) = &answer.value else {
            continue;
        };
        for Member { at, key, .. } in members {
            if NOT_OF_STAND_INS.contains(&key.as_str()) {
                let message = format!(
                    "`{key}` says nothing of `{name}`, which starts a child: it would be lost with the child"
                );
                let remedy = "remove it; a child that has failed has the class `child_failed`";
                reading.report(*at, message, remedy);
            }
        }
    }
}

fn of_node(reading: &Reading<'_, '_>, node: &Node) -> Option<Answers> {
    let Value::List(attempts) = &node.value else {
        return answer(reading, node).map(Answers::Always);
    };
    if attempts.is_empty() {
        let remedy = "write an answer for each attempt, or leave the node out";
        reading.report(node.at, "the list of answers is empty", remedy);
    }
    let answers: Vec<_> = attempts.iter().map(|node| answer(reading, node)).collect();
    answers
        .into_iter()
        .collect::<Option<_>>()
        .map(Answers::Each)
}

fn answer(reading: &Reading<'_, '_>, node: &Node) -> Option<NodeAnswer> {
    let fields = reading.members(node, "an answer", &KEYS)?;
    let ends = fields.of(&ENDS);
    if let [first, others @ ..] = ends.as_slice() {
        for other in others {
            let message = format!(
                "an answer ends the attempt once, and `{}` does already",
                first.key
            );
            reading.report(other.at, message, "remove one of them");
        }
    }
    let end = ends.first().map(|end| end.key.as_str());
    let (allowed, what): (&[&str], _) = match end {
        None => (&OF_COMPLETION, "completes the node"),
        Some("fail") => (&OF_FAILURE, "fails"),
        Some(_) => (&[], "never comes"),
    };
    for member in fields.of(&[&OF_COMPLETION[..], &OF_FAILURE].concat()) {
        if !allowed.contains(&member.key.as_str()) {
            let message = format!("`{}` says nothing of an answer that {what}", member.key);
            let remedy = match end {
                None => "add `fail` with the error's text, or remove it",
                Some(_) => "remove it",
            };
            reading.report(member.at, message, remedy);
        }
    }
    let answer = match end {
        None => completes(reading, &fields)?,
        Some("fail") => fails(reading, &fields)?,
        Some(key) => never(reading, &fields, key)?,
    };
    match fields.get("after") {
        Some(after) => span(reading, after, "`after`").map(|after| answer.after(after)),
        None => Some(answer),
    }
}

fn completes(reading: &Reading<'_, '_>, fields: &Fields<'_>) -> Option<NodeAnswer> {
    let mut answer = match fields.get("output") {
        Some(output) => Answer::output(json(reading, output, "`output`")?),
        None => Answer::output(serde_json::json!({})),
    };
    if let Some(patch) = fields.get("patch") {
        answer = answer.patch(object(reading, patch, "`patch`")?);
    }
    if let Some(target) = fields.get("choose") {
        answer = answer.chosen_target(self::target(reading, target, "`choose`")?);
    }
    if let Some(measured) = fields.get("telemetry") {
        answer = answer.telemetry(object(reading, measured, "`telemetry`")?);
    }
    Some(NodeAnswer::completes(answer))
}

fn fails(reading: &Reading<'_, '_>, fields: &Fields<'_>) -> Option<NodeAnswer> {
    let message = text(reading, fields.get("fail")?, "`fail`")?;
    let retryable = match fields.get("retryable") {
        Some(node) => flag(reading, node, "`retryable`")?,
        None => true,
    };
    let mut error = match retryable {
        true => WorkError::retryable(message),
        false => WorkError::permanent(message),
    };
    if let Some(class) = fields.get("class") {
        error = error.class(text(reading, class, "`class`")?);
    }
    if let Some(delay) = fields.get("retry_after") {
        error = error.retry_after(span(reading, delay, "`retry_after`")?);
    }
    Some(NodeAnswer::fails(error))
}

fn never(reading: &Reading<'_, '_>, fields: &Fields<'_>, key: &str) -> Option<NodeAnswer> {
    must_be_true(reading, fields.get(key)?, &format!("`{key}`"));
    if let Some(after) = fields.member("after") {
        let message = format!("`after` says nothing of an answer that never comes (`{key}`)");
        reading.report(after.at, message, "remove it");
    }
    Some(match key {
        "timeout" => NodeAnswer::times_out(),
        _ => NodeAnswer::dies(),
    })
}
