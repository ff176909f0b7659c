//! What must be decided next: the rules in their order, each a scan.

use refrain_guest::contract::{
    CancelReason, EventKind, MissedEvent, NodeExhausted, NodeFailure, NodeTimedOut, RetryScheduled,
    SkipReason, StallReason, Stalled, TimerFired,
};

use super::attempt::{Failure, policy};
use super::ended::Fixed;
use super::fill;
use super::graph::Graph;
use super::past::Past;
use super::record::{Record, Stage, Wait};

/// One question, with all that an answer may depend on.
pub(super) struct Question<'a> {
    pub(super) graph: &'a Graph,
    pub(super) past: &'a Past,
    pub(super) now: u64,
    pub(super) budget: u32,
}

/// When several hold in one step: operators before cancel before timeout
/// before failure before what is ready before the endings (rule R17).
pub(super) fn next(graph: &Graph, past: &Past, now: u64, budget: u32) -> Option<EventKind> {
    let question = Question {
        graph,
        past,
        now,
        budget,
    };
    if past.ended.is_some() || past.host_stall {
        return None;
    }
    question
        .skip_asked_for()
        .or_else(|| question.stops())
        .or_else(|| question.unneeded())
        .or_else(|| question.workflow_timed_out())
        .or_else(|| question.time_came())
        .or_else(|| question.budget_spent())
        .or_else(|| question.failed())
        .or_else(|| question.ready())
        .or_else(|| question.ends())
}

/// The earliest deadline that has not come.
pub(super) fn next_wake(graph: &Graph, past: &Past) -> Option<u64> {
    let question = Question {
        graph,
        past,
        now: u64::MAX,
        budget: 0,
    };
    if past.ended.is_some() || past.host_stall {
        return None;
    }
    let of_nodes = (0..graph.nodes.len()).filter_map(|node| question.deadline(node));
    of_nodes.chain(question.workflow_deadline()).min()
}

