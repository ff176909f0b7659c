//! Why a node is where it is: codes and data, which a host puts into words.
//!
//! Nothing here decides anything: it reads what the decisions read. The most
//! telling reason comes first. What somebody can do about a reason stands with it,
//! and only where it would be taken.
//!
//! From the bottom up; each may use those above it in this list.

mod seen;
mod reason;
mod edges;
mod ends;

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use crate::contract::{
    Explanation, NextStep, NodeState, OrderedAttempt, Reason, ReasonCause, Remedy, RunningAttempt,
};
use crate::decide::judge_failure;
use crate::guards::{
    correlation_key, description, has_room, is_ending, is_held, is_stalled_on, may_decide,
    must_stop, status, stop_reason,
};
use crate::inspect::queue;
use crate::machine::Machine;
use crate::node::{is_active, is_settled};
use crate::state::{is_finalizer, is_out_of_reach};
use crate::workflow::plan::{Kind, NodeIx};
use edges::unmet;
use ends::{attempt_failure, why_completed, why_dismissed, why_failed, why_finalizer};
use reason::{because, no_room, retry_or_skip, with};

pub(crate) use edges::false_conditions;
pub use seen::Seen;

/// Why the node is where it is. `seen` is what the conditions of its edges saw, as
/// far as that is known. `None` if the workflow has no such node.
#[must_use]
pub fn explain(machine: &Machine, node_id: &str, seen: &Seen) -> Option<Explanation> {
    let ix = machine.plan.find(node_id)?;
    let state = machine.record(ix).state;
    let mut reasons = match state {
        _ if machine.state.unneeded.contains(&ix) => why_unneeded(machine, state),
        NodeState::Pending => why_pending(machine, ix),
        NodeState::Ready => why_ready(machine, ix),
        NodeState::Scheduled | NodeState::BackingOff => why_ordered(machine, ix),
        NodeState::Running => why_running(machine, ix),
        NodeState::Failing => why_failing(machine, ix),
        NodeState::Waiting => why_waiting(machine, ix),
        NodeState::Completed => why_completed(machine, ix),
        NodeState::Failed => why_failed(machine, ix),
        NodeState::Skipped | NodeState::Cancelled => why_dismissed(machine, ix, seen),
    };
    reasons.extend(why_skip(machine, ix));
    if !is_settled(state) {
        reasons.extend(why_execution(machine, ix));
    }
    Some(Explanation {
        node_id: node_id.to_string(),
        state,
        reasons,
    })
}

fn next_step(step: NextStep) -> Reason {
    because(ReasonCause::NextStep(step))
}

fn why_pending(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    if is_finalizer(&machine.node(ix).kind) {
        return why_finalizer(machine, ix);
    }
    if !is_out_of_reach(machine.record(ix), &machine.node(ix).kind) {
        return unmet(machine, ix);
    }
    if !may_settle(machine) {
        return Vec::new();
    }
    [next_step(NextStep::Skip)].into()
}

/// A settled join does without the node (rule R24).
fn why_unneeded(machine: &Machine, state: NodeState) -> Vec<Reason> {
    let is_next = may_settle(machine) && !is_active(state);
    let next = is_next.then(|| next_step(NextStep::Skip));
    let reasons = [because(ReasonCause::NotNeeded)].into_iter();
    reasons.chain(next).collect()
}

/// Whether the scheduler settles nodes itself at the next step.
fn may_settle(machine: &Machine) -> bool {
    may_decide(machine) && !is_ending(machine)
}

fn why_ready(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    if is_finalizer(&machine.node(ix).kind) {
        return why_finalizer(machine, ix);
    }
    let is_work = matches!(machine.node(ix).kind, Kind::Work(_));
    if !may_settle(machine) || (is_work && is_held(machine)) {
        return Vec::new();
    }
    let reason = match is_work {
        false => next_step(NextStep::Settle),
        true if !has_room(machine) => no_room(machine),
        true => next_step(NextStep::Dispatch),
    };
    [reason].into()
}

fn why_ordered(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let record = machine.record(ix);
    let queue = queue(&machine.node(ix).kind)
        .unwrap_or_default()
        .to_string();
    let mut reasons = Vec::new();
    if let Some(not_before) = record.not_before.filter(|time| *time > machine.state.at) {
        reasons.push(because(ReasonCause::NotBefore(not_before.0)));
    }
    let ordered = ReasonCause::WaitsForWorker(OrderedAttempt {
        attempt: record.attempt,
        queue: queue.clone(),
        since: record.scheduled_at.unwrap_or_default().0,
    });
    reasons.push(with(ordered, vec![Remedy::StartWorker(queue)]));
    reasons.extend(last_failure(machine, ix));
    reasons
}

