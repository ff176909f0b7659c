//! A case becomes a log again: its facts are offered to a scheduler, which decides what
//! follows.

use std::collections::BTreeSet;
use std::ops::Range;

use super::case::{Case, Turn};
use crate::guest::{Call, CallError, GuestFailure, Instance, Library, LibraryError, MemoryPorts};
use crate::id::ExecutionId;
use crate::model::{Digest, Event, EventKind, Outcome};
use crate::order_rules::{ChildRules, OrderRules};

/// So many events more than before may a smaller case come to.
const EVENTS_MORE_MAX: usize = 1_000;

/// The scheduler that decides what follows from facts.
#[derive(Debug)]
pub(super) struct Reference {
    library: Library,
    digest: String,
    /// The scheduler that event 1 names.
    named: Digest,
    /// The execution that the logs are of.
    id: ExecutionId,
    /// Whether a log may end where it fails.
    may_fail: bool,
    /// So many events may come of a case.
    events_max: usize,
    idle: Option<Instance<MemoryPorts>>,
}

/// The log that came of a case.
#[derive(Clone, Debug)]
pub(super) struct Played {
    pub(super) events: Vec<Event>,
    pub(super) turns: Vec<PlayedTurn>,
}

/// A turn as it was played.
#[derive(Clone, Debug)]
pub(super) struct PlayedTurn {
    /// The facts that were taken, as the case has them.
    pub(super) taken: Turn,
    /// Where they stand among the events; in the first turn, event 1 is before them.
    pub(super) facts: Range<usize>,
    /// The decisions of each step.
    pub(super) steps: Vec<Range<usize>>,
}

impl PlayedTurn {
    /// Where its decisions stand among the events.
    pub(super) fn decisions(&self) -> Range<usize> {
        let end = self.steps.last().map_or(self.facts.end, |step| step.end);
        self.facts.end..end
    }
}

impl Reference {
    /// The guest of the library with this digest, for logs of the guest `named`.
    pub(super) fn new(library: Library, digest: String, named: Digest, id: ExecutionId) -> Self {
        Self {
            library,
            digest,
            named,
            id,
            may_fail: false,
            events_max: usize::MAX,
            idle: None,
        }
    }

    /// The same; a log may end where the guest fails.
    pub(super) fn that_may_fail(self) -> Self {
        Self {
            may_fail: true,
            ..self
        }
    }

    /// From now on, no more come of a case than of one with so many events.
    pub(super) fn bound(&mut self, events: usize) {
        self.events_max = events + EVENTS_MORE_MAX;
    }

    /// The log of this case. `None` if the guest refuses its beginning, or fails.
    pub(super) fn play(&mut self, case: &Case) -> Result<Option<Played>, LibraryError> {
        if self.library.take_over() == Some(self.digest.as_str()) {
            self.idle = None;
        }
        let instance = match self.idle.take() {
            Some(instance) => instance,
            None => self.library.instance(&self.digest)?,
        };
        let mut stage = Stage {
            instance,
            ports: MemoryPorts::new(case.workflow.to_string(), 0),
            id: self.id,
            children: None,
        };
        let mut started = case.started.clone();
        started.execution_id = self.id.to_string();
        started.guest_digest = self.named;
        started.workflow_digest = Digest::of(stage.ports.workflow.as_bytes());
        let first = EventKind::WorkflowStarted(Box::new(started));
        let turns = stage.play(case, first, self.may_fail, self.events_max);
        let is_of_use = stage.instance.forget(self.id).is_ok();
        self.idle = is_of_use.then_some(stage.instance);
        let events = stage.ports.events;
        Ok(turns.map(|turns| Played { events, turns }))
    }
}

/// A guest and its world.
struct Stage {
    instance: Instance<MemoryPorts>,
    ports: MemoryPorts,
    id: ExecutionId,
    /// What the workflow says of children; read at the first.
    children: Option<OrderRules>,
}

impl Stage {
    /// Plays all turns. `None` if the log could not begin so, or cannot go on.
    fn play(
        &mut self,
        case: &Case,
        first: EventKind,
        may_fail: bool,
        events_max: usize,
    ) -> Option<Vec<PlayedTurn>> {
        let mut turns = Vec::with_capacity(case.turns.len());
        let mut first = Some(first);
        for turn in &case.turns {
            self.ports.now = turn.at;
            let (played, has_failed) = self.turn(turn, first.take(), events_max)?;
            turns.push(played);
            if has_failed {
                return may_fail.then_some(turns);
            }
        }
        Some(turns)
    }

    /// Plays a turn; says also whether the guest has failed in it.
    fn turn(
        &mut self,
        turn: &Turn,
        first: Option<EventKind>,
        events_max: usize,
    ) -> Option<(PlayedTurn, bool)> {
        let begins = usize::from(first.is_some());
        let mut offered: Vec<EventKind> = first.into_iter().collect();
        let mut given = Vec::with_capacity(turn.facts.len());
        for fact in &turn.facts {
            if let Some(due) = self.due(fact, &offered) {
                offered.push(due);
                given.push(fact.clone());
            }
        }
        let before = self.ports.events.len();
        let outcome = match self.step(&offered) {
            Ok(outcome) => Some(outcome),
            Err(CallError::Guest(_)) => {
                for fact in offered {
                    self.ports.push(fact);
                }
                None
            }
            Err(_) => return None,
        };
        let refused = outcome.iter().flat_map(|outcome| &outcome.refused);
        let refused: BTreeSet<usize> = refused.map(|it| it.index as usize).collect();
        if begins == 1 && refused.contains(&0) {
            return None;
        }
        let taken = (begins..)
            .zip(given)
            .filter(|(place, _)| !refused.contains(place));
        let facts: Vec<EventKind> = taken.map(|(_, fact)| fact).collect();
        let end = before + begins + facts.len();
        let mut played = PlayedTurn {
            taken: Turn { at: turn.at, facts },
            facts: before..end,
            steps: Vec::new(),
        };
        let has_failed = match outcome {
            Some(outcome) => self.decide(outcome, &mut played, events_max)?,
            None => true,
        };
        Some((played, has_failed))
    }

