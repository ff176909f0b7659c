//! What the workers of a case answer, attempt by attempt.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use crate::id::ExecutionId;
use crate::live::{Answer, ClaimId};
use crate::model::{node_of_run, undone_by};
use crate::testing::case::{Answers, Case, NodeAnswer};
use crate::world::Outcome;

/// The answers of a case, and which of them have been given.
#[derive(Default)]
pub(super) struct Script {
    /// The attempts that have begun, by the whole name of their node.
    begun: HashMap<String, Begun>,
    /// The attempts for which the case has no answer.
    pub(super) unanswered: Vec<(String, u32)>,
}

/// The attempts of a node, those of earlier children counted.
struct Begun {
    execution: ExecutionId,
    /// Those of this execution.
    attempts: u32,
    /// Those of earlier ones.
    before: u32,
}

impl Script {
    /// How an attempt ends that begins, of the node of this whole name, and after which span.
    pub(super) fn answer(&mut self, case: &Case, node: &str, id: &ClaimId) -> (Duration, Outcome) {
        let attempt = self.number(node, id);
        let said = said(case, node).and_then(|answers| answers.of_attempt(attempt));
        let said = said.cloned();
        if said.is_none() {
            self.unanswered.push((node.to_owned(), attempt));
        }
        let nothing = || NodeAnswer::completes(Answer::output(serde_json::json!({})));
        match said.unwrap_or_else(nothing) {
            NodeAnswer {
                outcome: Outcome::Dies,
                ..
            } => (Duration::ZERO, Outcome::Dies),
            NodeAnswer {
                outcome: Outcome::NeverEnds,
                ..
            } => (case.until, Outcome::NeverEnds),
            NodeAnswer { after, outcome } => (after, outcome),
        }
    }

    /// The number of an attempt that begins, from 1: of the children of one node, the
    /// attempts of the earlier come first.
    fn number(&mut self, node: &str, id: &ClaimId) -> u32 {
        let begun = self.begun.entry(node.to_owned()).or_insert(Begun {
            execution: id.execution,
            attempts: 0,
            before: 0,
        });
        if begun.execution != id.execution {
            begun.before += begun.attempts;
            begun.execution = id.execution;
        }
        begun.attempts = id.attempt;
        begun.before + id.attempt
    }
}

/// What a case says of this node. What it says of a map, it says of each of its instances,
/// and what it says of what undoes a map, of what undoes each of them.
fn said<'a>(case: &'a Case, node: &str) -> Option<&'a Answers> {
    let parts: Vec<&str> = node.split('/').collect();
    (0..=parts.len()).find_map(|plain| {
        let (named, plain) = parts.split_at(parts.len() - plain);
        let named = named.iter().map(|part| Cow::Borrowed(*part));
        let name: Vec<Cow<'_, str>> = named.chain(plain.iter().map(|it| plainly(it))).collect();
        case.answers.get(&name.join("/"))
    })
}

/// The name of a run without the index of an instance.
fn plainly(run: &str) -> Cow<'_, str> {
    match undone_by(run) {
        Some(undone) => Cow::Owned(format!("{}!undo", node_of_run(undone))),
        None => Cow::Borrowed(node_of_run(run)),
    }
}
