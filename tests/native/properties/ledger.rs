//! What a log says of each node and each edge, told by nobody but the log.

use std::collections::{BTreeMap, BTreeSet};

use refrain_guest::condition::{Expression, Scope};
use refrain_guest::contract::{
    CancelReason, ChildEnded, Event, EventKind, NodeCompleted, NodeExhausted, NodeFailure,
    NodeSettled, SkipReason, StallReason,
};
use refrain_guest::instance;
use refrain_guest::json::Object;
use refrain_guest::state::EdgeFate;
use refrain_guest::workflow::Plan;
use refrain_guest::workflow::plan::{Edge, EdgeRule, Gives, Kind, NodeIx, On, Subgraph};
use serde_json::json;

/// What a node has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Open,
    /// Completed, or skipped by an operator, which counts as that.
    Done,
    /// Skipped, because nothing leads to it.
    Unreached,
    /// Anything else that a node does not go on from by itself.
    Over,
}

/// A log, folded.
pub(crate) struct Ledger<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) nodes: Vec<Fate>,
    pub(crate) edges: Vec<EdgeFate>,
    /// The failed nodes whose failure an edge handles (rule R26).
    pub(crate) handled: BTreeSet<NodeIx>,
    /// The class of each node's last failed attempt, as its worker said.
    classes: BTreeMap<NodeIx, Option<String>>,
    input: String,
    data: Object,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            nodes: vec![Fate::Open; plan.nodes.len()],
            edges: vec![EdgeFate::Unsettled; plan.edges.len()],
            handled: BTreeSet::new(),
            classes: BTreeMap::new(),
            input: String::new(),
            data: Object::new(),
        }
    }

    /// The node that an event is about, where it is about one.
    pub(crate) fn subject(&self, kind: &EventKind) -> Option<NodeIx> {
        self.plan.find(subject(kind)?)
    }

    /// Rules R7, R9 and R10, as plainly as can be.
    pub(crate) fn read(&mut self, event: &Event) {
        let ix = self.subject(&event.kind);
        // What an instance of a map comes to changes neither state nor edges (rule R21), nor
        // does what a compensation comes to (rule R27).
        let is_other = |id| instance::parse(id).is_some() || instance::undone(id).is_some();
        if subject(&event.kind).is_some_and(is_other) {
            return;
        }
        let fate = match &event.kind {
            EventKind::WorkflowStarted(it) => {
                self.input.clone_from(&it.initial_input);
                return;
            }
            EventKind::NodeCompleted(NodeCompleted {
                state_patch,
                chosen_target,
                ..
            })
            | EventKind::NodeSettled(NodeSettled {
                state_patch,
                chosen_target,
                ..
            }) => {
                self.data
                    .merge(Object::parse(state_patch).expect("an object"));
                self.judge(ix, chosen_target.as_deref());
                Fate::Done
            }
            EventKind::NodeSkipped(it) if it.reason == SkipReason::ByOperator => {
                self.judge(ix, None);
                Fate::Done
            }
            EventKind::NodeCancelled(it) if it.reason == CancelReason::ByOperator => {
                self.judge(ix, None);
                Fate::Done
            }
            EventKind::NodeSkipped(it) if it.reason == SkipReason::Unreached => {
                self.settle(ix, |_| false);
                Fate::Unreached
            }
            EventKind::NodeSkipped(it) if it.reason == SkipReason::NotNeeded => {
                self.settle(ix, |_| false);
                Fate::Over
            }
            EventKind::NodeCancelled(it) if it.reason == CancelReason::JoinSatisfied => {
                self.settle(ix, |_| false);
                Fate::Over
            }
            EventKind::NodeExhausted(it) => {
                self.judge_failure(ix.expect("a node"), it);
                Fate::Over
            }
            EventKind::NodeFailed(it) => {
                self.classes
                    .insert(ix.expect("a node"), it.error_class.clone());
                return;
            }
            EventKind::ChildStarted(_) if self.child(ix).gives == Gives::Detached => {
                self.judge(ix, None);
                Fate::Done
            }
            EventKind::ChildEnded(it) => match self.patch_of_child(ix, it) {
                None => return,
                Some(patch) => {
                    self.data.merge(Object::parse(&patch).expect("an object"));
                    self.judge(ix, None);
                    Fate::Done
                }
            },
            EventKind::NodeSkipped(_) | EventKind::NodeCancelled(_) => Fate::Over,
            EventKind::RetryRequested(_) => Fate::Open,
            _ => return,
        };
        if let Some(ix) = ix {
            self.nodes[ix.0 as usize] = fate;
        }
    }

    /// The merged state.
    pub(crate) fn state(&self) -> String {
        self.data.to_text()
    }

    fn child(&self, ix: Option<NodeIx>) -> &'a Subgraph {
        let node = &self.plan.nodes[ix.expect("a node").0 as usize];
        match &node.kind {
            Kind::Subgraph(subgraph) => subgraph,
            kind => panic!("{} starts no child: {kind:?}", node.id),
        }
    }

    /// Rules R22 and R23: what a node completes with as its child ends, if it does.
    fn patch_of_child(&self, ix: Option<NodeIx>, ended: &ChildEnded) -> Option<String> {
        let child = self.child(ix);
        let output = ended.output.as_ref()?;
        let iteration = ended.iteration.to_string();
        let scope = Scope::new(&self.input, &self.data).in_node(&ended.node_id);
        let scope = scope.in_iteration(output, &iteration);
        if let Some(repeat) = &child.repeat
            && repeat.condition.is_true(&scope)
            && (ended.iteration + 1 < repeat.max || !repeat.completes_at_max)
        {
            return None;
        }
        Some(match &child.gives {
            Gives::Merged => output.clone(),
            Gives::Under(key) => {
                let key = json!(key.as_deref().unwrap_or(&ended.node_id));
                format!("{{{key}:{output}}}")
            }
            Gives::Detached => "{}".to_owned(),
        })
    }

    fn judge(&mut self, ix: Option<NodeIx>, chosen: Option<&str>) {
        let (plan, data, input) = (self.plan, self.data.clone(), self.input.clone());
        let scope = Scope::new(&input, &data);
        self.settle(ix, |edge| {
            let edge = &plan.edges[edge];
            match (chosen, &edge.rule) {
                _ if edge.on == On::Failure => false,
                (Some(target), _) => plan.nodes[edge.to.0 as usize].id == target,
                (None, EdgeRule::Chosen) => false,
                (None, EdgeRule::Ordinary(condition)) => {
                    condition.as_ref().is_none_or(|it| it.is_true(&scope))
                }
            }
        });
    }

    /// Rule R26: a live edge handles the failure, and then all others are dead.
    fn judge_failure(&mut self, ix: NodeIx, exhausted: &NodeExhausted) {
        let (class, message) = match &exhausted.cause {
            NodeFailure::AttemptFailed(error) => {
                (self.classes.get(&ix).cloned().flatten(), Some(error))
            }
            cause => (Some(cause.code().to_owned()), None),
        };
        let error = json!({"class": class, "message": message, "attempts": exhausted.attempts});
        let (plan, data, input) = (self.plan, self.data.clone(), self.input.clone());
        let error = error.to_string();
        let scope = Scope::new(&input, &data).with_error(&error);
        let holds = |condition: &Option<Expression>| {
            let condition = condition.as_ref();
            condition.is_none_or(|condition| condition.is_true(&scope))
        };
        let is_live = |edge: usize| match &plan.edges[edge] {
            Edge {
                on: On::Success, ..
            } => false,
            Edge { rule, .. } => matches!(rule, EdgeRule::Ordinary(it) if holds(it)),
        };
        let node = &plan.nodes[ix.0 as usize];
        let mut outgoing = node.outgoing.clone().map(|edge| edge as usize);
        if outgoing.any(is_live) || node.failure_ends.iter().any(holds) {
            self.settle(Some(ix), is_live);
            self.handled.insert(ix);
        }
    }

    fn settle(&mut self, ix: Option<NodeIx>, is_live: impl Fn(usize) -> bool) {
        let outgoing = ix.map_or(0..0, |ix| self.plan.nodes[ix.0 as usize].outgoing.clone());
        for edge in outgoing.map(|edge| edge as usize) {
            self.edges[edge] = match is_live(edge) {
                true => EdgeFate::Live,
                false => EdgeFate::Dead,
            };
        }
    }

    /// What became of the edges that lead to a node.
    pub(crate) fn incoming(&self, ix: NodeIx) -> impl Iterator<Item = EdgeFate> {
        let incoming = self.plan.nodes[ix.0 as usize].incoming.iter();
        incoming.map(|edge| self.edges[edge.0 as usize])
    }
}

