//! A small log as a test of schedulers: a table in the notation of the scheduler's own tests.
//!
//! The graph comes first, and then a row for each turn: what happened, and what a scheduler
//! that decides as the log says concludes from that. A builder of schedulers can paste it into
//! a test. Only what the notation has words for can be written in it.
//!
//! The modules, from the bottom up; each may use those above it in this list.

mod words;
mod graph;
mod actions;
mod decided;

use std::fmt::Write;

use actions::action;
use decided::decided;
use words::line;

use super::case::Tail;
use super::facts;
use super::play::PlayedTurn;
use super::search::Candidate;
use crate::log::kind_name;
use crate::model::{Event, EventKind, Timestamp};

/// The table, or why there is none.
pub(super) fn of(candidate: &Candidate) -> Result<String, String> {
    let Candidate { case, played, .. } = candidate;
    let mut table = graph::lines(case)?;
    for row in rows(&played.turns, &played.events) {
        line(&mut table, &row.text(&played.events)?);
    }
    let at = case.turns.last().map_or(0, |turn| turn.at);
    if let Some(end) = end(&case.tail, at) {
        line(&mut table, &format!("# {end}"));
    }
    Ok(table)
}

/// What the log has in the place of what the last row says.
fn end(tail: &Tail, at: Timestamp) -> Option<String> {
    match tail {
        Tail::Honest => None,
        Tail::Without(name) => Some(format!("the log ends before a {name} of this row")),
        Tail::Instead(name, kind) => {
            let there = decided(kind, at).unwrap_or_else(|_| kind_name(kind).to_owned());
            Some(format!(
                "in the place of a {name} of this row, the log has: {there}"
            ))
        }
        Tail::Besides(kind) | Tail::Fact(kind) => Some(format!(
            "after this row, the log has one more event: {}",
            kind_name(kind)
        )),
    }
}

/// A turn, or several at the same time of which only the last has led to something.
struct Row<'a> {
    at: Timestamp,
    facts: Vec<&'a EventKind>,
    steps: &'a PlayedTurn,
}

fn rows<'a>(turns: &'a [PlayedTurn], events: &'a [Event]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::with_capacity(turns.len());
    for turn in turns {
        let facts = events[turn.facts.clone()].iter();
        let facts = facts
            .filter(|event| event.sequence > 1)
            .map(|event| &event.kind);
        let at = turn.taken.at;
        match rows.last_mut() {
            // The first row has event 1, and with it nothing may be refused.
            Some(row) if row.at == at && row.steps.decisions().is_empty() => {
                row.facts.extend(facts);
                row.steps = turn;
            }
            _ => rows.push(Row {
                at,
                facts: facts.collect(),
                steps: turn,
            }),
        }
    }
    rows
}

/// Whether it is the usual worker that claims.
fn is_usual(fact: &EventKind) -> bool {
    matches!(fact, EventKind::NodeStarted(it) if it.worker_id == facts::WORKER)
}

impl Row<'_> {
    fn text(&self, events: &[Event]) -> Result<String, String> {
        let mut actions = Vec::new();
        for (place, fact) in self.facts.iter().enumerate() {
            let next = self.facts.get(place + 1);
            // Who answers has claimed before: the notation takes that for granted.
            let claimed = facts::claims(fact).filter(|_| is_usual(fact));
            let is_told = claimed.is_some() && claimed == next.and_then(|it| facts::answers(it));
            if !is_told {
                actions.push(action(fact)?);
            }
        }
        if actions.is_empty() {
            actions.push("tick".to_owned());
        }
        let mut outputs = Vec::new();
        for (place, step) in self.steps.steps.iter().enumerate() {
            if place > 0 {
                outputs.push("more".to_owned());
            }
            for event in &events[step.clone()] {
                outputs.push(decided(&event.kind, event.at)?);
            }
        }
        let mut text = format!("{:04} {}", self.at, actions.join("; "));
        if !outputs.is_empty() {
            _ = write!(text, " => {}", outputs.join(", "));
        }
        Ok(text)
    }
}
