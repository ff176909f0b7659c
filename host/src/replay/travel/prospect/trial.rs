//! Plans are tried: an imagined future is driven until the node runs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::answer::{NeededAct, NeededFact};
use super::future::{Future, Given, Past, waits_for_child};
use super::plan::Plan;
use super::ports::FuturePorts;
use super::unknowns::{Guesses, OVER, Unknowns};
use crate::guest::{CallError, Instance};
use crate::model::{
    Digest, Event, EventKind, NodeFailure, NodeState, SchedulerError, Snapshot, Status, node_of_run,
};
use crate::replay::divergence::node_of;
use crate::replay::nodes::{Node, Wait};
use crate::replay::packed_log::PackedLog;
use crate::store::Timestamp;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// The node begins.
    Begins,
    /// The node, which waits, is settled.
    Settles,
    /// A worker may claim the node's work item.
    Claimed,
}

/// Why a search ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// It has cost as much as it may.
    CutOff,
    /// The guest does not answer.
    Call(CallError),
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// The place at which futures begin, and what is looked for in them.
pub(super) struct Trial<'a> {
    pub(super) log: Arc<PackedLog>,
    /// So many events have happened.
    pub(super) shown: usize,
    pub(super) now: Timestamp,
    pub(super) past: Arc<Past>,
    /// What the guest holds at that place. `None` if it gave none.
    pub(super) snapshot: Option<Snapshot>,
    pub(super) unknowns: &'a Unknowns,
    pub(super) target: &'a str,
    pub(super) goal: Goal,
    /// The nodes that have failed for want of a value.
    pub(super) without: HashSet<String>,
    /// The nodes that lead to it. `None` if any may matter.
    pub(super) relevant: Option<HashSet<&'a str>>,
    /// Not at hand while a future has it.
    pub(super) guest: Option<Instance<FuturePorts>>,
    /// What may still be burnt.
    pub(super) fuel: u64,
}

/// A future in which the node runs.
pub(super) struct Found {
    pub(super) future: Future,
    pub(super) guesses: Guesses,
    /// What has happened, in its order.
    pub(super) given: Vec<Given>,
    pub(super) choices: BTreeMap<String, String>,
}

/// A plan that did not lead to it.
#[derive(Debug, Default)]
pub(super) struct Missed {
    /// The nodes that something happened to.
    pub(super) begun: HashSet<String>,
}

/// Things that happen in one future.
const GIVEN_MAX: usize = 6000;

/// Expressions of one plan that are taken to have a value.
const VALUES_MAX: usize = 16;

/// Times at which a future is only waited for what comes.
const WAKES_MAX: usize = 20;

