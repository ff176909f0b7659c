//! One future of an execution, imagined: its guest decides, and what happens in the world is
//! made up. It can be begun anew as often as one likes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::{NeededAct, NeededFact};
use super::ports::FuturePorts;
use crate::guest::{CallError, GuestFailure, Instance};
use crate::id::ExecutionId;
use crate::model::{
    ApprovalDecision, ApprovalReceived, ChildEnded, ChildStarted, Digest, Event, EventKind,
    ExternalEventReceived, NodeCompleted, NodeFailed, NodeRequest, NodeStarted, NodeState,
    OperatorNote, Outcome, Status,
};
use crate::replay::divergence::node_of;
use crate::replay::nodes::{Node, Nodes, Wait};
use crate::store::Timestamp;

/// A future of an execution.
pub(super) struct Future {
    guest: Instance<FuturePorts>,
    execution: ExecutionId,
    /// What it begins with each time.
    start: FuturePorts,
    past: Arc<Past>,
    /// Taken out for the time of a call only.
    ports: Option<FuturePorts>,
    /// The nodes as they are by now.
    pub(super) nodes: Nodes,
    /// The places of those to which something may happen: few, also of a large map.
    open: BTreeSet<usize>,
    /// What the guest said last.
    pub(super) outcome: Outcome,
    /// The fuel that its calls have burnt.
    pub(super) fuel: u64,
}

/// What a log says up to the place at which futures begin.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) nodes: Nodes,
    /// The claims that workers hold: the fence of each node.
    fences: BTreeMap<String, u64>,
    /// The children that nodes have started last.
    children: BTreeMap<String, ChildStarted>,
}

impl Past {
    /// Takes the next event.
    pub(super) fn apply(&mut self, event: &Event) {
        self.nodes.apply(event);
        match &event.kind {
            EventKind::NodeStarted(it) => {
                self.fences.insert(it.node_id.clone(), event.sequence);
            }
            EventKind::ChildStarted(it) => {
                self.children.insert(it.node_id.clone(), it.clone());
            }
            _ => {}
        }
    }
}

/// What can be made to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Act(NeededAct),
    Fact(NeededFact),
}

impl Future {
    /// The future behind what these ports show, which say this of the past. Where the guest
    /// does not take them, it is given back.
    pub(super) fn new(
        mut guest: Instance<FuturePorts>,
        start: FuturePorts,
        past: &Arc<Past>,
    ) -> Result<Self, Box<(Instance<FuturePorts>, CallError)>> {
        let execution = start.log.execution_id();
        let forgotten = guest.forget(execution);
        let (mut start, snapshot) = guest.snapshot(start, execution);
        match forgotten.and(snapshot) {
            Ok(snapshot) => start.snapshot = Some(snapshot),
            Err(error) => return Err(Box::new((guest, error))),
        }
        Ok(Self {
            execution,
            fuel: guest.fuel_burnt(),
            guest,
            start,
            past: Arc::clone(past),
            ports: None,
            nodes: Nodes::default(),
            open: BTreeSet::new(),
            outcome: Outcome::new(Status::Running, 0),
        })
    }

    pub(super) fn into_guest(self) -> Instance<FuturePorts> {
        self.guest
    }

    /// Begins anew: nothing has happened, and the guest decides what follows without that.
    pub(super) fn begin(&mut self) -> Result<(), CallError> {
        self.guest.forget(self.execution)?;
        self.ports = Some(self.start.clone());
        self.nodes = self.past.nodes.clone();
        let open = self.nodes.iter().enumerate();
        let open = open.filter(|(_, node)| may_happen_to(node));
        self.open = open.map(|(place, _)| place).collect();
        self.offer(&[]).map(|_| ())
    }

    /// What is imagined to have happened, in its order.
    pub(super) fn events(&self) -> &[Event] {
        match &self.ports {
            Some(ports) => &ports.later,
            None => &[],
        }
    }

    /// The nodes to which something may happen, in the order in which the log names them.
    pub(super) fn open_nodes(&self) -> impl Iterator<Item = &Node> {
        self.open.iter().map(|place| self.nodes.at(*place))
    }

