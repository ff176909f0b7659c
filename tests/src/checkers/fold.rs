//! What a log comes to: an own fold, in plain code.
//!
//! It knows the events' meaning and nothing of graphs: not which node should
//! run, but which items are in flight, what the execution is, when time alone
//! would change it. It takes whatever it is given, legal or not; judging is
//! the checkers' business.

use std::collections::BTreeMap;

use refrain::model::{
    ChildEnded, Event, EventKind, LeaseExpired, NodeExhausted, NodeFailed, NodeTimedOut, Status,
    instance_of, is_node,
};
use refrain::render;
use refrain::store::Timestamp;
use serde_json::value::RawValue;

use super::deadlines::Deadlines;

/// What a policy stalls an execution on, where it is no node.
const BUDGET: &str = "";

/// What a log comes to.
#[derive(Clone, Debug)]
pub struct Fold {
    /// What is known of each node that an event names.
    pub nodes: BTreeMap<String, Node>,
    /// What the execution is.
    pub status: Status,
    /// Why it is stalled, if it is.
    pub stall: Option<String>,
    /// Whether its host stalled it, because its guest failed.
    pub stalled_by_host: bool,
    /// When time alone could change what is decided.
    pub next_wake: Option<Timestamp>,
    /// When the workflow's own timeout passes, while that still matters.
    pub workflow_deadline: Option<Timestamp>,
    /// The guest that it belongs to.
    pub guest_digest: Option<String>,
    /// The merged state: values verbatim, by key.
    pub state: BTreeMap<String, String>,
}

/// One node.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its work item: unsettled, or a dead letter.
    pub item: Option<Item>,
    /// Whether it waits for a time, an external event, a person or a child.
    pub waits: bool,
    /// When time alone ends its attempt or its wait.
    pub deadline: Option<Timestamp>,
    /// Whether its child came to nothing, and nothing was decided since: when the next one
    /// may begin is for its guest to say.
    pub lost_child: bool,
    queue: String,
}

/// One work item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The attempt.
    pub attempt: u32,
    /// The queue that it is on.
    pub queue: String,
    /// Its digest, as its decision names it.
    pub digest: String,
    /// It may not be claimed before.
    pub not_before: Timestamp,
    /// When it was ordered.
    pub enqueued_at: Timestamp,
    /// How often it was given back.
    pub releases: u32,
    /// Where it is.
    pub place: Place,
}

/// Where a work item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It waits for a worker.
    Waiting,
    /// A worker holds it.
    Held {
        /// The worker.
        worker_id: String,
        /// By which claim.
        fence: u64,
    },
    /// Its attempt failed, and no further one is ordered yet.
    Dead {
        /// The error.
        error: String,
        /// Since when.
        since: Timestamp,
    },
}

impl Item {
    /// Since when it may be claimed.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.not_before.max(self.enqueued_at)
    }

    /// Whether it is in flight (rule R4).
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        !matches!(self.place, Place::Dead { .. })
    }
}

impl Fold {
    /// What these events come to, under these deadlines.
    #[must_use]
    pub fn of<'a>(deadlines: &Deadlines, log: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut folding = Folding::default();
        for event in log {
            folding.take(deadlines, event);
        }
        folding.outcome()
    }
}

/// The fold on its way.
#[derive(Default)]
pub(super) struct Folding {
    nodes: BTreeMap<String, Node>,
    state: BTreeMap<String, String>,
    input: String,
    guest_digest: Option<String>,
    ended: Option<Status>,
    paused: bool,
    host_stall: Option<String>,
    policy_stall: Option<(String, String)>,
    ending: bool,
    workflow_deadline: Option<Timestamp>,
}

