//! What the log says happened: an event, a line.

use std::collections::{BTreeMap, BTreeSet};

use refrain_guest::condition::Scope;
use refrain_guest::contract::{
    Budget, CancelReason, Event, EventKind, NodeCompleted, NodeFailure, NodeSettled, SkipReason,
    StallReason, Status, WorkflowStarted,
};
use refrain_guest::json::Object;
use serde_json::value::RawValue;

use super::attempt::{self, Failure};
use super::budget::Spent;
use super::ended::Fixed;
use super::graph::{Graph, expression};
use super::record::{Record, Stage, Wait};
use super::signals::Signal;

/// What happened so far.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) started: WorkflowStarted,
    pub(super) started_at: u64,
    /// The last reading of the clock.
    pub(super) at: u64,
    pub(super) nodes: Vec<Record>,
    /// Whether each edge is live; None: it is not settled.
    pub(super) live: Vec<Option<bool>>,
    state: BTreeMap<String, Box<RawValue>>,
    /// How nodes failed whose failure an edge has handled (rule R26).
    pub(super) errors: BTreeMap<String, Box<RawValue>>,
    /// The external events that no wait has consumed: key and payload.
    pub(super) signals: Vec<Signal>,
    /// The cancel request, and its reason.
    pub(super) cancel: Option<Option<String>>,
    pub(super) timed_out: bool,
    /// What fixed the ending before everything was done.
    pub(super) fixed: Option<Fixed>,
    pub(super) spent: Spent,
    /// Nodes that a settled join does without (rule R24).
    pub(super) unneeded: BTreeSet<usize>,
    /// It is stalled on a budget.
    pub(super) stalled_on_budget: bool,
    /// The budget that it was stalled on last.
    pub(super) last_budget: Option<Budget>,
    /// Once finalizers began: whether a node had failed by then.
    pub(super) finalizing_failed: Option<bool>,
    /// A compensation has begun (rule R27).
    pub(super) compensating: bool,
    pub(super) paused: bool,
    pub(super) host_stall: bool,
    /// The node that the execution is stalled on.
    pub(super) stalled_on: Option<usize>,
    pub(super) ended: Option<Status>,
    /// What completed instances of maps have produced.
    pub(super) outputs: BTreeMap<usize, String>,
    /// The maps that were expanded: also those without elements.
    pub(super) was_expanded: BTreeSet<String>,
}

impl Past {
    pub(super) fn new(graph: &Graph, first: &Event) -> Self {
        let EventKind::WorkflowStarted(started) = &first.kind else {
            panic!("event 1 is workflow_started, not {first:?}");
        };
        let record = |node| Record {
            stage: Stage::Pending,
            attempt: 0,
            releases: 0,
            handled: false,
            iteration: 0,
            max_attempts: attempt::max_attempts(&attempt::policy(graph, node)),
            skip_asked_for: None,
        };
        Self {
            started: started.clone(),
            started_at: first.at,
            at: first.at,
            nodes: (0..graph.nodes.len()).map(record).collect(),
            live: vec![None; graph.edges.len()],
            state: BTreeMap::new(),
            errors: BTreeMap::new(),
            signals: Vec::new(),
            cancel: None,
            timed_out: false,
            fixed: None,
            spent: Spent::default(),
            unneeded: BTreeSet::new(),
            stalled_on_budget: false,
            last_budget: None,
            finalizing_failed: None,
            compensating: false,
            paused: false,
            host_stall: false,
            stalled_on: None,
            ended: None,
            outputs: BTreeMap::new(),
            was_expanded: BTreeSet::new(),
        }
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.host_stall || self.stalled_on.is_some() || self.stalled_on_budget
    }

    /// The state as text: keys sorted, values verbatim.
    pub(super) fn state(&self) -> String {
        serde_json::to_string(&self.state).expect("the state can be written")
    }

