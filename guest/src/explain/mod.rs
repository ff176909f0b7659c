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
mod undo;
mod ends;
mod own;
mod map;

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use crate::contract::{
    Explanation, NextStep, NodeState, OrderedAttempt, Reason, ReasonCause, Remedy, RunningAttempt,
};
use crate::decide::judge_failure;
use crate::guards::{
    correlation_key, description, has_room, has_window, is_ending, is_held, is_stalled_on,
    may_decide, must_stop, status, stop_reason,
};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::node::{is_active, is_settled};
use crate::state::{is_finalizer, is_out_of_reach};
use crate::workflow::plan::{Kind, NodeIx};
use edges::{false_conditions, unmet};
use ends::{attempt_failure, why_completed, why_dismissed, why_failed, why_finalizer};
use map::{failed_instances, no_window, state_of, why_map_waits, why_stops};
use own::{own_expression, why_so};
use reason::{because, no_room, retry_or_skip, with};
use undo::why_undo;

pub use seen::{Seen, Watched};

/// Why the node is where it is. `seen` is what the conditions of its edges saw, as
/// far as that is known. `None` if the workflow has no such node.
#[must_use]
pub fn explain(machine: &Machine, node_id: &str, seen: &Seen) -> Option<Explanation> {
    let run = machine.find(node_id).ok()?;
    let state = state_of(machine, run);
    let mut reasons = match state {
        _ if run.is_own() && machine.state.unneeded.contains(&run.node) => {
            why_unneeded(machine, state)
        }
        NodeState::Pending | NodeState::Ready if run.is_undo() => why_undo(machine, run),
        NodeState::Pending => why_pending(machine, run.node, seen),
        NodeState::Ready => why_ready(machine, run),
        NodeState::Scheduled | NodeState::BackingOff => why_ordered(machine, run),
        NodeState::Running => why_running(machine, run),
        NodeState::Failing => why_failing(machine, run),
        NodeState::Waiting => why_waiting(machine, run),
        NodeState::Completed => why_completed(machine, run),
        NodeState::Failed => why_failed(machine, run)
            .into_iter()
            .chain(failed_instances(machine, run))
            .collect(),
        NodeState::Skipped | NodeState::Cancelled => why_dismissed(machine, run, seen),
    };
    reasons.extend(why_so(machine, run, seen));
    reasons.extend(why_stops(machine, run));
    reasons.extend(why_skip(machine, run));
    if !is_settled(state) {
        reasons.extend(why_execution(machine, run));
    }
    Some(Explanation {
        node_id: node_id.to_string(),
        state,
        reasons,
    })
}

/// The expressions that the reasons for where a node is name, to be watched while the log
/// is read once more: see [`Seen`].
#[must_use]
pub fn watched(machine: &Machine, node_id: &str) -> Vec<Watched> {
    let own = machine.find(node_id).ok();
    let own = own.and_then(|run| own_expression(machine, run));
    let edges = false_conditions(machine, node_id).into_iter();
    edges.chain(own).collect()
}

fn next_step(step: NextStep) -> Reason {
    because(ReasonCause::NextStep(step))
}