impl Folding {
    /// Take the next event.
    pub(super) fn take(&mut self, deadlines: &Deadlines, event: &Event) {
        use EventKind as Kind;
        let at = event.at;
        match &event.kind {
            Kind::WorkflowStarted(it) => {
                self.guest_digest = Some(it.guest_digest.to_string());
                self.input.clone_from(&it.initial_input);
                self.workflow_deadline = deadlines.workflow.map(|span| at.saturating_add(span));
            }
            Kind::WorkflowCompleted(_) => self.ended = Some(Status::Completed),
            Kind::WorkflowFailed(_) => self.ended = Some(Status::Failed),
            Kind::WorkflowCancelled(_) => self.ended = Some(Status::Cancelled),
            Kind::WorkflowTimedOut => {
                self.ending = true;
                self.lift(BUDGET);
            }
            Kind::CancelRequested(_) => {
                self.ending = true;
                self.policy_stall = None;
            }
            Kind::ExecutionPaused(_) => self.paused = true,
            Kind::ExecutionUnpaused(_) => self.paused = false,
            Kind::Stalled(it) => {
                let on = it.node_id().unwrap_or(BUDGET).to_owned();
                self.policy_stall = Some((on, render::stall(&it.reason)));
            }
            Kind::HostStalled(it) => self.host_stall = Some(it.reason.clone()),
            Kind::StallLifted(_) if self.host_stall.is_some() => self.host_stall = None,
            Kind::StallLifted(_) => self.lift(BUDGET),
            Kind::RetryRequested(it) => self.lift(&it.node_id),
            Kind::SkipRequested(it) => self.lift(&it.node_id),
            Kind::GuestChanged(it) => self.guest_digest = Some(it.guest_digest.to_string()),
            Kind::ExternalEventReceived(_) => {}
            Kind::ExecutionForked(_) => self.fork(deadlines, at),
            _ => self.take_of_node(deadlines, event),
        }
    }

    /// A fork begins anew what was under way, and its time counts from there.
    fn fork(&mut self, deadlines: &Deadlines, at: Timestamp) {
        self.workflow_deadline = deadlines.workflow.map(|span| at.saturating_add(span));
        for node in self.nodes.values_mut() {
            node.waits = false;
            node.deadline = None;
            if let Some(item) = &mut node.item
                && let Place::Held { .. } = item.place
            {
                item.place = Place::Waiting;
            }
        }
    }

    /// An event about one node.
    fn take_of_node(&mut self, deadlines: &Deadlines, event: &Event) {
        use EventKind as Kind;
        let at = event.at;
        match &event.kind {
            Kind::NodeScheduled(it) => {
                let node = self.node(&it.node_id);
                node.queue.clone_from(&it.queue);
                node.order(it.attempt, &it.item_digest.to_string(), at, at);
            }
            Kind::RetryScheduled(it) => {
                let not_before = at.saturating_add(it.delay_ms);
                let node = self.node(&it.node_id);
                node.order(it.attempt, &it.item_digest.to_string(), at, not_before);
            }
            Kind::NodeStarted(it) => {
                let timeout = deadlines.of_attempt(&it.node_id);
                let node = self.node(&it.node_id);
                node.deadline = timeout.map(|span| at.saturating_add(span));
                node.place(Place::Held {
                    worker_id: it.worker_id.clone(),
                    fence: event.sequence,
                });
            }
            Kind::NodeReleased(it) => self.node(&it.node_id).release(at),
            Kind::NodeCompleted(it) => {
                self.node(&it.node_id).settle();
                if is_node(&it.node_id) {
                    self.merge(&it.state_patch);
                }
            }
            Kind::NodeSettled(it) => {
                if deadlines.terminates.contains(&it.node_id) {
                    self.lift(BUDGET);
                }
                self.node(&it.node_id).settle();
                self.merge(&it.state_patch);
            }
            Kind::LeaseExpired(LeaseExpired { node_id, .. })
            | Kind::NodeFailed(NodeFailed { node_id, .. })
            | Kind::NodeTimedOut(NodeTimedOut { node_id, .. })
            | Kind::NodeExhausted(NodeExhausted { node_id, .. }) => {
                let error = render::error(&event.kind).unwrap_or_default();
                let is_over = matches!(event.kind, Kind::NodeExhausted(_));
                let node = self.node(node_id);
                node.dead_letter(&error, at);
                node.lost_child = !is_over && deadlines.child(node_id).is_some();
            }
            Kind::ChildRequested(it) => {
                let timeout = deadlines.of_child(&it.node_id);
                let node = self.node(&it.node_id);
                node.lost_child = false;
                node.wait(timeout.map(|span| at.saturating_add(span)));
            }
            Kind::ChildStarted(it) if deadlines.is_detached(&it.node_id) => {
                self.node(&it.node_id).settle();
            }
            Kind::ChildRefused(it) => self.node(&it.node_id).lose_child(),
            Kind::ChildEnded(it) => self.end_child(deadlines, it),
            Kind::NodeSkipped(it) => self.dismiss(&it.node_id),
            Kind::NodeCancelled(it) => self.dismiss(&it.node_id),
            Kind::InterruptRaised(it) => self.node(&it.node_id).wait(it.expires_at),
            Kind::TimerCreated(it) => self.node(&it.node_id).wait(it.fire_at),
            Kind::ApprovalReceived(it) => self.node(&it.node_id).deadline = None,
            Kind::TimerFired(it) => self.node(&it.node_id).deadline = None,
            _ => {}
        }
    }

