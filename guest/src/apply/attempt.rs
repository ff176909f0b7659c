//! Attempts: ordered, claimed, failed, ordered again, spent.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use super::Refusal;
use crate::contract::{
    NodeExhausted, NodeFailed, NodeScheduled, NodeStarted, NodeState, NodeTimedOut, RetryScheduled,
};
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::state::{Failure, is_finalizer};
use crate::time::{Millis, Timestamp};
use crate::workflow::plan::{Kind, NodeIx};

impl Machine {
    pub(super) fn scheduled(
        &mut self,
        at: Timestamp,
        decision: &NodeScheduled,
    ) -> Result<(), Refusal> {
        let ix = self.find(&decision.node_id)?;
        if is_finalizer(&self.node(ix).kind) {
            self.check_finalizer(ix, true)?;
        } else {
            self.check_step_of(ix, Step::Schedule)?;
        }
        self.check_order(ix, decision.attempt)?;
        if decision.attempt != 1 {
            return Err(format!(
                "a further attempt of node `{}` is ordered by retry_scheduled",
                decision.node_id
            ));
        }
        self.check_room(ix)?;
        self.enter_finalizers(ix);
        self.reach(ix);
        self.ordered(ix, at, decision.attempt, at, Step::Schedule);
        Ok(())
    }

