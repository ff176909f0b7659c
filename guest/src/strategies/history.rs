//! A legal history: turns, and the log that follows from them.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::workflow::Workflow;
use crate::contract::{Event, Fact};
use crate::notation::{Memory, brief};

/// A legal history of one execution: what the world did, turn by turn, and
/// what this crate's scheduler decided.
#[derive(Clone)]
pub struct History {
    pub(super) workflow: Workflow,
    pub(super) turns: Vec<Turn>,
    pub(super) told: Told,
    pub(super) world: Memory,
}

/// What is told of a history that is a fork's: what happened before the log was cut, in
/// the place of those first turns that are left of it.
#[derive(Clone, Default)]
pub(super) struct Told {
    before: Vec<Turn>,
    in_place_of: usize,
}

impl Told {
    /// All of these turns happened, and then so many of them were kept.
    pub(super) fn cut(&mut self, turns: &[Turn], kept: usize) {
        self.before.extend_from_slice(&turns[self.in_place_of..]);
        self.in_place_of = kept;
    }
}

/// One turn: a step with all its facts, and steps without any until there is no
/// more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The turn's clock reading, milliseconds; never less than that of the
    /// turn before.
    pub at: u64,
    /// What happened, as the notation says it; an action may be two facts: a
    /// claim and its answer. Event 1 is not among them.
    pub actions: Vec<String>,
    /// The facts. In the first turn event 1 comes first.
    pub facts: Vec<Event>,
    /// The decisions of each step. All steps but the last have `more`.
    pub steps: Vec<Vec<Event>>,
}

impl History {
    /// The workflow, and what the execution was started with.
    #[must_use]
    pub fn workflow(&self) -> &Workflow {
        &self.workflow
    }

    /// The turns, at least one.
    #[must_use]
    pub fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// The whole log: facts and decisions.
    #[must_use]
    pub fn log(&self) -> &[Event] {
        &self.world.events
    }

    /// The world at the end: the log, the queue, the clock.
    #[must_use]
    pub fn world(&self) -> &Memory {
        &self.world
    }
}

impl Turn {
    pub(super) fn new(at: u64) -> Self {
        Self {
            at,
            actions: Vec::new(),
            facts: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// The facts as a step is given them.
    #[must_use]
    pub fn offered(&self) -> Vec<Fact> {
        self.facts.iter().map(|fact| fact.kind.clone()).collect()
    }

    /// What is left of the turn where a log ends with this event. None where it begins
    /// later. It may end before anything is decided.
    pub(super) fn up_to(&self, last: u64) -> Option<Self> {
        let first = self.facts.first().or(self.decisions().next());
        if first.is_some_and(|event| event.sequence > last) {
            return None;
        }
        let mut turn = self.clone();
        turn.facts.retain(|fact| fact.sequence <= last);
        if turn.decisions().any(|event| event.sequence > last) {
            turn.steps = vec![Vec::new()];
        }
        Some(turn)
    }

    /// Whether nothing happened, and nothing was decided.
    pub(super) fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.decisions().next().is_none()
    }

    /// All decisions of the turn.
    pub fn decisions(&self) -> impl Iterator<Item = &Event> {
        self.steps.iter().flatten()
    }
}

/// A row of the notation.
impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions = match self.actions.as_slice() {
            [] => "tick".to_string(),
            actions => actions.join("; "),
        };
        write!(f, "{:05} {actions}", self.at)?;
        let mut outputs: Vec<String> = Vec::new();
        for (place, step) in self.steps.iter().enumerate() {
            if place > 0 {
                outputs.push("more".to_string());
            }
            outputs.extend(step.iter().map(brief));
        }
        if outputs.is_empty() {
            return Ok(());
        }
        write!(f, " => {}", outputs.join(", "))
    }
}

/// A table of the notation: it can be pasted into
/// [`notation::check`](crate::notation::check).
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.workflow.fmt(f)?;
        let told = self.told.before.iter();
        let mut turns = told.chain(&self.turns[self.told.in_place_of..]);
        turns.try_for_each(|turn| writeln!(f, "{turn}"))
    }
}

/// The same, so that what proptest prints can be read.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}
