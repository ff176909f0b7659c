//! Nodes that come to an end, and what that does to their edges (rule R7).
//!
//! Settling a node costs its own edges: each counts down its target, and the
//! target whose last edge this was is filed anew.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Refusal, payload};
use crate::contract::{
    CancelReason, NodeCancelled, NodeCompleted, NodeSkipped, NodeState, SkipReason,
};
use crate::json::Object;
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::state::{Dismissal, EdgeFate, Ending, NodeRecord, is_finalizer};
use crate::time::Timestamp;
use crate::workflow::END;
use crate::workflow::plan::{EdgeIx, EdgeRule, Join, Kind, NodeIx};

impl Machine {
    /// A worker's result.
    pub(super) fn completed(&mut self, at: Timestamp, fact: &NodeCompleted) -> Result<(), Refusal> {
        let ix = self.check_fence(&fact.node_id, Step::Complete, fact.attempt, fact.fence)?;
        payload::value("the output", &fact.output)?;
        let patch = payload::object("the state patch", &fact.state_patch)?;
        self.check_state_room(self.state.data.bytes_with(&patch))?;
        if let Some(telemetry) = &fact.telemetry {
            payload::telemetry(telemetry)?;
        }
        self.check_choice(ix, fact.chosen_target.as_deref())?;
        self.complete(ix, at, Step::Complete, patch, fact.chosen_target.as_deref());
        Ok(())
    }

