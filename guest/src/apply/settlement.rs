//! Nodes that come to an end: completed, skipped, cancelled (rules R7, R9, R10).

use alloc::format;
use alloc::string::ToString;

use super::edges::{judge_edges, kill_edges, release_finalizers};
use super::ending::{check_finalizer, enter_finalizers};
use super::operator::lift_policy_stall;
use super::payload;
use super::refusal::{Refusal, check_fence, check_not_held, check_step, refuse, unsupported};
use super::wait::{check_state_room, pass_on, stop_waiting};
use crate::contract::{
    CancelReason, NodeCancelled, NodeCompleted, NodeSettled, NodeSkipped, NodeState,
    RefusalCode as Code, SkipReason,
};
use crate::guards::{kept, must_stop, stop_reason};
use crate::json::Object;
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::state::{Dismissal, is_finalizer};
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
    complete(
        machine,
        ix,
        at,
        Step::Complete,
        patch,
        fact.chosen_target.as_deref(),
    );
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
        Kind::Condition(_) | Kind::Parallel | Kind::Join(_) => true,
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
    machine
        .node(ix)
        .outgoing
        .clone()
        .map(|edge| machine.plan.edges[edge as usize].to)
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
    judge_edges(machine, ix, chosen_target);
}

pub(super) fn skipped(
    machine: &mut Machine,
    at: Timestamp,
    decision: &NodeSkipped,
) -> Result<(), Refusal> {
    let step = match decision.reason {
        SkipReason::ByOperator => Step::Skip,
        SkipReason::Unreached | SkipReason::RunOn => Step::PassOver,
        SkipReason::NotNeeded => return unsupported("a join that skips what it does not need"),
    };
    let ix = check_step(machine, &decision.node_id, step)?;
    let (id, record) = (&decision.node_id, machine.record(ix));
    match decision.reason {
        SkipReason::Unreached
            if record.unsettled > 0 || record.live > 0 || is_finalizer(&machine.node(ix).kind) =>
        {
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
        SkipReason::Unreached | SkipReason::NotNeeded => {}
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
        CancelReason::CancelRequested | CancelReason::WorkflowTimedOut => {
            if stop_reason(machine) != Some(decision.reason) || !must_stop(machine, ix) {
                return refuse(
                    Code::Unfounded,
                    format!("nothing asks for node `{id}` to be cancelled"),
                );
            }
        }
        CancelReason::JoinSatisfied
        | CancelReason::MapSettled
        | CancelReason::Terminated
        | CancelReason::BudgetExceeded => {
            return unsupported("to stop a node for a join, a map, a `terminate` or a budget");
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

fn dismiss(machine: &mut Machine, ix: NodeIx, at: Timestamp, step: Step, why: Dismissal) {
    machine.change(ix, |node| {
        node.take(step);
        node.ended_at = Some(at);
        node.wait_result = None;
        node.dismissal = Some(why);
    });
    withdraw_skip(machine, ix);
    lift_policy_stall(machine, ix);
}

fn withdraw_skip(machine: &mut Machine, ix: NodeIx) {
    machine.state.skips.retain(|asked| *asked != ix);
}
