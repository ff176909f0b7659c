//! A log as something that can be made smaller: how it begins, and what the world did. Its
//! decisions are not in it, because they follow from that.

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts;
use crate::model::{Event, EventKind, NodeReleased, Origin, Timestamp, WorkflowStarted};
use crate::replay::divergence::Divergence;
use crate::replay::source::Recording;
use crate::replay::verdict::Verdict;

/// How an execution begins, and what happens to it, turn by turn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Case {
    /// The workflow. Numbers stand in it as far as JSON readers keep them.
    pub(super) workflow: Value,
    /// Event 1; its digest of the workflow is not looked at.
    pub(super) started: WorkflowStarted,
    /// The turns, at least one; event 1 is the first fact of the first.
    pub(super) turns: Vec<Turn>,
    /// What the log has in the place of what follows from that.
    pub(super) tail: Tail,
}

/// A turn: facts that come together, and what follows from them. Without any, time passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) at: Timestamp,
    /// Attempts, fences and the ids of children in them are not looked at: they are those
    /// that are due.
    pub(super) facts: Vec<EventKind>,
}

/// What a log ends with that no guest has decided, or would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing: all its decisions are those of its guest.
    #[default]
    Honest,
    /// In the place of a decision of this kind in the last turn, this one.
    Instead(String, EventKind),
    /// After all decisions of the last turn, this one.
    Besides(EventKind),
    /// The log ends before a decision of this kind in the last turn.
    Without(String),
    /// After all decisions of the last turn, this fact.
    Fact(EventKind),
}

impl Tail {
    /// The event that is not a scheduler's.
    fn event(&self) -> Option<&EventKind> {
        match self {
            Self::Instead(_, kind) | Self::Besides(kind) | Self::Fact(kind) => Some(kind),
            Self::Honest | Self::Without(_) => None,
        }
    }
}

impl Case {
    /// The log up to the event at which something is wrong. `None` if it does not begin with
    /// a start, or its workflow is no JSON.
    pub(super) fn of(recording: &Recording, divergence: &Divergence) -> Option<Self> {
        let first = recording.event(1)?;
        let EventKind::WorkflowStarted(started) = &first.kind else {
            return None;
        };
        let mut turns = vec![Turn {
            at: first.at,
            facts: Vec::new(),
        }];
        let mut is_decided = false;
        let rest = recording.events.iter().skip(1).map(|stored| &stored.event);
        for event in rest.take_while(|event| event.sequence <= divergence.sequence) {
            let last = turns.last_mut().filter(|turn| turn.at == event.at);
            match (last, event.origin) {
                (Some(turn), Origin::Fact) if !is_decided => turn.facts.push(event.kind.clone()),
                (Some(_), Origin::Decision) => is_decided = true,
                (_, origin) => {
                    is_decided = origin == Origin::Decision;
                    let facts = match origin {
                        Origin::Fact => vec![event.kind.clone()],
                        Origin::Decision => Vec::new(),
                    };
                    turns.push(Turn {
                        at: event.at,
                        facts,
                    });
                }
            }
        }
        let mut workflow: Value = serde_json::from_str(&recording.workflow).ok()?;
        workflow.as_object()?;
        workflow["workflow_id"] = WORKFLOW.into();
        workflow["version"] = VERSION.into();
        Some(Self {
            workflow,
            started: own(started),
            turns,
            tail: Tail::Honest,
        })
    }

    /// The same, ending with what the log has where a guest would do otherwise.
    pub(super) fn ending_as(
        mut self,
        found: Option<&Event>,
        verdict: Verdict,
        divergence: &Divergence,
    ) -> Self {
        let expected = divergence.expected.as_ref();
        let expected = expected.and_then(|it| Some(it["type"].as_str()?.to_owned()));
        let found = found.map(|event| (event.origin, event.kind.clone()));
        self.tail = match (found, expected) {
            (Some((Origin::Fact, fact)), _) if verdict == Verdict::Illegal => {
                self.forget_last(&fact);
                Tail::Fact(fact)
            }
            (Some((Origin::Decision, kind)), Some(expected)) => Tail::Instead(expected, kind),
            (Some((Origin::Decision, kind)), None) => Tail::Besides(kind),
            (_, Some(expected)) => Tail::Without(expected),
            (_, None) => Tail::Honest,
        };
        self
    }