impl Trial<'_> {
    /// Tries a plan.
    pub(super) fn look(&mut self, plan: &Plan) -> Result<Result<Found, Missed>, Stop> {
        let mut guesses = self.unknowns.guesses(|it| plan.makes_hold(it));
        loop {
            let Some(mut future) = self.future(&guesses)? else {
                return Ok(Err(Missed::default()));
            };
            let given = self.drive(&mut future, plan)?;
            // What follows on a value that is missing now says nothing of what will be there.
            let missing = self.without_value(future.events(), &guesses);
            if !missing.is_empty() && guesses.values.len() < VALUES_MAX {
                guesses.values.extend(missing);
                self.end(future);
                continue;
            }
            if let Some(given) = given {
                let choices = plan.choices.clone();
                return Ok(Ok(Found {
                    future,
                    guesses,
                    given,
                    choices,
                }));
            }
            let begun = future.nodes.iter();
            let begun = begun.filter(|it| it.state != NodeState::Skipped);
            let begun = begun.map(|it| node_of_run(&it.id).to_owned()).collect();
            self.end(future);
            return Ok(Err(Missed { begun }));
        }
    }

    /// A future with these guesses. `None` if the guest does not take the values in them.
    pub(super) fn future(&mut self, guesses: &Guesses) -> Result<Option<Future>, Stop> {
        let ports = self.ports(guesses);
        let guest = self.guest.take().expect("no other future has it");
        match Future::new(guest, ports, &self.past) {
            Ok(future) => Ok(Some(future)),
            Err(failed) => {
                let (guest, error) = *failed;
                let refuses = matches!(
                    &error,
                    CallError::Scheduler(SchedulerError::InvalidWorkflow(_))
                );
                if refuses && !guesses.values.is_empty() {
                    self.guest = Some(guest);
                    return Ok(None);
                }
                Err(error.into())
            }
        }
    }

    /// What a guest sees of the log with these guesses.
    fn ports(&self, guesses: &Guesses) -> FuturePorts {
        let log = Arc::clone(&self.log);
        let mut first = log.event(1).expect("a log that is travelled begins");
        let Some(text) = self.unknowns.text(guesses) else {
            // It is the workflow's own, and so the snapshot is one of this log.
            let own = (Arc::from(log.workflow()), first);
            let mut ports = FuturePorts::new(log, self.shown, own, self.now);
            ports.snapshot.clone_from(&self.snapshot);
            return ports;
        };
        if let EventKind::WorkflowStarted(started) = &mut first.kind {
            started.workflow_digest = Digest::of(text.as_bytes());
        }
        FuturePorts::new(log, self.shown, (text.into(), first), self.now)
    }

    /// A future is over.
    pub(super) fn end(&mut self, future: Future) {
        self.fuel = self.fuel.saturating_sub(future.fuel);
        self.guest = Some(future.into_guest());
    }

    fn check_fuel(&self, future: &Future) -> Result<(), Stop> {
        match future.fuel > self.fuel {
            true => Err(Stop::CutOff),
            false => Ok(()),
        }
    }

    /// Makes things happen as planned until the node runs: what has happened then. `None` if
    /// it does not.
    fn drive(&self, future: &mut Future, plan: &Plan) -> Result<Option<Vec<Given>>, Stop> {
        future.begin()?;
        let mut given = Vec::new();
        for act in self.acts(future, plan) {
            let act = Given::Act(act);
            if future.give(&act, &plan.choices)? {
                given.push(act);
            }
        }
        let mut seen = 0;
        let mut wakes = 0;
        let mut refused: Vec<Given> = Vec::new();
        while given.len() < GIVEN_MAX {
            self.check_fuel(future)?;
            if self.is_reached(future, &mut seen)? {
                return Ok(Some(given));
            }
            let fact = match self.move_of(future, plan, &refused) {
                Some(fact) => Given::Fact(fact),
                None => {
                    wakes += 1;
                    let wake = future.outcome.next_wake;
                    match wake.filter(|at| *at > future.now() && wakes < WAKES_MAX) {
                        Some(at) => Given::Fact(NeededFact::Time { at, node_id: None }),
                        None => return Ok(None),
                    }
                }
            };
            if future.give(&fact, &plan.choices)? {
                refused.clear();
                given.push(fact);
            } else {
                refused.push(fact);
            }
        }
        Ok(None)
    }

    /// Whether the node runs if just these happen, each as soon as it can after those before.
    pub(super) fn suffices(
        &self,
        future: &mut Future,
        given: &[&Given],
        choices: &BTreeMap<String, String>,
    ) -> Result<bool, Stop> {
        future.begin()?;
        let mut left: Vec<&Given> = given.to_vec();
        let mut seen = 0;
        loop {
            self.check_fuel(future)?;
            if self.is_reached(future, &mut seen)? {
                return Ok(true);
            }
            let mut place = 0;
            while place < left.len() && !future.give(left[place], choices)? {
                place += 1;
            }
            if place == left.len() {
                return Ok(false);
            }
            left.remove(place);
        }
    }

    /// What operators can do about what holds the execution, and where it is planned, about
    /// what has failed.
    fn acts(&self, future: &Future, plan: &Plan) -> Vec<NeededAct> {
        let mut acts = Vec::new();
        let in_state = |state: NodeState| {
            let nodes = self.past.nodes.iter();
            let nodes = nodes.filter(move |it| it.state == state);
            nodes.map(|it| NeededAct::Retry(it.id.clone()))
        };
        if matches!(future.outcome.status, Status::Paused | Status::Stalled) {
            acts.extend([NeededAct::Lift, NeededAct::Unpause]);
            acts.extend(in_state(NodeState::Failing));
        }
        if plan.retries {
            acts.extend(in_state(NodeState::Failed));
        }
        acts
    }

    /// Whether what was looked for has happened since so many events.
    fn is_reached(&self, future: &mut Future, seen: &mut usize) -> Result<bool, Stop> {
        if self.goal == Goal::Claimed {
            return Ok(future.claim(self.target)?);
        }
        let events = future.events();
        let new = &events[(*seen).min(events.len())..];
        let is_reached = new.iter().any(|event| self.is_goal(&event.kind));
        *seen = events.len();
        Ok(is_reached)
    }

    fn is_goal(&self, kind: &EventKind) -> bool {
        let begins = match kind {
            EventKind::NodeSettled(it) => return it.node_id == self.target,
            EventKind::NodeExhausted(it) => {
                let is_its_way = matches!(it.cause, NodeFailure::LimitExceeded(_));
                return is_its_way && it.node_id == self.target;
            }
            EventKind::NodeScheduled(_)
            | EventKind::RetryScheduled(_)
            | EventKind::ChildRequested(_)
            | EventKind::MapExpanded(_)
            | EventKind::InterruptRaised(_)
            | EventKind::TimerCreated(_) => self.goal == Goal::Begins,
            _ => false,
        };
        // A map that is tried again begins with its instances.
        let is_it = |node: &str| node == self.target || is_instance_of(node, self.target);
        begins && node_of(kind).is_some_and(is_it)
    }

    /// What can happen next: to nodes that lead to the one that is to run, before what can
    /// happen to others; and time passes last.
    fn move_of(&self, future: &Future, plan: &Plan, refused: &[Given]) -> Option<NeededFact> {
        let relevant = |node: &Node| match &self.relevant {
            None => true,
            Some(relevant) => relevant.contains(node_of_run(&node.id)),
        };
        let moves = future.open_nodes().filter_map(|node| {
            let is_relevant = relevant(node);
            if plan.is_narrow && !is_relevant {
                return None;
            }
            let happens = self.happens(node, plan, future.now())?;
            let at = match happens {
                Happens::Time(at) => at,
                _ => 0,
            };
            Some(((!is_relevant, at), node, happens))
        });
        let moves = moves.filter(|(_, node, happens)| {
            refused.is_empty() || !refused.contains(&Given::Fact(happens.to(node)))
        });
        let (_, node, happens) = moves.min_by_key(|(order, ..)| *order)?;
        Some(happens.to(node))
    }

    /// What is planned to happen to a node next, if anything can.
    fn happens(&self, node: &Node, plan: &Plan, now: Timestamp) -> Option<Happens> {
        let id = node_of_run(&node.id);
        let fails = plan.fails.contains(id);
        let is_claimed_here = self.goal == Goal::Claimed && node.id == self.target;
        let answer = match fails {
            true => Happens::Fail,
            false => Happens::Complete,
        };
        match (node.state, &node.wait) {
            (NodeState::BackingOff, Some(Wait::Delay { until })) if *until > now => {
                Some(Happens::Time(*until))
            }
            _ if is_claimed_here => None,
            (NodeState::Scheduled | NodeState::BackingOff | NodeState::Running, _) => Some(answer),
            (NodeState::Waiting, Some(Wait::Approval { until, .. })) => {
                match (plan.expires.contains(id), fails) {
                    (true, _) => until.map(Happens::Time),
                    (false, true) => Some(Happens::Fail),
                    (false, false) => Some(Happens::Approve),
                }
            }
            (NodeState::Waiting, Some(Wait::Event { key, until })) => {
                match key.is_some() && !fails {
                    true => Some(Happens::Signal),
                    false => until.map(Happens::Time),
                }
            }
            (NodeState::Waiting, None) if waits_for_child(node) => Some(answer),
            _ => None,
        }
    }

    /// The expressions for want of whose values nodes could not begin.
    fn without_value(&self, events: &[Event], guesses: &Guesses) -> Vec<(String, String)> {
        let missing = events.iter().filter_map(|event| missing_value(&event.kind));
        // What a node has failed for before, the log says with the workflow's own text.
        let may_be_given = |(node, pointer): &(String, String)| {
            self.unknowns.may_change(node, pointer) && !self.without.contains(node)
        };
        missing
            .filter(|it| !guesses.values.contains(it))
            .filter(may_be_given)
            .collect()
    }
}