/// How often each node's last attempt was given back (rule R25).
#[derive(Default)]
pub(crate) struct Releases(BTreeMap<String, u32>);

impl Releases {
    /// Whether this event ends an attempt, because it is given back once more than
    /// it may be.
    pub(crate) fn end(&mut self, kind: &EventKind) -> bool {
        match kind {
            EventKind::NodeReleased(it) => {
                let releases = self.0.entry(it.node_id.clone()).or_default();
                *releases += 1;
                *releases > 10
            }
            EventKind::RetryScheduled(it) => {
                self.0.remove(&it.node_id);
                false
            }
            _ => false,
        }
    }
}

/// The id of the node that an event is about.
pub(crate) fn subject(kind: &EventKind) -> Option<&str> {
    Some(match kind {
        EventKind::NodeScheduled(it) => &it.node_id,
        EventKind::NodeStarted(it) => &it.node_id,
        EventKind::NodeCompleted(it) => &it.node_id,
        EventKind::NodeSettled(it) => &it.node_id,
        EventKind::NodeFailed(it) => &it.node_id,
        EventKind::LeaseExpired(it) => &it.node_id,
        EventKind::NodeReleased(it) => &it.node_id,
        EventKind::NodeTimedOut(it) => &it.node_id,
        EventKind::NodeExhausted(it) => &it.node_id,
        EventKind::NodeSkipped(it) => &it.node_id,
        EventKind::NodeCancelled(it) => &it.node_id,
        EventKind::RetryScheduled(it) => &it.node_id,
        EventKind::InterruptRaised(it) => &it.node_id,
        EventKind::ApprovalReceived(it) => &it.node_id,
        EventKind::TimerCreated(it) => &it.node_id,
        EventKind::TimerFired(it) => &it.node_id,
        EventKind::ChildRequested(it) => &it.node_id,
        EventKind::ChildStarted(it) => &it.node_id,
        EventKind::ChildRefused(it) => &it.node_id,
        EventKind::ChildEnded(it) => &it.node_id,
        EventKind::RetryRequested(it) | EventKind::SkipRequested(it) => &it.node_id,
        EventKind::Stalled(it) => match &it.reason {
            StallReason::AttemptsExhausted(it) => &it.node_id,
            StallReason::BudgetExceeded(_) => return None,
        },
        _ => return None,
    })
}
