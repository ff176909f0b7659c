//! Nodes that come to an end: completed, skipped, cancelled (rules R7, R9, R10).

use alloc::format;
use alloc::string::ToString;

use super::budget;
use super::edges::{judge_edges, judge_failure, kill_edges, release_finalizers};
use super::ending::{check_finalizer, enter_finalizers, fix};
use super::operator::lift_policy_stall;
use super::payload;
use super::refusal::{Refusal, check_fence, check_not_held, check_step, refuse, unsupported};
use super::rest::note_rest;
use super::wait::{check_state_room, pass_on, stop_waiting};
use crate::contract::{
    CancelReason, NodeCancelled, NodeCompleted, NodeSettled, NodeSkipped, NodeState,
    RefusalCode as Code, SkipReason,
};
use crate::guards::{kept, must_stop, stop_reason};
use crate::json::Object;
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::state::{Dismissal, Fixed, NodeRecord, is_finalizer, is_out_of_reach};
use crate::time::Timestamp;
use crate::workflow::END;
use crate::workflow::plan::{Kind, NodeIx};

/// A worker's result.
pub(super) fn completed(
    machine: &mut Machine,
    at: Timestamp,
    fact: &NodeCompleted,
) -> Result<(), Refusal> {
    let ix = check_fence(
        machine,
        &fact.node_id,
        Step::Complete,
        fact.attempt,
        fact.fence,
    )?;
    payload::value("the output", &fact.output)?;
    let patch = payload::object("the state patch", &fact.state_patch)?;
    check_state_room(machine, machine.state.data.bytes_with(&patch))?;
    if let Some(telemetry) = &fact.telemetry {
        payload::telemetry(telemetry)?;
    }
    check_choice(machine, ix, fact.chosen_target.as_deref())?;
    let spent = budget::spent_with(machine, fact)?;
    complete(
        machine,
        ix,
        at,
        Step::Complete,
        patch,
        fact.chosen_target.as_deref(),
    );
    if let Some(spent) = spent {
        budget::spend(machine, spent);
    }
    Ok(())
}

/// A node that the guest settled itself (rule R6).
pub(super) fn settled(
    machine: &mut Machine,
    at: Timestamp,
    decision: &NodeSettled,
) -> Result<(), Refusal> {
    let ix = check_step(machine, &decision.node_id, Step::Settle)?;
    let (node, record) = (machine.node(ix), machine.record(ix));
    let may_complete = match &node.kind {
        Kind::Condition(_) | Kind::Parallel | Kind::Join(_) | Kind::Terminate(_) => true,
        Kind::Wait(wait) if record.state == NodeState::Ready => kept(machine, ix, wait).is_some(),
        Kind::Wait(_) => record.wait_result.is_some(),
        Kind::HumanApproval(_) => {
            record.wait_result.is_some() || record.deadline.is_some_and(|deadline| deadline <= at)
        }
        Kind::Work(_) | Kind::LimitExceeded { .. } => false,
    };
    if !may_complete {
        return refuse(
            Code::WrongState,
            format!(
                "node `{}` is {}: nothing completes it without a worker",
                node.id,
                name(record.state)
            ),
        );
    }
    let patch = payload::composed("the state patch", &decision.state_patch)?;
    check_choice(machine, ix, decision.chosen_target.as_deref())?;
    stop_waiting(machine, ix);
    complete(
        machine,
        ix,
        at,
        Step::Settle,
        patch,
        decision.chosen_target.as_deref(),
    );
    match machine.node(ix).kind {
        Kind::Join(join) if join.cancels_rest() => note_rest(machine, ix),
        Kind::Terminate(_) => fix(machine, Fixed::Terminated(ix)),
        _ => {}
    }
    Ok(())
}

/// A choice is the target of an edge, or `end`.
fn check_choice(machine: &Machine, ix: NodeIx, chosen_target: Option<&str>) -> Result<(), Refusal> {
    match chosen_target {
        Some(target)
            if target != END && !targets(machine, ix).any(|to| machine.node(to).id == target) =>
        {
            refuse(
                Code::UnknownTarget,
                format!(
                    "node `{}` has no edge to `{target}`; choose the target of one of its edges, or `{END}`",
                    machine.node(ix).id
                ),
            )
        }
        _ => Ok(()),
    }
}

fn targets(machine: &Machine, ix: NodeIx) -> impl Iterator<Item = NodeIx> + '_ {
    let edges = machine.node(ix).outgoing.clone();
    edges
        .map(|edge| &machine.plan.edges[edge as usize])
        .filter(|edge| edge.on.judges_success())
        .map(|edge| edge.to)
}

/// Rule R10, then R7.
fn complete(
    machine: &mut Machine,
    ix: NodeIx,
    at: Timestamp,
    step: Step,
    patch: Object,
    chosen_target: Option<&str>,
) {
    machine.state.data.merge(patch);
    machine.change(ix, |node| {
        node.take(step);
        node.ended_at = Some(at);
        node.wait_result = None;
        node.failure = None;
        node.chosen_target = chosen_target.map(ToString::to_string);
    });
    withdraw_skip(machine, ix);
    machine.state.unneeded.remove(&ix);
    judge_edges(machine, ix, chosen_target);
}

