//! What conditions come to, as the scheduler itself sees them.
//!
//! A log does not say which edges were live where several lead to one node. A condition is
//! a function of state and input (rule R7), so it is asked of the scheduler once more: a
//! workflow with one edge for each condition, on the same input, whose first node is
//! answered with the state. What is skipped then was false. Where they were judged on a
//! failure, they read it, and the input, from an input that has both.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::EngineError;
use crate::guest::Library;
use crate::json::Json;
use crate::live::{Answer, Workflow};
use crate::model::EventKind;
use crate::testing::case::BEGINS_AT;
use crate::world::{WORKER, World};

/// Conditions that were asked on one state.
pub(super) struct Question<'a> {
    /// The state, a JSON object.
    pub(super) state: String,
    /// The failure that they were judged on, if they were (rule R26).
    pub(super) error: Option<Value>,
    pub(super) conditions: Vec<&'a str>,
}

/// Which of each question's conditions hold, by their places.
pub(super) fn ask(
    library: &Library,
    input: &Json,
    questions: &[Question<'_>],
) -> Result<Vec<BTreeSet<usize>>, EngineError> {
    let mut world = World::new(library, BEGINS_AT)?;
    let mut answers = Vec::with_capacity(questions.len());
    for (number, question) in questions.iter().enumerate() {
        answers.push(ask_one(&mut world, number, input, question)?);
    }
    Ok(answers)
}

fn ask_one(
    world: &mut World,
    number: usize,
    input: &Json,
    question: &Question<'_>,
) -> Result<BTreeSet<usize>, EngineError> {
    let id = format!("probe-{number}");
    let (input, conditions) = match &question.error {
        None => (input.clone(), Vec::new()),
        Some(error) => (
            Json::trusted(format!("{{\"input\":{input},\"error\":{error}}}")),
            question.conditions.iter().map(|it| moved(it)).collect(),
        ),
    };
    let conditions: Vec<&str> = match conditions.is_empty() {
        true => question.conditions.clone(),
        false => conditions.iter().map(String::as_str).collect(),
    };
    let workflow = Workflow::from_json(workflow(&id, &conditions).to_string())?;
    let summary = world.register(&workflow)?;
    let engine = world.engine.clone();
    let execution = world.until(engine.start(&id, &summary.version, input))?;
    world.drain();
    let state = Json::trusted(question.state.clone());
    let answer = Answer::output(json!({})).patch(state);
    for claim in world.until(engine.claim("tool", 1, WORKER))? {
        world.until(engine.complete(claim.id, answer.clone()))?;
    }
    world.drain();
    let places = 0..question.conditions.len();
    let mut hold: BTreeSet<usize> = places.collect();
    let mut first = 1;
    loop {
        let page = world.until(execution.events(first, u32::MAX))?;
        let Some(last) = page.last() else {
            break;
        };
        first = last.event.sequence + 1;
        for stored in page {
            if let EventKind::NodeSkipped(it) = &stored.event.kind {
                hold.retain(|place| it.node_id != target(*place));
            }
        }
    }
    Ok(hold)
}

/// The condition, reading `input` and `error` from within the input.
fn moved(condition: &str) -> String {
    let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let mut moved = String::with_capacity(condition.len());
    let mut rest = condition;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' => text_end(rest, first),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        let is_field = moved.trim_end().ends_with('.');
        if matches!(token, "input" | "error") && !is_field {
            moved.push_str("input.");
        }
        moved.push_str(token);
        rest = after;
    }
    moved
}

/// Where the text ends that a condition begins with.
fn text_end(condition: &str, quote: char) -> usize {
    let mut is_escaped = false;
    let ends = |(_, c): &(usize, char)| {
        let ends = *c == quote && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        ends
    };
    let end = condition.char_indices().skip(1).find(ends);
    end.map_or(condition.len(), |(at, _)| at + quote.len_utf8())
}

fn target(place: usize) -> String {
    format!("c{place}")
}

/// One node for each condition; none of them is ever worked on.
fn workflow(id: &str, conditions: &[&str]) -> Value {
    let kind = json!({ "type": "tool", "tool_ref": "t" });
    let mut nodes = json!({ "s": { "kind": kind } });
    let mut edges = Vec::new();
    for (place, condition) in conditions.iter().enumerate() {
        let target = target(place);
        edges.push(json!({ "from": "s", "to": target, "condition": condition }));
        nodes[target] = json!({ "kind": { "type": "python_fn", "module": "m", "function": "f" } });
    }
    json!({
        "workflow_id": id,
        "version": "1.0.0",
        "start_node": "s",
        "nodes": nodes,
        "edges": edges,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r26_roots_move_and_nothing_else() {
        #[rustfmt::skip]
        let rows = [
            ("error.class == \"error\"",           "input.error.class == \"error\""),
            ("state.error && input.input",         "state.error && input.input.input"),
            ("state . error",                      "state . error"),
            ("has(error.message) || !error",       "has(input.error.message) || !input.error"),
            (r"'it\'s error' == input['error']",   r"'it\'s error' == input.input['error']"),
            ("state[error.class].errors",          "state[input.error.class].errors"),
        ];
        for (condition, expected) in rows {
            assert_eq!(moved(condition), expected);
        }
    }
}
