//! An execution of which the model decides, and in which things are made to happen.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use refrain::replay::{NeededAct, NeededFact};
use refrain_guest::contract::{
    ApprovalDecision, ApprovalReceived, ChildEnded, ChildStarted, Event, EventKind,
    ExternalEventReceived, NodeCompleted, NodeFailed, NodeFailure, NodeRequest, NodeStarted,
    OperatorNote, Origin, Status,
};
use refrain_tests::model::Model;

/// An act or a fact.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'a> {
    Act(&'a NeededAct),
    Fact(&'a NeededFact),
}

/// An execution of which the model decides.
pub(super) struct World {
    model: Model,
    log: Vec<Event>,
    now: u64,
    /// The unsettled items: attempt, the time before which none is claimed, the fence.
    items: BTreeMap<String, (u32, u64, Option<u64>)>,
    approvals: BTreeSet<String>,
    keys: BTreeMap<String, String>,
    /// The children that are waited for: attempt, iteration, whether they were started.
    children: BTreeMap<String, (u32, u32, bool)>,
    /// The targets that workers choose.
    choices: BTreeMap<String, String>,
}

impl World {
    /// The execution behind this log; these targets are chosen.
    fn behind(workflow: &str, log: &[Event], choices: BTreeMap<String, String>) -> Result<Self> {
        let mut world = Self {
            model: Model::new(workflow, &log[0]),
            log: Vec::new(),
            now: 0,
            items: BTreeMap::new(),
            approvals: BTreeSet::new(),
            keys: BTreeMap::new(),
            children: BTreeMap::new(),
            choices,
        };
        world.note(&log[0]);
        for event in &log[1..] {
            world.read(event.clone())?;
        }
        Ok(world)
    }

    /// Whether a node runs behind this log if just these happen, each as soon as it can after
    /// those before.
    pub(super) fn runs(
        workflow: &str,
        (log, target): (&[Event], &str),
        choices: BTreeMap<String, String>,
        given: &[Given<'_>],
    ) -> Result<bool> {
        let mut world = Self::behind(workflow, log, choices)?;
        let was_waiting = world.is_waiting(target);
        let was_ordered = world.items.contains_key(target);
        let mut left = given.to_vec();
        loop {
            world.decide()?;
            let new = &world.log[log.len()..];
            let runs = match (was_waiting, was_ordered) {
                (true, _) => new.iter().any(|it| settles(&it.kind, target)),
                (false, true) => world.claim(target).is_some(),
                (false, false) => new.iter().any(|it| begins(&it.kind, target)),
            };
            if runs {
                return Ok(true);
            }
            let mut place = 0;
            while place < left.len() && !world.give(left[place])? {
                place += 1;
            }
            if place == left.len() {
                return Ok(false);
            }
            left.remove(place);
        }
    }

    /// Whether a node begins behind this log where all goes well: whatever can be completed,
    /// approved or sent is, and otherwise time passes.
    pub(super) fn begins_at_last(workflow: &str, log: &[Event], target: &str) -> Result<bool> {
        let mut world = Self::behind(workflow, log, BTreeMap::new())?;
        for _ in 0..GOING_WELL_MAX {
            world.decide()?;
            let mut new = world.log[log.len()..].iter();
            if new.any(|it| begins(&it.kind, target)) {
                return Ok(true);
            }
            let mut goes_on = false;
            for fact in world.possible() {
                goes_on = world.give(Given::Fact(&fact))?;
                if goes_on {
                    break;
                }
            }
            if !goes_on {
                let ordered = world.items.values().map(|item| item.1);
                let times = ordered.chain(world.model.next_wake());
                match times.filter(|at| *at > world.now).min() {
                    Some(at) => world.now = at,
                    None => return Ok(false),
                }
            }
        }
        Ok(false)
    }

    /// What may go well next.
    fn possible(&self) -> Vec<NeededFact> {
        let completed = self.items.keys().chain(self.children.keys());
        let completed = completed.cloned().map(NeededFact::Complete);
        let approved = self.approvals.iter().cloned().map(NeededFact::Approve);
        let sent = self.keys.iter().map(|(node, key)| NeededFact::Signal {
            node_id: node.clone(),
            correlation_key: key.clone(),
        });
        completed.chain(approved).chain(sent).collect()
    }

    fn is_waiting(&self, node: &str) -> bool {
        let waits = self.approvals.contains(node) || self.keys.contains_key(node);
        waits || self.waits_for_time(node)
    }

    fn waits_for_time(&self, node: &str) -> bool {
        let last = self.log.iter().rev().find_map(|event| match &event.kind {
            EventKind::TimerCreated(it) if it.node_id == node => Some(true),
            EventKind::ExecutionForked(_) => Some(false),
            EventKind::NodeExhausted(it) if it.node_id == node => Some(false),
            EventKind::NodeCancelled(it) if it.node_id == node => Some(false),
            kind if settles(kind, node) => Some(false),
            _ => None,
        });
        last.unwrap_or(false)
    }

    /// What the rules lead to now.
    fn decide(&mut self) -> Result<()> {
        while let Some(kind) = self.model.decision(self.now) {
            self.append(kind, Origin::Decision)?;
        }
        Ok(())
    }

    fn append(&mut self, kind: EventKind, origin: Origin) -> Result<()> {
        let sequence = self.log.len() as u64 + 1;
        self.read(Event {
            sequence,
            at: self.now,
            origin,
            kind,
        })
    }

    fn read(&mut self, event: Event) -> Result<()> {
        self.model.read(&event).map_err(anyhow::Error::msg)?;
        self.note(&event);
        Ok(())
    }

    fn note(&mut self, event: &Event) {
        self.now = event.at;
        self.note_item(event);
        match &event.kind {
            EventKind::InterruptRaised(it) => {
                self.approvals.insert(it.node_id.clone());
            }
            EventKind::ApprovalReceived(it) => {
                self.approvals.remove(&it.node_id);
            }
            EventKind::TimerCreated(it) => {
                if let Some(key) = &it.correlation_key {
                    self.keys.insert(it.node_id.clone(), key.clone());
                }
            }
            EventKind::ChildRequested(it) => {
                let child = (it.attempt, it.iteration, false);
                self.children.insert(it.node_id.clone(), child);
            }
            EventKind::ChildStarted(it) => {
                if let Some(child) = self.children.get_mut(&it.node_id) {
                    child.2 = true;
                }
            }
            EventKind::ChildEnded(it) => {
                self.children.remove(&it.node_id);
            }
            EventKind::ChildRefused(it) => {
                self.children.remove(&it.node_id);
            }
            EventKind::ExecutionForked(_) => {
                self.children.clear();
                self.approvals.clear();
                self.keys.clear();
                self.items.values_mut().for_each(|item| item.2 = None);
            }
            _ => {}
        }
        self.log.push(event.clone());
    }

    /// What an event says of items, and of nodes that are settled.
    fn note_item(&mut self, event: &Event) {
        let ends = |world: &mut Self, node: &str| {
            world.items.remove(node);
            world.approvals.remove(node);
            world.keys.remove(node);
            world.children.remove(node);
        };
        match &event.kind {
            EventKind::NodeScheduled(it) => {
                let item = (it.attempt, event.at, None);
                self.items.insert(it.node_id.clone(), item);
            }
            EventKind::RetryScheduled(it) => {
                let item = (it.attempt, event.at + it.delay_ms, None);
                self.items.insert(it.node_id.clone(), item);
            }
            EventKind::NodeStarted(it) => {
                if let Some(item) = self.items.get_mut(&it.node_id) {
                    item.2 = Some(event.sequence);
                }
            }
            EventKind::NodeReleased(it) => {
                if let Some(item) = self.items.get_mut(&it.node_id) {
                    item.2 = None;
                }
            }
            EventKind::NodeCompleted(it) => ends(self, &it.node_id),
            EventKind::NodeSettled(it) => ends(self, &it.node_id),
            EventKind::NodeFailed(it) => ends(self, &it.node_id),
            EventKind::LeaseExpired(it) => ends(self, &it.node_id),
            EventKind::NodeTimedOut(it) => ends(self, &it.node_id),
            EventKind::NodeExhausted(it) => ends(self, &it.node_id),
            EventKind::NodeSkipped(it) => ends(self, &it.node_id),
            EventKind::NodeCancelled(it) => ends(self, &it.node_id),
            _ => {}
        }
    }

    /// Makes something happen, if it can. Whether it could.
    fn give(&mut self, given: Given<'_>) -> Result<bool> {
        if let Given::Fact(NeededFact::Time { at, .. }) = given {
            self.now = self.now.max(*at);
            return Ok(true);
        }
        let Some(kinds) = self.kinds(given) else {
            return Ok(false);
        };
        for kind in kinds {
            self.append(kind, Origin::Fact)?;
        }
        Ok(true)
    }

    fn kinds(&self, given: Given<'_>) -> Option<Vec<EventKind>> {
        let note = || OperatorNote {
            reason: None,
            by: None,
        };
        let status = self.model.status();
        match given {
            Given::Act(NeededAct::Unpause) => self
                .model
                .is_paused()
                .then(|| vec![EventKind::ExecutionUnpaused(note())]),
            Given::Act(NeededAct::Lift) => {
                let is_stalled = status == Status::Stalled;
                is_stalled.then(|| vec![EventKind::StallLifted(note())])
            }
            Given::Act(NeededAct::Retry(node)) => {
                let request = NodeRequest {
                    node_id: node.clone(),
                    reason: None,
                    by: None,
                };
                Some(vec![EventKind::RetryRequested(request)])
            }
            Given::Fact(NeededFact::Complete(node)) => self.completes(node),
            Given::Fact(NeededFact::Fail(node)) => self.fails(node),
            Given::Fact(NeededFact::Approve(node)) => self
                .approvals
                .contains(node)
                .then(|| vec![decided(node, ApprovalDecision::Approved)]),
            Given::Fact(NeededFact::Signal {
                node_id,
                correlation_key,
            }) => {
                let key = self.keys.get(node_id)?;
                (key == correlation_key).then(|| {
                    vec![EventKind::ExternalEventReceived(ExternalEventReceived {
                        correlation_key: key.clone(),
                        payload: "{}".to_owned(),
                        event_id: None,
                        by: None,
                    })]
                })
            }
            _ => None,
        }
    }

    /// The claim of a node's item, if it may be claimed now.
    fn claim(&self, node: &str) -> Option<EventKind> {
        let (attempt, not_before, fence) = *self.items.get(node)?;
        let may =
            fence.is_none() && not_before <= self.now && self.model.status() == Status::Running;
        may.then(|| {
            EventKind::NodeStarted(NodeStarted {
                node_id: node.to_owned(),
                worker_id: "w".to_owned(),
                attempt,
            })
        })
    }

    /// The answer of a worker, behind its claim if nobody has claimed the item yet.
    fn answered(
        &self,
        node: &str,
        answer: impl FnOnce(u32, u64) -> EventKind,
    ) -> Option<Vec<EventKind>> {
        let (attempt, _, fence) = *self.items.get(node)?;
        match fence {
            Some(fence) => Some(vec![answer(attempt, fence)]),
            None => {
                let claim = self.claim(node)?;
                Some(vec![claim, answer(attempt, self.log.len() as u64 + 1)])
            }
        }
    }

    fn completes(&self, node: &str) -> Option<Vec<EventKind>> {
        if self.children.contains_key(node) {
            return self.child(node, Status::Completed);
        }
        self.answered(node, |attempt, fence| {
            EventKind::NodeCompleted(NodeCompleted {
                node_id: node.to_owned(),
                attempt,
                fence,
                output: "null".to_owned(),
                state_patch: "{}".to_owned(),
                duration_ms: 0,
                chosen_target: self.choices.get(node).cloned(),
                gen_ai: None,
                telemetry: None,
                edited_by: None,
            })
        })
    }

    fn fails(&self, node: &str) -> Option<Vec<EventKind>> {
        if self.approvals.contains(node) {
            return Some(vec![decided(node, ApprovalDecision::Rejected)]);
        }
        if self.children.contains_key(node) {
            return self.child(node, Status::Cancelled);
        }
        self.answered(node, |attempt, fence| {
            EventKind::NodeFailed(NodeFailed {
                node_id: node.to_owned(),
                attempt,
                fence,
                error: "boom".to_owned(),
                error_class: None,
                retryable: false,
                retry_after_ms: None,
            })
        })
    }

    fn child(&self, node: &str, status: Status) -> Option<Vec<EventKind>> {
        let (attempt, iteration, is_started) = *self.children.get(node)?;
        let child_id = format!("exec_{}", "c".repeat(32));
        let started = EventKind::ChildStarted(ChildStarted {
            node_id: node.to_owned(),
            attempt,
            iteration,
            child_id: child_id.clone(),
            workflow_digest: "0".repeat(64),
        });
        let ended = EventKind::ChildEnded(ChildEnded {
            node_id: node.to_owned(),
            attempt,
            iteration,
            child_id,
            status,
            sequence: 2,
            head: "0".repeat(64),
            output: (status == Status::Completed).then(|| "{}".to_owned()),
            error: None,
        });
        let is_detached = self.model.is_detached(node);
        Some(match (is_started, is_detached) {
            (true, _) => vec![ended],
            (false, true) => vec![started],
            (false, false) => vec![started, ended],
        })
    }
}

/// Things that go well in one execution.
const GOING_WELL_MAX: usize = 400;

fn decided(node: &str, decision: ApprovalDecision) -> EventKind {
    EventKind::ApprovalReceived(ApprovalReceived {
        node_id: node.to_owned(),
        user_id: "bob".to_owned(),
        decision,
        comment: None,
        state_patch: None,
        by: None,
    })
}

/// Whether a node that waits has come to its end by this, and was not stopped.
fn settles(kind: &EventKind, node: &str) -> bool {
    matches!(kind, EventKind::NodeSettled(it) if it.node_id == node)
}

/// Whether a node begins with this.
fn begins(kind: &EventKind, node: &str) -> bool {
    let of =
        |run: &str| run == node || run.strip_prefix(node).is_some_and(|it| it.starts_with('['));
    match kind {
        EventKind::NodeScheduled(it) => of(&it.node_id),
        EventKind::RetryScheduled(it) => of(&it.node_id),
        EventKind::ChildRequested(it) => of(&it.node_id),
        EventKind::MapExpanded(it) => of(&it.node_id),
        EventKind::InterruptRaised(it) => of(&it.node_id),
        EventKind::TimerCreated(it) => of(&it.node_id),
        EventKind::NodeSettled(it) => it.node_id == node,
        EventKind::NodeExhausted(it) => {
            let is_limit = matches!(it.cause, NodeFailure::LimitExceeded(_));
            is_limit && it.node_id == node
        }
        _ => false,
    }
}