fn why_running(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let record = machine.record(ix);
    let running = ReasonCause::WorkerAtWork(RunningAttempt {
        attempt: record.attempt,
        worker_id: record.worker_id.clone().unwrap_or_default(),
        since: record.started_at.unwrap_or_default().0,
    });
    let mut reasons: Vec<Reason> = [because(running)].into();
    let times_out = record.deadline.map(|at| ReasonCause::TimesOut(at.0));
    reasons.extend(times_out.map(because));
    reasons.extend(last_failure(machine, ix));
    reasons
}

fn why_failing(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let is_judged = machine.state.host_stall.is_none()
        && !is_stalled_on(machine, ix)
        && judge_failure(machine, 1, ix).is_some();
    let next = is_judged.then(|| next_step(NextStep::JudgeFailure));
    last_failure(machine, ix).into_iter().chain(next).collect()
}

fn last_failure(machine: &Machine, ix: NodeIx) -> Option<Reason> {
    machine.record(ix).failure.as_ref()?;
    Some(because(ReasonCause::LastFailure(attempt_failure(
        machine, ix,
    ))))
}

fn why_waiting(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let (node, record) = (machine.node(ix), machine.record(ix));
    if record.wait_result.is_some() && !may_settle(machine) {
        return Vec::new();
    }
    if record.wait_result.is_some() {
        return [next_step(NextStep::Settle)].into();
    }
    let is_open = machine.state.ended.is_none();
    let remedies = |remedy: Remedy| is_open.then_some(remedy).into_iter().collect();
    let waits_for = match &node.kind {
        Kind::HumanApproval(approval) => description(machine, ix, approval).ok().map(|text| {
            with(
                ReasonCause::WaitsForApproval(text.into_owned()),
                remedies(Remedy::Approve(node.id.clone())),
            )
        }),
        Kind::Wait(wait) => correlation_key(machine, ix, wait)
            .ok()
            .flatten()
            .map(|key| {
                with(
                    ReasonCause::WaitsForEvent(key.clone().into_owned()),
                    remedies(Remedy::Signal(key.into_owned())),
                )
            }),
        _ => None,
    };
    let ends = record.deadline.map(|at| ReasonCause::WaitEnds(at.0));
    waits_for.into_iter().chain(ends.map(because)).collect()
}

/// That an operator asked for the node to be skipped, and it is not yet.
fn why_skip(machine: &Machine, ix: NodeIx) -> Option<Reason> {
    let is_asked = machine.state.ended.is_none() && machine.state.skips.contains(&ix);
    let cause = match machine.state.host_stall {
        None => ReasonCause::NextStep(NextStep::SkipByOperator),
        Some(_) => ReasonCause::SkippedOnceLifted,
    };
    is_asked.then(|| because(cause))
}

/// What holds the whole execution; that concerns each node that is not settled.
fn why_execution(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let state = &machine.state;
    if state.ended.is_some() {
        return [because(ReasonCause::HasEnded(status(machine)))].into();
    }
    let mut reasons = Vec::new();
    if let Some(reason) = &state.host_stall {
        let stalled = ReasonCause::StalledByHost(reason.clone());
        reasons.push(with(stalled, vec![Remedy::Lift]));
    } else if let Some((ix, reason)) = &state.policy_stall {
        let mut remedies = match ix {
            Some(ix) => retry_or_skip(machine, *ix),
            None => vec![Remedy::Lift],
        };
        // A finalizer can stall a cancellation, and that cannot be cancelled.
        if state.cancel.is_none() {
            remedies.push(Remedy::Cancel);
        }
        reasons.push(with(ReasonCause::StalledByPolicy(reason.clone()), remedies));
    }
    if state.paused {
        reasons.push(with(ReasonCause::Paused, vec![Remedy::Unpause]));
    }
    if state.cancel.is_some() {
        reasons.push(because(ReasonCause::BeingCancelled));
    } else if state.timed_out {
        reasons.push(because(ReasonCause::OutOfTime));
    } else if let Some(reason) = stop_reason(machine).filter(|_| must_stop(machine, ix)) {
        reasons.push(because(ReasonCause::WasStopped(reason)));
    }
    reasons
}