fn why_pending(machine: &Machine, ix: NodeIx, seen: &Seen) -> Vec<Reason> {
    if is_finalizer(&machine.node(ix).kind) {
        return why_finalizer(machine, ix);
    }
    if !is_out_of_reach(machine.record(ix), &machine.node(ix).kind) {
        return unmet(machine, ix, seen);
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

fn why_ready(machine: &Machine, run: RunIx) -> Vec<Reason> {
    if is_finalizer(&machine.node(run).kind) {
        return why_finalizer(machine, run.node);
    }
    let is_work = machine.work(run).is_some();
    let is_ordered = is_work || machine.subgraph(run).is_some();
    if !may_settle(machine) || (is_ordered && is_held(machine)) {
        return Vec::new();
    }
    let reason = match is_work {
        false if !is_ordered => next_step(NextStep::Settle),
        false if !has_window(machine, run) => no_window(machine, run),
        false => next_step(NextStep::Dispatch),
        true if !has_room(machine) => no_room(machine),
        true if !has_window(machine, run) => no_window(machine, run),
        true => next_step(NextStep::Dispatch),
    };
    [reason].into()
}

fn why_ordered(machine: &Machine, run: RunIx) -> Vec<Reason> {
    let record = machine.record(run);
    let queue = machine
        .work(run)
        .map_or("", |work| &*work.queue)
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
    reasons.extend(last_failure(machine, run));
    reasons
}

fn why_running(machine: &Machine, run: RunIx) -> Vec<Reason> {
    let record = machine.record(run);
    let running = ReasonCause::WorkerAtWork(RunningAttempt {
        attempt: record.attempt,
        worker_id: record.worker_id.clone().unwrap_or_default(),
        since: record.started_at.unwrap_or_default().0,
    });
    let mut reasons: Vec<Reason> = [because(running)].into();
    let times_out = record.deadline.map(|at| ReasonCause::TimesOut(at.0));
    reasons.extend(times_out.map(because));
    reasons.extend(last_failure(machine, run));
    reasons
}

fn why_failing(machine: &Machine, run: RunIx) -> Vec<Reason> {
    let is_judged = machine.state.host_stall.is_none()
        && !is_stalled_on(machine, run)
        && judge_failure(machine, 1, run).is_some();
    let next = is_judged.then(|| next_step(NextStep::JudgeFailure));
    let again = machine.record(run).deadline;
    let again = again.map(|time| because(ReasonCause::NotBefore(time.0)));
    let reasons = last_failure(machine, run).into_iter().chain(again);
    reasons.chain(next).collect()
}

fn last_failure(machine: &Machine, run: RunIx) -> Option<Reason> {
    machine.record(run).failure.as_ref()?;
    Some(because(ReasonCause::LastFailure(attempt_failure(
        machine, run,
    ))))
}

fn why_waiting(machine: &Machine, run: RunIx) -> Vec<Reason> {
    let (node, record) = (machine.node(run), machine.record(run));
    if record.wait_result.is_some() && !may_settle(machine) {
        return Vec::new();
    }
    if record.wait_result.is_some() {
        return [next_step(NextStep::Settle)].into();
    }
    if machine.subgraph(run).is_some() {
        return why_child_runs(machine, run);
    }
    let is_open = machine.state.ended.is_none();
    let remedies = |remedy: Remedy| is_open.then_some(remedy).into_iter().collect();
    let waits_for = match &node.kind {
        Kind::HumanApproval(approval) => {
            description(machine, run.node, approval).ok().map(|text| {
                with(
                    ReasonCause::WaitsForApproval(text.into_owned()),
                    remedies(Remedy::Approve(node.id.clone())),
                )
            })
        }
        Kind::Wait(wait) => correlation_key(machine, run.node, wait)
            .ok()
            .flatten()
            .map(|key| {
                with(
                    ReasonCause::WaitsForEvent(key.clone().into_owned()),
                    remedies(Remedy::Signal(key.into_owned())),
                )
            }),
        Kind::Map(_) => return why_map_waits(machine, run.node),
        _ => None,
    };
    let ends = record.deadline.map(|at| ReasonCause::WaitEnds(at.0));
    waits_for.into_iter().chain(ends.map(because)).collect()
}

/// Its child is at work: what that waits for, who asks for the child is told. The child
/// stands in the place of a worker.
fn why_child_runs(machine: &Machine, run: RunIx) -> Vec<Reason> {
    let record = machine.record(run);
    let child = machine.state.children.get(&run);
    let running = ReasonCause::WorkerAtWork(RunningAttempt {
        attempt: record.attempt,
        worker_id: child
            .and_then(|child| child.child_id.clone())
            .unwrap_or_default(),
        since: record.started_at.unwrap_or_default().0,
    });
    let times_out = record.deadline.map(|at| ReasonCause::TimesOut(at.0));
    let reasons = [running].into_iter().chain(times_out).map(because);
    reasons.chain(last_failure(machine, run)).collect()
}

/// That an operator asked for the node to be skipped, and it is not yet.
fn why_skip(machine: &Machine, run: RunIx) -> Option<Reason> {
    let is_asked = machine.state.ended.is_none() && machine.state.skips.contains(&run);
    let cause = match machine.state.host_stall {
        None => ReasonCause::NextStep(NextStep::SkipByOperator),
        Some(_) => ReasonCause::SkippedOnceLifted,
    };
    is_asked.then(|| because(cause))
}

/// What holds the whole execution; that concerns each node that is not settled.
fn why_execution(machine: &Machine, run: RunIx) -> Vec<Reason> {
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
    } else if let Some(reason) = stop_reason(machine)
        && !run.is_undo()
        && must_stop(machine, run.node)
    {
        reasons.push(because(ReasonCause::WasStopped(reason)));
    }
    reasons
}
