//! Nodes that come to an end: completed, skipped, cancelled (rules R7, R9, R10).

use alloc::format;
use alloc::string::ToString;

use super::edges::{judge_edges, kill_edges, release_finalizers};
use super::ending::{check_finalizer, enter_finalizers};
use super::map::{forget_skips, keep_output, shed};
use super::operator::lift_policy_stall;
use super::payload;
use super::refusal::{
    Refusal, check_fence, check_not_held, check_own, check_step, refuse, unsupported,
};
use super::wait::{check_state_room, pass_on, stop_waiting};
use crate::contract::{
    CancelReason, NodeCancelled, NodeCompleted, NodeSettled, NodeSkipped, NodeState,
    RefusalCode as Code, SkipReason,
};
use crate::guards::{kept, must_stop, stop_reason};
use crate::instance::RunIx;
use crate::json::Object;
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::state::{Dismissal, is_finalizer};
use crate::time::Timestamp;
use crate::verdict::Verdict;
use crate::workflow::END;
use crate::workflow::plan::{Kind, NodeIx};

/// A worker's result.
pub(super) fn completed(
    machine: &mut Machine,
    at: Timestamp,
    fact: &NodeCompleted,
) -> Result<(), Refusal> {
    let run = check_fence(
        machine,
        &fact.node_id,
        Step::Complete,
        fact.attempt,
        fact.fence,
    )?;
    payload::value("the output", &fact.output)?;
    let patch = payload::object("the state patch", &fact.state_patch)?;
    if run.is_own() {
        check_state_room(machine, machine.state.data.bytes_with(&patch))?;
    }
    if let Some(telemetry) = &fact.telemetry {
        payload::telemetry(telemetry)?;
    }
    check_choice(machine, run, fact.chosen_target.as_deref())?;
    if let Some(index) = run.instance() {
        complete_instance(machine, run, at);
        keep_output(machine, run.node, index, &fact.output);
        machine.refile_map(run.node);
        return Ok(());
    }
    complete(
        machine,
        run.node,
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
    let run = check_step(machine, &decision.node_id, Step::Settle)?;
    let ix = check_own(machine, run)?;
    let (node, record) = (machine.node(ix), machine.record(ix));
    let may_complete = match &node.kind {
        Kind::Condition(_) | Kind::Parallel | Kind::Join(_) => true,
        Kind::Wait(wait) if record.state == NodeState::Ready => kept(machine, wait).is_some(),
        Kind::Wait(_) => record.wait_result.is_some(),
        Kind::HumanApproval(_) => {
            record.wait_result.is_some() || record.deadline.is_some_and(|deadline| deadline <= at)
        }
        Kind::Map(_) => machine.verdict(ix) == Some(Verdict::Complete),
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
    check_choice(machine, run, decision.chosen_target.as_deref())?;
    if matches!(machine.node(ix).kind, Kind::Map(_)) {
        check_state_room(machine, machine.state.data.bytes_with(&patch))?;
        shed(machine, ix);
    }
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
fn check_choice(machine: &Machine, run: RunIx, chosen_target: Option<&str>) -> Result<(), Refusal> {
    let ix = run.node;
    match chosen_target {
        Some(_) if !run.is_own() => refuse(
            Code::UnknownTarget,
            format!(
                "`{}` is an instance of a map, which leads nowhere: it cannot choose a target",
                machine.node_id(run)
            ),
        ),
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
    withdraw_skip(machine, ix.into());
    forget_skips(machine, ix);
    judge_edges(machine, ix, chosen_target);
}

/// The state stays as it is, and nothing is led on to (rule R21).
fn complete_instance(machine: &mut Machine, run: RunIx, at: Timestamp) {
    machine.change(run, |node| {
        node.take(Step::Complete);
        node.ended_at = Some(at);
        node.failure = None;
    });
    withdraw_skip(machine, run);
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
    let run = check_step(machine, &decision.node_id, step)?;
    if decision.reason != SkipReason::ByOperator {
        check_own(machine, run)?;
    }
    let ix = run.node;
    let (id, record) = (&decision.node_id, machine.record(run));
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
        SkipReason::ByOperator => check_skip(machine, run)?,
        SkipReason::Unreached | SkipReason::NotNeeded => {}
    }
    dismiss(machine, run, at, step, Dismissal::Skipped(decision.reason));
    if !run.is_own() {
        return Ok(());
    }
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
    let run = check_step(machine, &decision.node_id, Step::Cancel)?;
    let ix = run.node;
    let (id, state) = (&decision.node_id, machine.record(run).state);
    match decision.reason {
        CancelReason::ByOperator => {
            check_skip(machine, run)?;
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
        CancelReason::MapSettled => {
            if run.is_own() || !machine.agenda.stopping.contains(&ix) {
                return refuse(
                    Code::Unfounded,
                    format!("no map asks for `{id}` to be cancelled"),
                );
            }
        }
        CancelReason::CancelRequested | CancelReason::WorkflowTimedOut => {
            if stop_reason(machine) != Some(decision.reason) || !must_stop(machine, ix) {
                return refuse(
                    Code::Unfounded,
                    format!("nothing asks for node `{id}` to be cancelled"),
                );
            }
        }
        CancelReason::JoinSatisfied | CancelReason::Terminated | CancelReason::BudgetExceeded => {
            return unsupported("to stop a node for a join, a `terminate` or a budget");
        }
    }
    if run.is_own() {
        stop_waiting(machine, ix);
    }
    dismiss(
        machine,
        run,
        at,
        Step::Cancel,
        Dismissal::Cancelled(decision.reason),
    );
    if !run.is_own() {
        return Ok(());
    }
    match decision.reason {
        CancelReason::ByOperator => judge_edges(machine, ix, None),
        _ => release_finalizers(machine, ix),
    }
    Ok(())
}

fn check_skip(machine: &Machine, run: RunIx) -> Result<(), Refusal> {
    if machine.state.skips.contains(&run) {
        return Ok(());
    }
    refuse(
        Code::Unfounded,
        format!(
            "no operator asked for node `{}` to be skipped",
            machine.node_id(run)
        ),
    )
}

fn dismiss(machine: &mut Machine, run: RunIx, at: Timestamp, step: Step, why: Dismissal) {
    machine.change(run, |node| {
        node.take(step);
        node.ended_at = Some(at);
        node.wait_result = None;
        node.dismissal = Some(why);
    });
    withdraw_skip(machine, run);
    if run.is_own() {
        forget_skips(machine, run.node);
    }
    lift_policy_stall(machine, run);
}

fn withdraw_skip(machine: &mut Machine, run: RunIx) {
    machine.state.skips.retain(|asked| *asked != run);
}