    /// The guest has answered the first step of a turn, and decides until nothing more
    /// follows. Whether it has failed at that. `None` if it comes to no end.
    fn decide(
        &mut self,
        mut outcome: Outcome,
        played: &mut PlayedTurn,
        events_max: usize,
    ) -> Option<bool> {
        loop {
            let (before, end) = (played.decisions().end, self.ports.events.len());
            played.steps.push(before..end);
            if !outcome.more {
                return Some(false);
            }
            if before == end || end > events_max {
                return None;
            }
            outcome = match self.step(&[]) {
                Ok(outcome) => outcome,
                Err(CallError::Guest(_)) => return Some(true),
                Err(_) => return None,
            };
        }
    }

    fn step(&mut self, facts: &[EventKind]) -> Result<Outcome, CallError> {
        let mut ports = std::mem::take(&mut self.ports);
        ports.call = Call::default();
        let last = ports.last_sequence();
        let (ports, answer) = self.instance.step(ports, self.id, last, facts);
        self.ports = ports;
        let outcome = answer?;
        let closed = self.ports.close(facts, &outcome);
        closed.map_err(GuestFailure::Malformed)?;
        Ok(outcome)
    }

    /// The fact as it may come now, after these, which are offered with it: of the attempt
    /// that is due, by the fence that holds. `None` if nothing of the kind is due.
    fn due(&mut self, fact: &EventKind, offered: &[EventKind]) -> Option<EventKind> {
        let mut fact = fact.clone();
        match &mut fact {
            EventKind::NodeStarted(it) => {
                let mut items = self.ports.items.iter();
                it.attempt = items.find(|item| item.node_id == it.node_id)?.attempt;
            }
            EventKind::NodeCompleted(it) => {
                (it.attempt, it.fence) = self.claim(&it.node_id, offered)?;
            }
            EventKind::NodeFailed(it) => {
                (it.attempt, it.fence) = self.claim(&it.node_id, offered)?;
            }
            EventKind::NodeReleased(it) => {
                (it.attempt, it.fence) = self.claim(&it.node_id, offered)?;
            }
            EventKind::LeaseExpired(it) => {
                (it.attempt, it.fence) = self.claim(&it.node_id, offered)?;
            }
            EventKind::ChildStarted(it) => {
                (it.attempt, it.iteration) = self.asked(&it.node_id)?;
                it.child_id = self.child(&it.node_id, it.attempt, it.iteration);
                if let Some(digest) = self.in_place(&it.node_id) {
                    it.workflow_digest = digest;
                }
            }
            EventKind::ChildRefused(it) => {
                (it.attempt, it.iteration) = self.asked(&it.node_id)?;
            }
            EventKind::ChildEnded(it) => {
                (it.attempt, it.iteration) = self.begun(&it.node_id, offered)?;
                it.child_id = self.child(&it.node_id, it.attempt, it.iteration);
            }
            _ => {}
        }
        Some(fact)
    }

    /// What was said before, the last first, with the sequence that it has or will have.
    fn said<'a>(&'a self, offered: &'a [EventKind]) -> impl Iterator<Item = (u64, &'a EventKind)> {
        let last = self.ports.last_sequence();
        let offered = (last + 1..).zip(offered).collect::<Vec<_>>();
        let events = self.ports.events.iter().rev();
        let stored = events.map(|event| (event.sequence, &event.kind));
        offered.into_iter().rev().chain(stored)
    }

    /// The attempt and the fence of the node's last claim.
    fn claim(&self, node: &str, offered: &[EventKind]) -> Option<(u32, u64)> {
        self.said(offered).find_map(|(sequence, kind)| match kind {
            EventKind::NodeStarted(it) if it.node_id == node => Some((it.attempt, sequence)),
            _ => None,
        })
    }

    /// The attempt and the iteration of the child that is asked for.
    fn asked(&self, node: &str) -> Option<(u32, u32)> {
        let mut orders = self.ports.children.iter().map(|order| &order.name);
        let name = orders.find(|name| name.node_id == node)?;
        Some((name.attempt, name.iteration))
    }

    /// Those of the child that was started last.
    fn begun(&self, node: &str, offered: &[EventKind]) -> Option<(u32, u32)> {
        self.said(offered).find_map(|(_, kind)| match kind {
            EventKind::ChildStarted(it) if it.node_id == node => Some((it.attempt, it.iteration)),
            _ => None,
        })
    }

    fn child(&self, node: &str, attempt: u32, iteration: u32) -> String {
        ExecutionId::of_child(self.id, node, attempt, iteration).to_string()
    }

    /// The digest of the workflow that the node has written in place, if it has one.
    fn in_place(&mut self, node: &str) -> Option<Digest> {
        let workflow = &self.ports.workflow;
        let rules = self
            .children
            .get_or_insert_with(|| OrderRules::of(workflow));
        let text = rules.child(node).and_then(ChildRules::in_place)?;
        Some(Digest::of(text.as_bytes()))
    }
}
