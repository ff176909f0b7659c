//! What operators and the host ask for.

use alloc::format;
use alloc::string::ToString;

use super::Refusal;
use crate::contract::{CancelRequested, GuestChanged, NodeRequest, NodeState, Origin, Stalled};
use crate::machine::Machine;
use crate::node::{Step, is_settled, name};
use crate::state::{CancelRequest, is_finalizer};
use crate::workflow::plan::{Kind, NodeIx};

impl Machine {
    /// Rule R17. A cancel lifts the stall of a policy.
    pub(super) fn cancel_requested(&mut self, fact: &CancelRequested) -> Result<(), Refusal> {
        if self.state.cancel.is_some() {
            return Err("the execution is already being cancelled".to_string());
        }
        self.state.cancel = Some(CancelRequest {
            reason: fact.reason.clone(),
        });
        self.state.policy_stall = None;
        Ok(())
    }

    /// Rule R18.
    pub(super) fn paused(&mut self) -> Result<(), Refusal> {
        if self.state.paused {
            return Err("the execution is paused already".to_string());
        }
        self.state.paused = true;
        Ok(())
    }

    pub(super) fn unpaused(&mut self) -> Result<(), Refusal> {
        if !self.state.paused {
            return Err("the execution is not paused".to_string());
        }
        self.state.paused = false;
        Ok(())
    }

    /// Rule R20: the node is ready once more, with a fresh budget of attempts.
    pub(super) fn retry_requested(&mut self, fact: &NodeRequest) -> Result<(), Refusal> {
        let ix = self.find(&fact.node_id)?;
        let record = self.record(ix);
        if record.state != NodeState::Failed && !self.is_stalled_on(ix) {
            return Err(format!(
                "node `{}` is {}: only a failed node, or one that the execution is stalled on, can be retried",
                fact.node_id,
                name(record.state)
            ));
        }
        if self.state.skips.contains(&ix) {
            return Err(format!(
                "it was asked for node `{}` to be skipped: it cannot be retried as well",
                fact.node_id
            ));
        }
        self.check_not_too_late(ix, "retried")?;
        let max_attempts = record
            .attempt
            .saturating_add(self.node(ix).retry.max_attempts);
        self.change(ix, |node| {
            node.take(Step::Reopen);
            node.max_attempts = max_attempts;
            node.ended_at = None;
        });
        self.lift_policy_stall(ix);
        Ok(())
    }

    /// The wish is noted; what is done about it is a decision.
    pub(super) fn skip_requested(&mut self, fact: &NodeRequest) -> Result<(), Refusal> {
        let ix = self.find(&fact.node_id)?;
        let state = self.record(ix).state;
        if is_settled(state) && state != NodeState::Failed {
            return Err(format!(
                "node `{}` is {} already: it cannot be skipped",
                fact.node_id,
                name(state)
            ));
        }
        if self.state.skips.contains(&ix) {
            return Err(format!(
                "it was asked already for node `{}` to be skipped",
                fact.node_id
            ));
        }
        self.check_not_too_late(ix, "skipped")?;
        self.state.skips.push_back(ix);
        self.lift_policy_stall(ix);
        Ok(())
    }

    /// Once an execution is ending, only its finalizers can still change.
    fn check_not_too_late(&self, ix: NodeIx, what: &str) -> Result<(), Refusal> {
        let id = &self.node(ix).id;
        if is_finalizer(&self.node(ix).kind) {
            return Ok(());
        }
        if self.state.cancel.is_some() {
            return Err(format!(
                "the execution is being cancelled: node `{id}` cannot be {what} any more; to go on, fork it: start its workflow anew with what it has so far"
            ));
        }
        if self.is_ending() {
            return Err(format!(
                "the execution is ending: node `{id}` cannot be {what} any more; to go on, fork it: start its workflow anew with what it has so far"
            ));
        }
        Ok(())
    }

    pub(super) fn stalled(&mut self, origin: Origin, stall: &Stalled) -> Result<(), Refusal> {
        match (origin, &stall.node_id) {
            (Origin::Fact, None) => {
                self.state.host_stall = Some(stall.reason.clone());
                Ok(())
            }
            (Origin::Fact, Some(_)) => {
                Err("a stall on a node is a decision: only the guest may author it".to_string())
            }
            (Origin::Decision, None) => {
                Err("a stall without a node is a fact: only the host may author it".to_string())
            }
            (Origin::Decision, Some(node_id)) => self.stalled_by_policy(node_id, stall),
        }
    }

    /// Rule R11.
    fn stalled_by_policy(&mut self, node_id: &str, stall: &Stalled) -> Result<(), Refusal> {
        let ix = self.check_step(node_id, Step::Stall)?;
        let node = self.node(ix);
        if !matches!(node.kind, Kind::Work(_)) || !node.retry.pause_when_exhausted {
            return Err(format!(
                "the policy of node `{node_id}` does not stall the execution"
            ));
        }
        if let Some((on, _)) = &self.state.policy_stall {
            return Err(format!(
                "the execution is stalled on node `{}` already",
                self.node(*on).id
            ));
        }
        self.change(ix, |node| node.take(Step::Stall));
        self.state.policy_stall = Some((ix, stall.reason.clone()));
        Ok(())
    }

    pub(super) fn lift_policy_stall(&mut self, ix: NodeIx) {
        if self.is_stalled_on(ix) {
            self.state.policy_stall = None;
        }
    }

    pub(crate) fn is_stalled_on(&self, ix: NodeIx) -> bool {
        self.state
            .policy_stall
            .as_ref()
            .is_some_and(|(on, _)| *on == ix)
    }

    pub(super) fn stall_lifted(&mut self) -> Result<(), Refusal> {
        if self.state.host_stall.take().is_some() {
            return Ok(());
        }
        Err(match &self.state.policy_stall {
            Some((on, _)) => format!(
                "the execution is stalled on node `{}`: retry or skip it, or cancel the execution",
                self.node(*on).id
            ),
            None => "the execution is not stalled".to_string(),
        })
    }

    /// Law 10.
    pub(super) fn guest_changed(&mut self, fact: &GuestChanged) -> Result<(), Refusal> {
        self.state.guest_digest.clone_from(&fact.guest_digest);
        Ok(())
    }
}