    /// The fact with which the turns end is not one of them.
    fn forget_last(&mut self, fact: &EventKind) {
        let last = self.turns.last_mut();
        if let Some(turn) = last.filter(|turn| turn.facts.last() == Some(fact)) {
            turn.facts.pop();
        }
    }

    /// Without facts of these kinds.
    pub(super) fn without_kinds(mut self, is_one: impl Fn(&EventKind) -> bool) -> Self {
        for turn in &mut self.turns {
            turn.facts.retain(|fact| !is_one(fact));
        }
        self
    }

    /// The same, as of an execution that is nobody's fork: in the place of the fork, claims
    /// are given back, and an edited result is its worker's.
    pub(super) fn unforked(mut self) -> Self {
        let mut claimed = BTreeSet::new();
        for turn in &mut self.turns {
            for mut fact in std::mem::take(&mut turn.facts) {
                if let EventKind::ExecutionForked(_) = fact {
                    let given_back = std::mem::take(&mut claimed).into_iter();
                    let given_back = given_back.map(|node: String| NodeReleased::new(node, 1, 0));
                    turn.facts.extend(given_back.map(EventKind::NodeReleased));
                    continue;
                }
                if let EventKind::NodeCompleted(it) = &mut fact {
                    it.edited_by = None;
                }
                match (facts::claims(&fact), facts::answers(&fact)) {
                    (Some(node), _) => drop(claimed.insert(node.to_owned())),
                    (_, Some(node)) => drop(claimed.remove(node)),
                    _ => {}
                }
                turn.facts.push(fact);
            }
        }
        self
    }

    /// All facts, and the event that the log ends with besides.
    pub(super) fn facts(&self) -> impl Iterator<Item = &EventKind> {
        let facts = self.turns.iter().flat_map(|turn| &turn.facts);
        facts.chain(self.tail.event())
    }

    /// The same, to be changed.
    pub(super) fn facts_mut(&mut self) -> impl Iterator<Item = &mut EventKind> {
        let last = match &mut self.tail {
            Tail::Instead(_, kind) | Tail::Besides(kind) | Tail::Fact(kind) => Some(kind),
            Tail::Honest | Tail::Without(_) => None,
        };
        let facts = self.turns.iter_mut().flat_map(|turn| &mut turn.facts);
        facts.chain(last)
    }

    /// The ids of the workflow's nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &String> {
        let nodes = self.workflow["nodes"].as_object();
        nodes.into_iter().flat_map(|nodes| nodes.keys())
    }

    /// Without the facts about nodes that the workflow no longer has.
    pub(super) fn retain_known(&mut self) {
        let Some(nodes) = self.workflow["nodes"].as_object() else {
            return;
        };
        for turn in &mut self.turns {
            turn.facts
                .retain(|fact| facts::node(fact).is_none_or(|node| nodes.contains_key(node)));
        }
    }
}

/// Id and version of the workflow, which no decision depends on. A version that is not
/// written would be another one for each smaller text.
const WORKFLOW: &str = "w";
const VERSION: &str = "1.0.0";

/// An event 1 that is of no other execution, and names nobody.
fn own(started: &WorkflowStarted) -> WorkflowStarted {
    WorkflowStarted {
        key: None,
        forked_from: None,
        parent: None,
        labels: Vec::new(),
        by: None,
        workflow_id: WORKFLOW.to_owned(),
        workflow_version: VERSION.to_owned(),
        ..started.clone()
    }
}
