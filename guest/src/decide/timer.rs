//! What time alone ends: attempts, waits, approvals, the execution itself
//! (rules R14 and R19).

use alloc::format;
use alloc::string::ToString;

use super::Next;
use crate::contract::{EventKind, NodeExhausted, NodeTimedOut, TimerFired};
use crate::machine::{Decision, Machine};
use crate::time::{Millis, Timestamp};
use crate::workflow::plan::{HumanApproval, Kind, NodeIx, Wait};

impl Machine {
    /// What is overdue: the workflow, then its nodes by deadline and R2.
    pub(super) fn overdue(&self, now: Timestamp) -> Option<Next> {
        if self
            .workflow_deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            return Some(Next::WorkflowTimesOut);
        }
        let (deadline, ix) = *self.agenda.deadlines.first()?;
        (deadline <= now).then_some(Next::Overdue(ix))
    }

    /// When the workflow's own timeout passes, while that still matters.
    pub(crate) fn workflow_deadline(&self) -> Option<Timestamp> {
        let matters = !self.state.timed_out && self.state.cancel.is_none();
        let timeout = self.plan.workflow_timeout.filter(|_| matters)?;
        Some(self.state.started_at.after(timeout))
    }

    pub(super) fn overdue_node(&self, now: Timestamp, ix: NodeIx) -> Decision {
        let node = self.node(ix);
        match &node.kind {
            Kind::Wait(wait) => self.overdue_wait(now, ix, wait),
            Kind::HumanApproval(approval) => self.overdue_approval(now, ix, approval),
            Kind::Work(_)
            | Kind::Condition(_)
            | Kind::Parallel
            | Kind::Join(_)
            | Kind::LimitExceeded { .. } => {
                let timed_out = NodeTimedOut {
                    node_id: self.node_id(ix),
                    attempt: self.record(ix).attempt,
                };
                self.decision(
                    now,
                    EventKind::NodeTimedOut(timed_out),
                    Some(self.take_back(ix)),
                )
            }
        }
    }

    fn overdue_wait(&self, now: Timestamp, ix: NodeIx, wait: &Wait) -> Decision {
        let correlation_key = wait.correlation_key.clone();
        if wait.timer_completes {
            let fired = TimerFired {
                node_id: self.node_id(ix),
                correlation_key,
            };
            return self.decision(now, EventKind::TimerFired(fired), None);
        }
        let key = correlation_key.unwrap_or_default();
        self.give_up(now, ix, &format!("external event `{key}`"), wait.timer)
    }

    fn overdue_approval(&self, now: Timestamp, ix: NodeIx, approval: &HumanApproval) -> Decision {
        match approval.fallback {
            Some(fallback) => self.decision(
                now,
                self.completion(
                    ix,
                    "null".to_string(),
                    "{}".to_string(),
                    Some(self.target(fallback)),
                ),
                None,
            ),
            None => self.give_up(now, ix, "approval", approval.timeout),
        }
    }

    fn give_up(&self, now: Timestamp, ix: NodeIx, what: &str, timeout: Option<Millis>) -> Decision {
        let error = format!("no {what} within {}", timeout.unwrap_or_default());
        let exhausted = NodeExhausted {
            node_id: self.node_id(ix),
            attempts: 0,
            error,
        };
        self.decision(now, EventKind::NodeExhausted(exhausted), None)
    }
}