    pub(super) fn rescheduled(
        &mut self,
        at: Timestamp,
        decision: &RetryScheduled,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&decision.node_id, Step::Retry)?;
        self.check_order(ix, decision.attempt)?;
        let record = self.record(ix);
        if decision.attempt == 1 {
            return Err(format!(
                "node `{}` has not been tried yet: its first attempt is ordered by node_scheduled",
                decision.node_id
            ));
        }
        if decision.attempt > record.max_attempts {
            return Err(format!(
                "node `{}` has used all its {} attempts",
                decision.node_id, record.max_attempts
            ));
        }
        if !self.agenda.failing.contains(&ix) {
            self.check_room(ix)?;
        }
        let not_before = at.after(Millis(decision.delay_ms));
        self.ordered(ix, at, decision.attempt, not_before, Step::Retry);
        Ok(())
    }

    fn ordered(
        &mut self,
        ix: NodeIx,
        at: Timestamp,
        attempt: u32,
        not_before: Timestamp,
        step: Step,
    ) {
        self.change(ix, |node| {
            node.take(step);
            node.attempt = attempt;
            node.scheduled_at = Some(at);
            node.not_before = Some(not_before);
            node.started_at = None;
            node.worker_id = None;
            node.fence = 0;
        });
    }

    /// What any order of a work item needs.
    fn check_order(&self, ix: NodeIx, attempt: u32) -> Result<(), Refusal> {
        let node = self.node(ix);
        self.check_not_held("no work item may be ordered")?;
        if !matches!(node.kind, Kind::Work(_)) {
            return Err(format!(
                "node `{}` is settled by the guest itself; it has no work items",
                node.id
            ));
        }
        let next = self.record(ix).attempt + 1;
        if attempt != next {
            return Err(format!(
                "the next attempt of node `{}` is {next}, not {attempt}",
                node.id
            ));
        }
        if !is_finalizer(&node.kind) && self.is_ending() {
            return Err(format!(
                "the execution is ending: node `{}` may not be dispatched any more",
                node.id
            ));
        }
        Ok(())
    }

    /// Rule R4.
    fn check_room(&self, ix: NodeIx) -> Result<(), Refusal> {
        let max = self.max_concurrent();
        if self.agenda.in_flight >= max {
            return Err(format!(
                "{max} nodes are in flight, as many as may be; node `{}` has to wait",
                self.node(ix).id
            ));
        }
        Ok(())
    }

    /// Law 7: a claim. Its sequence is its fence.
    pub(super) fn claimed(
        &mut self,
        at: Timestamp,
        sequence: u64,
        fact: &NodeStarted,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&fact.node_id, Step::Start)?;
        self.check_not_held("its work items may not be claimed")?;
        let record = self.record(ix);
        if fact.attempt != record.attempt {
            return Err(format!(
                "attempt {} of node `{}` is ordered, not attempt {}",
                record.attempt, fact.node_id, fact.attempt
            ));
        }
        if fact.fence != sequence {
            return Err(format!(
                "the fence of a claim is the sequence of its event: {sequence}, not {}",
                fact.fence
            ));
        }
        if let Some(not_before) = record.not_before
            && at < not_before
        {
            return Err(format!(
                "node `{}` may not be claimed before {} ms; it is {} ms",
                fact.node_id, not_before.0, at.0
            ));
        }
        let deadline = self.node(ix).timeout.map(|timeout| at.after(timeout));
        self.change(ix, |node| {
            node.take(Step::Start);
            node.fence = sequence;
            node.worker_id = Some(fact.worker_id.clone());
            node.started_at = Some(at);
            node.not_before = None;
            node.deadline = deadline;
        });
        Ok(())
    }

    /// Law 7: an answer presents the attempt and the fence that hold the item.
    pub(super) fn check_fence(
        &self,
        node_id: &str,
        step: Step,
        attempt: u32,
        fence: u64,
    ) -> Result<NodeIx, Refusal> {
        let ix = self.check_step(node_id, step)?;
        let record = self.record(ix);
        if (attempt, fence) != (record.attempt, record.fence) {
            return Err(format!(
                "node `{node_id}` is held by attempt {} with fence {}; an answer of attempt {attempt} with fence {fence} comes too late",
                record.attempt, record.fence
            ));
        }
        Ok(ix)
    }

    pub(super) fn failed(&mut self, at: Timestamp, fact: &NodeFailed) -> Result<(), Refusal> {
        let ix = self.check_fence(&fact.node_id, Step::Fail, fact.attempt, fact.fence)?;
        let failure = Failure {
            error: fact.error.clone(),
            class: fact.class.clone(),
            retryable: fact.retryable,
        };
        self.fail(ix, at, Step::Fail, failure);
        Ok(())
    }

    pub(super) fn timed_out(
        &mut self,
        at: Timestamp,
        decision: &NodeTimedOut,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&decision.node_id, Step::TimeOut)?;
        let record = self.record(ix);
        if decision.attempt != record.attempt {
            return Err(format!(
                "attempt {} of node `{}` runs, not attempt {}",
                record.attempt, decision.node_id, decision.attempt
            ));
        }
        let timeout = match (record.deadline, self.node(ix).timeout) {
            (Some(deadline), Some(timeout)) if deadline <= at => timeout,
            (Some(deadline), _) => {
                return Err(format!(
                    "node `{}` has time until {} ms; it is {} ms",
                    decision.node_id, deadline.0, at.0
                ));
            }
            (None, _) => return Err(format!("node `{}` has no timeout", decision.node_id)),
        };
        let failure = Failure {
            error: format!("timed out after {timeout}"),
            class: Some("timeout".to_string()),
            retryable: true,
        };
        self.fail(ix, at, Step::TimeOut, failure);
        Ok(())
    }

    fn fail(&mut self, ix: NodeIx, at: Timestamp, step: Step, failure: Failure) {
        self.change(ix, |node| {
            node.take(step);
            node.ended_at = Some(at);
            node.failure = Some(Box::new(failure));
        });
    }

    pub(super) fn exhausted(
        &mut self,
        at: Timestamp,
        decision: &NodeExhausted,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&decision.node_id, Step::Exhaust)?;
        let record = self.record(ix);
        if record.attempt != decision.attempts {
            return Err(format!(
                "node `{}` has made {} attempts, not {}",
                decision.node_id, record.attempt, decision.attempts
            ));
        }
        let may_fail = match self.node(ix).kind {
            Kind::Work(_) => record.state == NodeState::Failing,
            Kind::Wait(_) | Kind::HumanApproval(_) => record.state == NodeState::Waiting,
            Kind::LimitExceeded { .. } => true,
            Kind::Condition(_) | Kind::Parallel | Kind::Join(_) => false,
        };
        if !may_fail {
            return Err(format!(
                "node `{}` is {}: nothing of it has failed",
                decision.node_id,
                name(record.state)
            ));
        }
        let earlier = record.failure.clone();
        self.stop_waiting(ix);
        self.change(ix, |node| {
            node.take(Step::Exhaust);
            node.answer = None;
            node.ended_at = Some(at);
            node.failure = Some(Box::new(Failure {
                error: decision.error.clone(),
                class: earlier.and_then(|failure| failure.class),
                retryable: false,
            }));
        });
        self.release_finalizers(ix);
        Ok(())
    }
}