pub(super) fn skipped(
    machine: &mut Machine,
    at: Timestamp,
    decision: &NodeSkipped,
) -> Result<(), Refusal> {
    let step = match decision.reason {
        SkipReason::ByOperator => Step::Skip,
        SkipReason::Unreached | SkipReason::RunOn | SkipReason::NotNeeded => Step::PassOver,
    };
    let ix = check_step(machine, &decision.node_id, step)?;
    let (id, record) = (&decision.node_id, machine.record(ix));
    match decision.reason {
        SkipReason::Unreached if !is_unreached(record, &machine.node(ix).kind) => {
            return refuse(
                Code::Unfounded,
                format!("node `{id}` can still be reached: it may not be skipped as unreached"),
            );
        }
        SkipReason::RunOn => {
            check_finalizer(machine, ix, false)?;
            check_not_held(machine, "it may not end")?;
            enter_finalizers(machine, ix);
        }
        SkipReason::ByOperator => check_skip(machine, ix)?,
        SkipReason::NotNeeded => check_unneeded(machine, ix)?,
        SkipReason::Unreached => {}
    }
    dismiss(machine, ix, at, step, Dismissal::Skipped(decision.reason));
    match decision.reason {
        SkipReason::ByOperator => judge_edges(machine, ix, None),
        SkipReason::Unreached | SkipReason::NotNeeded => kill_edges(machine, ix),
        SkipReason::RunOn => release_finalizers(machine, ix),
    }
    Ok(())
}

pub(super) fn cancelled(
    machine: &mut Machine,
    at: Timestamp,
    decision: &NodeCancelled,
) -> Result<(), Refusal> {
    let ix = check_step(machine, &decision.node_id, Step::Cancel)?;
    let (id, state) = (&decision.node_id, machine.record(ix).state);
    match decision.reason {
        CancelReason::ByOperator => {
            check_skip(machine, ix)?;
            if state == NodeState::Failing {
                return refuse(
                    Code::WrongState,
                    format!(
                        "node `{id}` is {}: there is nothing of it to cancel, it is skipped",
                        name(state)
                    ),
                );
            }
            pass_on(machine, ix);
        }
        CancelReason::JoinSatisfied => {
            check_unneeded(machine, ix)?;
            pass_on(machine, ix);
        }
        CancelReason::MapSettled => return unsupported("to stop a node for a map"),
        CancelReason::CancelRequested
        | CancelReason::WorkflowTimedOut
        | CancelReason::Terminated
        | CancelReason::BudgetExceeded => {
            if stop_reason(machine) != Some(decision.reason) || !must_stop(machine, ix) {
                return refuse(
                    Code::Unfounded,
                    format!("nothing asks for node `{id}` to be cancelled"),
                );
            }
        }
    }
    stop_waiting(machine, ix);
    dismiss(
        machine,
        ix,
        at,
        Step::Cancel,
        Dismissal::Cancelled(decision.reason),
    );
    match decision.reason {
        CancelReason::ByOperator => judge_edges(machine, ix, None),
        CancelReason::JoinSatisfied => kill_edges(machine, ix),
        _ => release_finalizers(machine, ix),
    }
    Ok(())
}

fn check_skip(machine: &Machine, ix: NodeIx) -> Result<(), Refusal> {
    if machine.state.skips.contains(&ix) {
        return Ok(());
    }
    refuse(
        Code::Unfounded,
        format!(
            "no operator asked for node `{}` to be skipped",
            machine.node(ix).id
        ),
    )
}

/// Rule R24.
fn check_unneeded(machine: &Machine, ix: NodeIx) -> Result<(), Refusal> {
    if machine.state.unneeded.contains(&ix) {
        return Ok(());
    }
    refuse(
        Code::Unfounded,
        format!(
            "no join that is settled does without node `{}`",
            machine.node(ix).id
        ),
    )
}

/// Whether a node is skipped because of its dead edges (rule R9).
fn is_unreached(record: &NodeRecord, kind: &Kind) -> bool {
    record.state == NodeState::Pending && is_out_of_reach(record, kind) && !is_finalizer(kind)
}

fn dismiss(machine: &mut Machine, ix: NodeIx, at: Timestamp, step: Step, why: Dismissal) {
    machine.change(ix, |node| {
        node.take(step);
        node.ended_at = Some(at);
        node.wait_result = None;
        node.dismissal = Some(why);
    });
    withdraw_skip(machine, ix);
    machine.state.unneeded.remove(&ix);
    lift_policy_stall(machine, ix);
}

fn withdraw_skip(machine: &mut Machine, ix: NodeIx) {
    machine.state.skips.retain(|asked| *asked != ix);
}

/// Rule R26: whether an edge handles that the node failed for good. Then that is over.
pub(super) fn handle_failure(machine: &mut Machine, ix: NodeIx) -> bool {
    machine.state.unneeded.remove(&ix);
    if !judge_failure(machine, ix) {
        return false;
    }
    machine.change(ix, |node| {
        if let Some(failure) = &mut node.failure {
            failure.is_handled = true;
        }
    });
    withdraw_skip(machine, ix);
    true
}