    /// What the clock shows.
    pub(super) fn now(&self) -> Timestamp {
        self.ports.as_ref().map_or(self.start.now, |it| it.now)
    }

    /// Makes something happen, if it can now. Whether it could.
    pub(super) fn give(
        &mut self,
        given: &Given,
        choices: &BTreeMap<String, String>,
    ) -> Result<bool, CallError> {
        if let Given::Fact(NeededFact::Time { at, .. }) = given {
            let ports = self.ports_mut();
            ports.now = ports.now.max(*at);
            self.offer(&[])?;
            return Ok(true);
        }
        match self.facts(given, choices) {
            None => Ok(false),
            Some(facts) => Ok(self.offer(&facts)? > 0),
        }
    }

    /// A worker claims the work item of a node, if it can now. Whether it could.
    pub(super) fn claim(&mut self, node_id: &str) -> Result<bool, CallError> {
        let node = self.nodes.named(node_id);
        let claim = node.filter(|node| self.is_claimable(node)).map(claim);
        match claim {
            None => Ok(false),
            Some(claim) => Ok(self.offer(&[claim])? > 0),
        }
    }

    /// Whether a worker could claim the node's item now, as far as the time goes.
    fn is_claimable(&self, node: &Node) -> bool {
        match (node.state, &node.wait) {
            (NodeState::Scheduled, _) => true,
            (NodeState::BackingOff, Some(Wait::Delay { until })) => *until <= self.now(),
            _ => false,
        }
    }

    /// What the log says then. `None` if it cannot happen now.
    fn facts(&self, given: &Given, choices: &BTreeMap<String, String>) -> Option<Vec<EventKind>> {
        let note = OperatorNote::default;
        let named = |id: &str| self.nodes.named(id);
        Some(match given {
            Given::Act(NeededAct::Unpause) => vec![EventKind::ExecutionUnpaused(note())],
            Given::Act(NeededAct::Lift) => vec![EventKind::StallLifted(note())],
            Given::Act(NeededAct::Retry(id)) => {
                vec![EventKind::RetryRequested(NodeRequest::new(id, None))]
            }
            Given::Fact(NeededFact::Complete(id)) => {
                let chosen = choices.get(id).cloned();
                self.answer(named(id)?, |node, fence| {
                    let mut completed = NodeCompleted::new(&node.id, node.attempts, fence);
                    completed.chosen_target = chosen;
                    EventKind::NodeCompleted(completed)
                })?
            }
            Given::Fact(NeededFact::Fail(id)) => {
                let node = named(id)?;
                match &node.wait {
                    Some(Wait::Approval { .. }) if node.state == NodeState::Waiting => {
                        vec![decided(id, ApprovalDecision::Rejected)]
                    }
                    _ => self.answer(node, |node, fence| {
                        let failed = NodeFailed::new(&node.id, node.attempts, fence, "imagined");
                        EventKind::NodeFailed(failed)
                    })?,
                }
            }
            Given::Fact(NeededFact::Approve(id)) => match named(id)?.wait {
                Some(Wait::Approval { .. }) => vec![decided(id, ApprovalDecision::Approved)],
                _ => return None,
            },
            Given::Fact(NeededFact::Signal {
                node_id,
                correlation_key,
            }) => match &named(node_id)?.wait {
                Some(Wait::Event { key: Some(key), .. }) if key == correlation_key => {
                    let signal = ExternalEventReceived::new(key, "{}");
                    vec![EventKind::ExternalEventReceived(signal)]
                }
                _ => return None,
            },
            Given::Fact(NeededFact::Time { .. } | NeededFact::UnknownTime { .. }) => return None,
        })
    }