/// The node that an event says has failed for want of a value, and where that should be, a
/// JSON pointer into the node.
pub(super) fn missing_value(kind: &EventKind) -> Option<(String, String)> {
    let EventKind::NodeExhausted(it) = kind else {
        return None;
    };
    let pointer = match &it.cause {
        NodeFailure::UnresolvedExpression(pointer) => pointer.clone(),
        NodeFailure::NotAList => OVER.to_owned(),
        _ => return None,
    };
    Some((node_of_run(&it.node_id).to_owned(), pointer))
}

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happens {
    Complete,
    Fail,
    Approve,
    Signal,
    Time(Timestamp),
}

impl Happens {
    fn to(self, node: &Node) -> NeededFact {
        let id = node.id.clone();
        match (self, &node.wait) {
            (Self::Complete, _) => NeededFact::Complete(id),
            (Self::Fail, _) => NeededFact::Fail(id),
            (Self::Approve, _) => NeededFact::Approve(id),
            (Self::Time(at), _) => NeededFact::Time {
                at,
                node_id: Some(id),
            },
            (Self::Signal, Some(Wait::Event { key: Some(key), .. })) => NeededFact::Signal {
                node_id: id,
                correlation_key: key.clone(),
            },
            (Self::Signal, _) => unreachable!("only what waits for a key is sent one"),
        }
    }
}

fn is_instance_of(run: &str, map: &str) -> bool {
    crate::model::instance_of(run).is_some_and(|(of, _)| of == map)
}