    fn end_child(&mut self, deadlines: &Deadlines, ended: &ChildEnded) {
        let node_id = &ended.node_id;
        if ended.status != Status::Completed {
            return self.node(node_id).lose_child();
        }
        self.node(node_id).settle();
        let child = deadlines.child(node_id);
        match child.and_then(|child| child.patch(ended, &self.input, &self.state)) {
            Some(patch) if instance_of(node_id).is_none() => self.merge(&patch),
            Some(_) => {}
            // It may be the last that may follow.
            None => self.node(node_id).lost_child = true,
        }
    }

    fn node(&mut self, id: &str) -> &mut Node {
        self.nodes.entry(id.to_owned()).or_default()
    }

    fn dismiss(&mut self, id: &str) {
        self.node(id).settle();
        self.lift(id);
    }

    /// A policy's stall on this node is over.
    fn lift(&mut self, id: &str) {
        if self.policy_stall.as_ref().is_some_and(|(on, _)| on == id) {
            self.policy_stall = None;
        }
    }

    fn merge(&mut self, patch: &str) {
        if let Ok(patch) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(patch) {
            let patch = patch.into_iter();
            self.state
                .extend(patch.map(|(key, value)| (key, value.get().to_owned())));
        }
    }

    /// What the execution is, so far.
    pub(super) fn status(&self) -> Status {
        let is_stalled = self.host_stall.is_some() || self.policy_stall.is_some();
        match self.ended {
            Some(ended) => ended,
            None if is_stalled => Status::Stalled,
            None if self.paused => Status::Paused,
            None => Status::Running,
        }
    }

    /// What is known of each node, so far.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(id, node)| (id.as_str(), node))
    }

    /// The queue on which this node's item waits for a worker, and since when.
    pub(super) fn waits_since(&self, node_id: &str) -> Option<(&str, Timestamp)> {
        let item = self.nodes.get(node_id)?.item.as_ref()?;
        let waits = item.place == Place::Waiting;
        waits.then(|| (item.queue.as_str(), item.since()))
    }

    fn outcome(self) -> Fold {
        let stalled_by_host = self.host_stall.is_some();
        let status = self.status();
        let of_policy = self.policy_stall.map(|(_, reason)| reason);
        let stall = self.host_stall.or(of_policy);
        let deadlines = self.nodes.values().filter_map(|node| node.deadline);
        let of_workflow = self.workflow_deadline.filter(|_| !self.ending);
        let sleeps = self.ended.is_some() || stalled_by_host;
        Fold {
            next_wake: deadlines.chain(of_workflow).min().filter(|_| !sleeps),
            workflow_deadline: of_workflow,
            nodes: self.nodes,
            status,
            stall,
            stalled_by_host,
            guest_digest: self.guest_digest,
            state: self.state,
        }
    }
}

impl Node {
    fn order(&mut self, attempt: u32, digest: &str, at: Timestamp, not_before: Timestamp) {
        self.deadline = None;
        self.item = Some(Item {
            attempt,
            queue: self.queue.clone(),
            digest: digest.to_owned(),
            not_before,
            enqueued_at: at,
            releases: 0,
            place: Place::Waiting,
        });
    }

    fn place(&mut self, place: Place) {
        if let Some(item) = &mut self.item {
            item.place = place;
        }
    }

    /// The eleventh time, nobody is expected to answer any longer.
    fn release(&mut self, at: Timestamp) {
        self.deadline = None;
        let Some(item) = &mut self.item else {
            return;
        };
        item.releases += 1;
        item.place = Place::Waiting;
        if item.releases > 10 {
            self.dead_letter("lease expired: worker presumed dead", at);
        }
    }

    fn settle(&mut self) {
        *self = Self {
            queue: std::mem::take(&mut self.queue),
            ..Self::default()
        };
    }

    fn lose_child(&mut self) {
        self.waits = false;
        self.deadline = None;
        self.lost_child = true;
    }

    fn dead_letter(&mut self, error: &str, since: Timestamp) {
        self.waits = false;
        self.deadline = None;
        if let Some(item) = &mut self.item {
            item.releases = 0;
        }
        self.place(Place::Dead {
            error: error.to_owned(),
            since,
        });
    }

    fn wait(&mut self, until: Option<Timestamp>) {
        self.waits = true;
        self.deadline = until;
    }
}