    /// The answer of the node's worker, or its child's end in the same sense.
    fn answer(
        &self,
        node: &Node,
        answer: impl FnOnce(&Node, u64) -> EventKind,
    ) -> Option<Vec<EventKind>> {
        if waits_for_child(node) {
            let ends_well = matches!(answer(node, 0), EventKind::NodeCompleted(_));
            return Some(self.child(node, ends_well));
        }
        if node.state == NodeState::Running {
            let fence = self.past.fences.get(&node.id)?;
            return Some(vec![answer(node, *fence)]);
        }
        let fence = self.ports.as_ref()?.last() + 1;
        self.is_claimable(node)
            .then(|| vec![claim(node), answer(node, fence)])
    }

    /// The child of a node begins, unless it has, and ends.
    fn child(&self, node: &Node, ends_well: bool) -> Vec<EventKind> {
        let (attempt, iteration) = (node.attempts, node.iterations.saturating_sub(1));
        let is_of_now = |it: &&ChildStarted| (it.attempt, it.iteration) == (attempt, iteration);
        let known = self.past.children.get(&node.id);
        let known = known.filter(is_of_now).cloned();
        let started = known.unwrap_or_else(|| {
            let child = ExecutionId::of_child(self.execution, &node.id, attempt, iteration);
            ChildStarted {
                node_id: node.id.clone(),
                attempt,
                iteration,
                child_id: child.to_string(),
                workflow_digest: Digest::of(b""),
            }
        });
        let ended = ChildEnded {
            node_id: node.id.clone(),
            attempt,
            iteration,
            child_id: started.child_id.clone(),
            // A child that is cancelled is not tried again, whatever the policy says.
            status: match ends_well {
                true => Status::Completed,
                false => Status::Cancelled,
            },
            sequence: 2,
            head: Digest::of(b""),
            output: ends_well.then(|| "{}".to_owned()),
            error: None,
        };
        vec![
            EventKind::ChildStarted(started),
            EventKind::ChildEnded(ended),
        ]
    }

    /// Offers facts, and has the guest decide until nothing more follows. How many it took.
    fn offer(&mut self, facts: &[EventKind]) -> Result<usize, CallError> {
        let taken = self.step(facts)?;
        while self.outcome.more {
            self.step(&[])?;
        }
        Ok(taken)
    }

    fn step(&mut self, facts: &[EventKind]) -> Result<usize, CallError> {
        let ports = self.ports.take().expect("it was begun");
        let (seen, last) = (ports.later.len(), ports.last());
        let (mut ports, answer) = self.guest.step(ports, self.execution, last, facts);
        self.fuel += self.guest.fuel_burnt();
        let closed = answer.map(|outcome| (ports.close(facts, &outcome), outcome));
        let ports = self.ports.insert(ports);
        let ((taken, is_whole), outcome) = closed?;
        if !is_whole {
            let what = "it says that its log ends where it does not".to_owned();
            return Err(GuestFailure::Malformed(what).into());
        }
        for event in &ports.later[seen..] {
            self.nodes.apply(event);
            let node = node_of(&event.kind);
            let Some(place) = node.and_then(|id| self.nodes.place_of(id)) else {
                continue;
            };
            match may_happen_to(self.nodes.at(place)) {
                true => self.open.insert(place),
                false => self.open.remove(&place),
            };
        }
        self.outcome = outcome;
        Ok(taken)
    }

    fn ports_mut(&mut self) -> &mut FuturePorts {
        self.ports.as_mut().expect("it was begun")
    }
}

/// Whether something in the world may happen to a node as it is.
fn may_happen_to(node: &Node) -> bool {
    matches!(
        node.state,
        NodeState::Scheduled | NodeState::BackingOff | NodeState::Running | NodeState::Waiting
    )
}

/// Whether a node waits for the end of a child.
pub(super) fn waits_for_child(node: &Node) -> bool {
    node.state == NodeState::Waiting && node.child && node.wait.is_none()
}

fn claim(node: &Node) -> EventKind {
    EventKind::NodeStarted(NodeStarted::new(&node.id, "imagined", node.attempts))
}

fn decided(node_id: &str, decision: ApprovalDecision) -> EventKind {
    EventKind::ApprovalReceived(ApprovalReceived::new(node_id, "imagined", decision))
}