    /// A node that the guest settled itself (rule R6).
    pub(super) fn settled(
        &mut self,
        at: Timestamp,
        decision: &NodeCompleted,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&decision.node_id, Step::Settle)?;
        let (node, record) = (self.node(ix), self.record(ix));
        let may_complete = match &node.kind {
            Kind::Condition(_) | Kind::Parallel | Kind::Join(_) => true,
            Kind::Wait(wait) if record.state == NodeState::Ready => self.has_kept(wait),
            Kind::Wait(_) => record.answer.is_some(),
            Kind::HumanApproval(_) => {
                record.answer.is_some() || record.deadline.is_some_and(|deadline| deadline <= at)
            }
            Kind::Work(_) | Kind::LimitExceeded { .. } => false,
        };
        if !may_complete {
            return Err(format!(
                "node `{}` is {}: nothing completes it without a worker",
                node.id,
                name(record.state)
            ));
        }
        if (decision.attempt, decision.fence) != (0, 0) {
            return Err(format!(
                "node `{}` is settled without a worker: its attempt and fence are 0",
                node.id
            ));
        }
        let patch = payload::composed("the state patch", &decision.state_patch)?;
        self.check_choice(ix, decision.chosen_target.as_deref())?;
        self.stop_waiting(ix);
        self.complete(
            ix,
            at,
            Step::Settle,
            patch,
            decision.chosen_target.as_deref(),
        );
        Ok(())
    }

    /// A choice is the target of an edge, or `end`.
    fn check_choice(&self, ix: NodeIx, chosen_target: Option<&str>) -> Result<(), Refusal> {
        match chosen_target {
            Some(target)
                if target != END && !self.targets(ix).any(|to| self.node(to).id == target) =>
            {
                Err(format!(
                    "node `{}` has no edge to `{target}`; choose the target of one of its edges, or `{END}`",
                    self.node(ix).id
                ))
            }
            _ => Ok(()),
        }
    }

    fn targets(&self, ix: NodeIx) -> impl Iterator<Item = NodeIx> {
        self.node(ix)
            .outgoing
            .clone()
            .map(|edge| self.plan.edges[edge as usize].to)
    }

    /// Rule R10, then R7.
    fn complete(
        &mut self,
        ix: NodeIx,
        at: Timestamp,
        step: Step,
        patch: Object,
        chosen_target: Option<&str>,
    ) {
        self.state.data.merge(patch);
        self.change(ix, |node| {
            node.take(step);
            node.ended_at = Some(at);
            node.answer = None;
            node.failure = None;
            node.chosen_target = chosen_target.map(ToString::to_string);
        });
        self.withdraw_skip(ix);
        self.judge_edges(ix, chosen_target);
    }

    pub(super) fn skipped(&mut self, at: Timestamp, decision: &NodeSkipped) -> Result<(), Refusal> {
        let step = match decision.reason {
            SkipReason::ByOperator => Step::Skip,
            SkipReason::Unreached | SkipReason::RunOn => Step::PassOver,
        };
        let ix = self.check_step(&decision.node_id, step)?;
        let (id, record) = (&decision.node_id, self.record(ix));
        match decision.reason {
            SkipReason::Unreached
                if record.unsettled > 0 || record.live > 0 || is_finalizer(&self.node(ix).kind) =>
            {
                return Err(format!(
                    "node `{id}` can still be reached: it may not be skipped as unreached"
                ));
            }
            SkipReason::RunOn => {
                self.check_finalizer(ix, false)?;
                self.check_not_held("it may not end")?;
                self.enter_finalizers(ix);
            }
            SkipReason::ByOperator => self.check_skip(ix)?,
            SkipReason::Unreached => {}
        }
        self.dismiss(ix, at, step, Dismissal::Skipped(decision.reason));
        match decision.reason {
            SkipReason::ByOperator => self.judge_edges(ix, None),
            SkipReason::Unreached => self.kill_edges(ix),
            SkipReason::RunOn => self.release_finalizers(ix),
        }
        Ok(())
    }

    pub(super) fn cancelled(
        &mut self,
        at: Timestamp,
        decision: &NodeCancelled,
    ) -> Result<(), Refusal> {
        let ix = self.check_step(&decision.node_id, Step::Cancel)?;
        let (id, state) = (&decision.node_id, self.record(ix).state);
        match decision.reason {
            CancelReason::ByOperator => {
                self.check_skip(ix)?;
                if state == NodeState::Failing {
                    return Err(format!(
                        "node `{id}` is {}: there is nothing of it to cancel, it is skipped",
                        name(state)
                    ));
                }
                self.pass_on(ix);
            }
            CancelReason::CancelRequested | CancelReason::WorkflowTimedOut => {
                if self.stop_reason() != Some(decision.reason) || !self.must_stop(ix) {
                    return Err(format!("nothing asks for node `{id}` to be cancelled"));
                }
            }
        }
        self.stop_waiting(ix);
        self.dismiss(ix, at, Step::Cancel, Dismissal::Cancelled(decision.reason));
        match decision.reason {
            CancelReason::ByOperator => self.judge_edges(ix, None),
            CancelReason::CancelRequested | CancelReason::WorkflowTimedOut => {
                self.release_finalizers(ix);
            }
        }
        Ok(())
    }

    fn check_skip(&self, ix: NodeIx) -> Result<(), Refusal> {
        if self.state.skips.contains(&ix) {
            return Ok(());
        }
        Err(format!(
            "no operator asked for node `{}` to be skipped",
            self.node(ix).id
        ))
    }

    fn dismiss(&mut self, ix: NodeIx, at: Timestamp, step: Step, why: Dismissal) {
        self.change(ix, |node| {
            node.take(step);
            node.ended_at = Some(at);
            node.answer = None;
            node.dismissal = Some(why);
        });
        self.withdraw_skip(ix);
        self.lift_policy_stall(ix);
    }

    fn withdraw_skip(&mut self, ix: NodeIx) {
        self.state.skips.retain(|asked| *asked != ix);
    }

    // ---- edges ---------------------------------------------------------------

    /// Judge what leads on from a node that completed (rule R7): all edges on
    /// the state just after it, then settle them.
    fn judge_edges(&mut self, ix: NodeIx, chosen_target: Option<&str>) {
        let scope = self.scope();
        let is_live = |edge: u32| {
            let edge = &self.plan.edges[edge as usize];
            match (chosen_target, &edge.rule) {
                (Some(target), _) => self.node(edge.to).id == target,
                (None, EdgeRule::Ordinary(condition)) => condition
                    .as_ref()
                    .is_none_or(|condition| condition.is_true(&scope)),
                (None, EdgeRule::Chosen) => false,
            }
        };
        let fates: Vec<bool> = self.node(ix).outgoing.clone().map(is_live).collect();
        for (edge, is_live) in self.node(ix).outgoing.clone().zip(fates) {
            self.settle_edge(EdgeIx(edge), is_live);
        }
    }

    /// Rule R9: what an unreached node leads to is unreached.
    fn kill_edges(&mut self, ix: NodeIx) {
        for edge in self.node(ix).outgoing.clone() {
            self.settle_edge(EdgeIx(edge), false);
        }
    }

    /// A finalizer's edges only order: whatever became of it, the next may run
    /// (rule R16). Of any other node they stay unsettled and block (rule R15).
    pub(super) fn release_finalizers(&mut self, ix: NodeIx) {
        if is_finalizer(&self.node(ix).kind) {
            self.kill_edges(ix);
        }
    }

    fn settle_edge(&mut self, edge: EdgeIx, is_live: bool) {
        let fate = &mut self.state.edges[edge.0 as usize];
        if *fate != EdgeFate::Unsettled {
            return;
        }
        *fate = if is_live {
            EdgeFate::Live
        } else {
            EdgeFate::Dead
        };
        let to = self.plan.edges[edge.0 as usize].to;
        self.change(to, |node| {
            node.unsettled -= 1;
            node.live += u32::from(is_live);
        });
        if is_reached(self.record(to), &self.node(to).kind) {
            self.reach(to);
        }
    }

    /// Make a pending node ready; any other is left as it is.
    pub(super) fn reach(&mut self, ix: NodeIx) {
        if self.record(ix).state == NodeState::Pending {
            self.change(ix, |node| node.take(Step::Reach));
        }
    }

    // ---- endings -------------------------------------------------------------

    /// Whether this finalizer's time has come (rule R16), and whether it runs
    /// on the ending ahead.
    pub(super) fn check_finalizer(&self, ix: NodeIx, runs: bool) -> Result<(), Refusal> {
        let id = &self.node(ix).id;
        if !is_finalizer(&self.node(ix).kind) {
            return Err(format!("node `{id}` is no finalizer"));
        }
        if !self.agenda.finalizers.contains(&ix) || !self.is_time_for_finalizers() {
            return Err(format!("the time of finalizer `{id}` has not come"));
        }
        if self.runs_now(ix) != runs {
            return Err(format!(
                "the ending ahead decides whether finalizer `{id}` runs or is skipped, and it is the other way round"
            ));
        }
        Ok(())
    }

    /// Fix the ending that the finalizers run for, when the first of them is
    /// reached.
    pub(super) fn enter_finalizers(&mut self, ix: NodeIx) {
        if is_finalizer(&self.node(ix).kind) {
            self.state.finalizing = self.ending();
        }
    }

    pub(super) fn workflow_timed_out(&mut self, at: Timestamp) -> Result<(), Refusal> {
        match self.workflow_deadline() {
            Some(deadline) if deadline <= at => {
                self.state.timed_out = true;
                Ok(())
            }
            Some(deadline) => Err(format!(
                "the workflow has time until {} ms; it is {} ms",
                deadline.0, at.0
            )),
            None => Err("no timeout of the workflow runs".to_string()),
        }
    }

    pub(super) fn end(&mut self, ending: Ending) -> Result<(), Refusal> {
        if self.due_end() != Some(ending) {
            let in_flight: Vec<&str> = self
                .agenda
                .active
                .iter()
                .take(5)
                .map(|ix| self.node(*ix).id.as_str())
                .collect();
            return Err(format!(
                "the execution may not end as {} here (under way: {})",
                ending.name(),
                in_flight.join(", ")
            ));
        }
        self.state.ended = Some(ending);
        Ok(())
    }
}

/// Rules R3 and R6. A finalizer is reached by the end alone (rule R16).
fn is_reached(record: &NodeRecord, kind: &Kind) -> bool {
    let settled = record.unsettled == 0 || matches!(kind, Kind::Join(Join::First));
    settled && record.live > 0 && !is_finalizer(kind)
}