impl Question<'_> {
    pub(super) fn nodes(&self) -> impl Iterator<Item = (usize, &Record)> {
        self.past.nodes.iter().enumerate()
    }

    pub(super) fn id(&self, node: usize) -> String {
        self.graph.nodes[node].id.clone()
    }

    /// R18: nothing new may be ordered, and nothing may end.
    pub(super) fn is_held(&self) -> bool {
        self.past.paused || self.past.is_stalled()
    }

    /// R14, R17, R24, R28: no ordinary node goes on.
    pub(super) fn is_stopping(&self) -> bool {
        self.past.cancel.is_some() || self.past.timed_out || self.past.fixed.is_some()
    }

    // ---- skips (R9) ----------------------------------------------------------

    /// In the order in which it was asked for them.
    fn skip_asked_for(&self) -> Option<EventKind> {
        let asked = |(node, record): (usize, &Record)| Some((record.skip_asked_for?, node));
        let (_, node) = self.nodes().filter_map(asked).min()?;
        Some(match self.past.nodes[node].is_under_way() {
            true => self.cancelled(node, CancelReason::ByOperator),
            false => self.skipped(node, SkipReason::ByOperator),
        })
    }

    // ---- cancel, and the workflow's timeout (R14, R17) -----------------------

    fn stops(&self) -> Option<EventKind> {
        let reason = match &self.past.cancel {
            Some(_) => CancelReason::CancelRequested,
            None if self.past.timed_out => CancelReason::WorkflowTimedOut,
            None => match &self.past.fixed {
                None => return self.stops_rest(),
                Some(Fixed::Completed | Fixed::Failed(_)) => CancelReason::Terminated,
                Some(Fixed::OverBudget(_)) => CancelReason::BudgetExceeded,
            },
        };
        let stops = |(node, record): &(usize, &Record)| {
            !self.may_run(*node) && (record.is_under_way() || record.is_failing())
        };
        let (node, _) = self.nodes().find(stops)?;
        Some(self.cancelled(node, reason))
    }

    /// R24: what a settled join does without.
    fn unneeded(&self) -> Option<EventKind> {
        let node = *self.past.unneeded.first().filter(|_| !self.is_stopping())?;
        let record = &self.past.nodes[node];
        Some(match record.is_under_way() || record.is_failing() {
            true => self.cancelled(node, CancelReason::JoinSatisfied),
            false => self.skipped(node, SkipReason::NotNeeded),
        })
    }

    /// R28: the policy of a budget asks for a person.
    fn budget_spent(&self) -> Option<EventKind> {
        let is_ending =
            self.is_stopping() || self.past.finalizing_failed.is_some() || self.past.compensating;
        if is_ending || self.past.stalled_on.is_some() || self.past.stalled_on_budget {
            return None;
        }
        let pauses = self.graph.json["on_budget_exceeded"] == "pause";
        let excess = self.past.spent.excess(self.graph).filter(|_| pauses)?;
        let reason = StallReason::BudgetExceeded(excess);
        Some(EventKind::Stalled(Stalled { reason }))
    }

    fn workflow_timed_out(&self) -> Option<EventKind> {
        (self.workflow_deadline()? <= self.now).then_some(EventKind::WorkflowTimedOut)
    }

    fn workflow_deadline(&self) -> Option<u64> {
        let is_over = self.past.cancel.is_some() || self.past.timed_out;
        let timeout = self.graph.timeout_ms().filter(|_| !is_over)?;
        Some(self.past.started_at.saturating_add(timeout))
    }

    // ---- nodes' timeouts and timers (R14, R19) -------------------------------

    fn time_came(&self) -> Option<EventKind> {
        let may_order = self.budget > 0;
        let due = |(node, record): (usize, &Record)| {
            let deadline = self.deadline(node)?;
            (may_order || !record.is_failing()).then_some((deadline, node))
        };
        let (deadline, node) = self.nodes().filter_map(due).min()?;
        (deadline <= self.now).then(|| match &self.past.nodes[node].stage {
            Stage::Waiting(_) => self.waited_long_enough(node),
            Stage::Failing(_) => self.request(node),
            _ => EventKind::NodeTimedOut(NodeTimedOut {
                node_id: self.id(node),
                attempt: self.past.nodes[node].attempt,
                timeout_ms: self.graph.node_timeout_ms(node).unwrap_or(0),
            }),
        })
    }

    /// When time is up for what the node does now.
    fn deadline(&self, node: usize) -> Option<u64> {
        match &self.past.nodes[node].stage {
            Stage::Running { since } => {
                Some(since.saturating_add(self.graph.node_timeout_ms(node)?))
            }
            Stage::Child { since } => Some(since.saturating_add(self.graph.node_timeout_ms(node)?)),
            Stage::Failing(failure) if !self.is_held() => failure.again_at,
            Stage::Waiting(wait) if !self.is_answered(node, wait) => wait.until,
            _ => None,
        }
    }

    /// Whether what the node waits for has come.
    pub(super) fn is_answered(&self, node: usize, wait: &Wait) -> bool {
        wait.fired || wait.approval.is_some() || self.past.serving(self.graph, node).is_some()
    }

    fn waited_long_enough(&self, node: usize) -> EventKind {
        let it = &self.graph.nodes[node];
        let timeout_ms = match &self.past.nodes[node].stage {
            Stage::Waiting(wait) => wait.until.unwrap_or(0).saturating_sub(wait.began_at),
            _ => 0,
        };
        match (it.name(), it.text("condition"), it.text("fallback_node")) {
            ("human_approval", _, Some(fallback)) => {
                self.completed(node, r#"{"decision":"timed_out"}"#, "{}", Some(fallback))
            }
            ("human_approval", _, None) => {
                self.exhausted(node, 0, NodeFailure::ApprovalTimeout(timeout_ms))
            }
            (_, Some("external_event"), _) => {
                let missed = MissedEvent {
                    correlation_key: fill::key(self.graph, self.past, node).unwrap_or_default(),
                    timeout_ms,
                };
                self.exhausted(node, 0, NodeFailure::EventTimeout(missed))
            }
            _ => EventKind::TimerFired(TimerFired {
                node_id: self.id(node),
                correlation_key: fill::key(self.graph, self.past, node),
            }),
        }
    }

    // ---- failures (R11 to R13) -----------------------------------------------

    fn failed(&self) -> Option<EventKind> {
        self.nodes().find_map(|(node, record)| match &record.stage {
            Stage::Failing(failure) => self.after_failure(node, record, failure),
            _ => None,
        })
    }

    fn after_failure(&self, node: usize, record: &Record, failure: &Failure) -> Option<EventKind> {
        if self.is_left_behind(node) {
            return Some(self.exhausted(node, record.attempt, failure.cause.clone()));
        }
        let policy = policy(self.graph, node);
        if failure.is_retried(&policy) && record.attempt < record.max_attempts {
            if failure.again_at.is_some() {
                return None;
            }
            if self.has_child(node) {
                return (!self.is_held() && self.budget > 0).then(|| self.request(node));
            }
            let seed = self.past.started.seed;
            let delay = failure.delay_ms(&policy, record.attempt, seed, &self.id(node));
            return self.retry(node, delay);
        }
        if policy["on_exhausted"] == "pause" && !self.is_undo(node) {
            let stalled = Stalled {
                reason: StallReason::AttemptsExhausted(NodeExhausted {
                    node_id: self.id(node),
                    attempts: record.attempt,
                    cause: failure.cause.clone(),
                }),
            };
            let first = self.past.stalled_on.is_none() && !self.past.stalled_on_budget;
            return first.then_some(EventKind::Stalled(stalled));
        }
        Some(self.exhausted(node, record.attempt, failure.cause.clone()))
    }

    /// R18: a further attempt is a new item.
    pub(super) fn retry(&self, node: usize, delay_ms: u64) -> Option<EventKind> {
        let attempt = self.past.nodes[node].attempt + 1;
        let not_before = self.now.saturating_add(delay_ms);
        (!self.is_held() && self.budget > 0).then(|| match self.item(node, attempt, not_before) {
            Ok(item_digest) => EventKind::RetryScheduled(RetryScheduled {
                node_id: self.id(node),
                attempt,
                delay_ms,
                item_digest,
            }),
            Err(cause) => self.exhausted(node, attempt - 1, cause),
        })
    }
}