    /// Whether a condition holds on state and input.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.seen(|scope| expression(text).is_true(scope))
    }

    pub(super) fn seen<T>(&self, look: impl FnOnce(&Scope<'_>) -> T) -> T {
        let state = Object::parse(&self.state()).expect("the state is an object");
        let errors = serde_json::to_string(&self.errors).expect("errors can be written");
        let errors = Object::parse(&errors).expect("errors are an object");
        look(&Scope::new(&self.started.initial_input, &state).with_errors(&errors))
    }

    /// Takes in the next event.
    pub(super) fn observe(&mut self, graph: &Graph, event: &Event) {
        self.at = event.at;
        let known = self.observe_execution(graph, event)
            || self.observe_work(graph, event)
            || self.observe_end_of_node(graph, event)
            || self.observe_wait(graph, event)
            || self.observe_child(graph, event);
        assert!(known, "no scheduler takes this yet: {event:?}");
    }

    /// Whether the event is of the execution as a whole, or an operator's about a node.
    fn observe_execution(&mut self, graph: &Graph, event: &Event) -> bool {
        match &event.kind {
            EventKind::WorkflowStarted(_) | EventKind::GuestChanged(_) => {}
            EventKind::WorkflowCompleted(_) => self.ended = Some(Status::Completed),
            EventKind::WorkflowFailed(_) => self.ended = Some(Status::Failed),
            EventKind::WorkflowCancelled(_) => self.ended = Some(Status::Cancelled),
            EventKind::WorkflowTimedOut => {
                self.timed_out = true;
                self.stalled_on_budget = false;
            }
            EventKind::CancelRequested(it) => {
                self.cancel = Some(it.reason.clone());
                self.stalled_on = None;
                self.stalled_on_budget = false;
            }
            EventKind::ExecutionPaused(_) => self.paused = true,
            EventKind::ExecutionUnpaused(_) => self.paused = false,
            EventKind::RetryRequested(it) => self.reopen(graph, graph.place(&it.node_id)),
            EventKind::SkipRequested(it) => {
                let node = graph.place(&it.node_id);
                self.nodes[node].skip_asked_for = Some(event.sequence);
                self.lift(node);
            }
            EventKind::Stalled(it) => match &it.reason {
                StallReason::AttemptsExhausted(it) => {
                    self.stalled_on = Some(graph.place(&it.node_id));
                }
                StallReason::BudgetExceeded(excess) => {
                    self.stalled_on_budget = true;
                    self.last_budget = Some(excess.budget);
                }
            },
            EventKind::ExecutionForked(_) => self.fork(graph, event),
            EventKind::HostStalled(_) => self.host_stall = true,
            EventKind::StallLifted(_) if self.host_stall => self.host_stall = false,
            EventKind::StallLifted(_) => self.switch_off(),
            _ => return false,
        }
        true
    }

    /// Whether the event is of an attempt of a node.
    fn observe_work(&mut self, graph: &Graph, event: &Event) -> bool {
        match &event.kind {
            EventKind::NodeScheduled(it) => {
                self.first_finalizer(graph, graph.place(&it.node_id));
                self.note_undo(graph, graph.place(&it.node_id));
                self.order(graph.place(&it.node_id), it.attempt);
            }
            EventKind::RetryScheduled(it) => self.order(graph.place(&it.node_id), it.attempt),
            EventKind::NodeStarted(it) => {
                self.set(graph.place(&it.node_id), Stage::Running { since: event.at });
            }
            EventKind::NodeFailed(it) => {
                let failure = Failure::reported(it);
                self.set(graph.place(&it.node_id), Stage::Failing(failure));
            }
            EventKind::NodeReleased(it) => {
                let node = graph.place(&it.node_id);
                self.nodes[node].releases += 1;
                let stage = match self.nodes[node].releases {
                    0..=10 => Stage::Scheduled,
                    _ => Stage::Failing(Failure::nobody_answers()),
                };
                self.set(node, stage);
            }
            EventKind::LeaseExpired(it) => {
                let stage = Stage::Failing(Failure::nobody_answers());
                self.set(graph.place(&it.node_id), stage);
            }
            EventKind::NodeTimedOut(it) => {
                let node = graph.place(&it.node_id);
                let timeout_ms = graph.node_timeout_ms(node).unwrap_or(0);
                if graph.nodes[node].name() == "subgraph" {
                    self.lose(graph, node, NodeFailure::Timeout(timeout_ms), true);
                    return true;
                }
                self.set(node, Stage::Failing(Failure::timeout(timeout_ms)));
            }
            _ => return false,
        }
        true
    }

    /// Whether the event settles a node.
    fn observe_end_of_node(&mut self, graph: &Graph, event: &Event) -> bool {
        if self.observe_end_of_undo(graph, event) || self.observe_end_of_instance(graph, event) {
            return true;
        }
        match &event.kind {
            EventKind::NodeCompleted(NodeCompleted {
                node_id,
                state_patch,
                chosen_target,
                ..
            })
            | EventKind::NodeSettled(NodeSettled {
                node_id,
                state_patch,
                chosen_target,
                ..
            }) => {
                let node = graph.place(node_id);
                self.consume(graph, node);
                self.merge(state_patch);
                self.settle(graph, node, Stage::Completed, chosen_target.as_deref());
                self.note_end(graph, node);
                self.note_spent(graph, &event.kind);
            }
            EventKind::NodeExhausted(it) => {
                self.note_undo(graph, graph.place(&it.node_id));
                self.fail(graph, it);
            }
            EventKind::NodeSkipped(it) => {
                let node = graph.place(&it.node_id);
                match it.reason {
                    SkipReason::ByOperator => self.settle(graph, node, Stage::Skipped, None),
                    _ => {
                        self.first_finalizer(graph, node);
                        self.stop(node, Stage::Skipped);
                        self.kill(graph, node);
                    }
                }
            }
            EventKind::NodeCancelled(it) => {
                let node = graph.place(&it.node_id);
                match it.reason {
                    CancelReason::ByOperator => self.settle(graph, node, Stage::Cancelled, None),
                    CancelReason::JoinSatisfied => {
                        self.stop(node, Stage::Cancelled);
                        self.kill(graph, node);
                    }
                    _ => self.stop(node, Stage::Cancelled),
                }
            }
            _ => return false,
        }
        true
    }

    /// Whether the event is of something that is waited for.
    fn observe_wait(&mut self, graph: &Graph, event: &Event) -> bool {
        match &event.kind {
            EventKind::InterruptRaised(it) => {
                self.wait(
                    graph.place(&it.node_id),
                    event.sequence,
                    it.expires_at,
                    None,
                );
            }
            EventKind::TimerCreated(it) => {
                let key = it.correlation_key.clone();
                self.wait(graph.place(&it.node_id), event.sequence, it.fire_at, key);
            }
            EventKind::TimerFired(it) => self.waiting(graph.place(&it.node_id)).fired = true,
            EventKind::ApprovalReceived(it) => {
                self.waiting(graph.place(&it.node_id)).approval = Some(it.clone());
            }
            EventKind::ExternalEventReceived(it) => {
                self.signals.push(Signal {
                    sequence: event.sequence,
                    key: it.correlation_key.clone(),
                    payload: it.payload.clone(),
                });
            }
            _ => return false,
        }
        true
    }

    fn set(&mut self, node: usize, stage: Stage) {
        self.nodes[node].stage = stage;
    }

    /// What was asked for it is done or too late, and nothing stalls on it.
    pub(super) fn stop(&mut self, node: usize, stage: Stage) {
        self.set(node, stage);
        self.unneeded.remove(&node);
        self.nodes[node].skip_asked_for = None;
        self.lift(node);
    }

    fn order(&mut self, node: usize, attempt: u32) {
        self.stop(node, Stage::Scheduled);
        self.nodes[node].attempt = attempt;
        self.nodes[node].releases = 0;
    }

    pub(super) fn wait(
        &mut self,
        node: usize,
        since: u64,
        until: Option<u64>,
        key: Option<String>,
    ) {
        let wait = Wait {
            since,
            began_at: self.at,
            until,
            key,
            fired: false,
            approval: None,
        };
        self.stop(node, Stage::Waiting(wait));
    }

    fn waiting(&mut self, node: usize) -> &mut Wait {
        match &mut self.nodes[node].stage {
            Stage::Waiting(wait) => wait,
            other => panic!("node {node} does not wait, it is {other:?}"),
        }
    }

    /// R16: which ending the finalizers run on is judged when they begin.
    fn first_finalizer(&mut self, graph: &Graph, node: usize) {
        if graph.nodes[node].run_on().is_some() && self.finalizing_failed.is_none() {
            let failed = |(node, record): (usize, &Record)| {
                let it = &graph.nodes[node];
                record.fails_execution() && it.instance.is_none() && it.undo.is_none()
            };
            self.finalizing_failed = Some(self.nodes.iter().enumerate().any(failed));
        }
    }

    /// Law 11: what was in flight waits again, what was waited for is waited for anew,
    /// and time counts from here.
    fn fork(&mut self, graph: &Graph, event: &Event) {
        self.started_at = event.at;
        for node in 0..self.nodes.len() {
            if let Stage::Child { .. } = self.nodes[node].stage {
                self.nodes[node].attempt -= 1;
                self.set(node, Stage::Pending);
                continue;
            }
            let begins = match &self.nodes[node].stage {
                Stage::Running { .. } => Stage::Scheduled,
                Stage::Waiting(wait)
                    if graph.nodes[node].name() != "map"
                        && !wait.fired
                        && wait.approval.is_none()
                        && self.serving(graph, node).is_none() =>
                {
                    Stage::Pending
                }
                _ => continue,
            };
            self.set(node, begins);
        }
    }

    /// R20: the node is ready once more, with a fresh budget of attempts.
    fn reopen(&mut self, graph: &Graph, node: usize) {
        self.stop(node, Stage::Pending);
        let policy = attempt::policy(graph, node);
        let record = &mut self.nodes[node];
        record.max_attempts = record.attempt + attempt::max_attempts(&policy);
        self.reopen_instances(graph, node);
    }

    /// R11: nothing stalls on the node any more.
    fn lift(&mut self, node: usize) {
        self.stalled_on = self.stalled_on.filter(|on| *on != node);
    }

    /// R10: the patch's top-level keys replace those of the state.
    pub(super) fn merge(&mut self, patch: &str) {
        let patch: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(patch).expect("a patch is an object");
        self.state.extend(patch);
    }
}
