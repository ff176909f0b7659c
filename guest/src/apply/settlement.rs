//! Nodes that come to an end: completed, skipped, cancelled (rules R7, R9, R10).

use alloc::format;
use alloc::string::ToString;

use super::budget;
use super::edges::{judge_edges, judge_failure, kill_edges, release_finalizers};
use super::ending::{check_finalizer, enter_end, fix};
use super::map::{forget_skips, keep_output, shed};
use super::operator::lift_policy_stall;
use super::payload;
use super::refusal::{Refusal, check_fence, check_not_held, check_own, check_step, refuse};
use super::rest::note_rest;
use super::undo;
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
use crate::state::{Dismissal, Fixed, NodeRecord, is_finalizer, is_out_of_reach};
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
    undo::check_room(machine, run, &fact.output, &patch)?;
    if let Some(telemetry) = &fact.telemetry {
        payload::telemetry(telemetry)?;
    }
    check_choice(machine, run, fact.chosen_target.as_deref())?;
    let spent = budget::spent_with(machine, fact)?;
    if !run.is_undo() {
        undo::keep(machine, run, &fact.output);
    }
    if let Some(index) = run.instance() {
        complete_instance(machine, run, at, Step::Complete);
        keep_output(machine, run.node, index, &fact.output);
        machine.refile_map(run.node);
    } else if run.is_undo() {
        complete_instance(machine, run, at, Step::Complete);
    } else {
        let target = fact.chosen_target.as_deref();
        complete(machine, run.node, at, Step::Complete, patch, target);
    }
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
    let run = check_step(machine, &decision.node_id, Step::Settle)?;
    let ix = check_own(machine, run)?;
    let (node, record) = (machine.node(ix), machine.record(ix));
    let may_complete = match &node.kind {
        Kind::Condition(_) | Kind::Parallel | Kind::Join(_) | Kind::Terminate(_) => true,
        Kind::Wait(wait) if record.state == NodeState::Ready => kept(machine, ix, wait).is_some(),
        Kind::Wait(_) => record.wait_result.is_some(),
        Kind::HumanApproval(_) => {
            record.wait_result.is_some() || record.deadline.is_some_and(|deadline| deadline <= at)
        }
        Kind::Map(_) => machine.verdict(ix) == Some(Verdict::Complete),
        Kind::Work(_) | Kind::Subgraph(_) | Kind::LimitExceeded { .. } => false,
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
    match machine.node(ix).kind {
        Kind::Join(join) if join.cancels_rest() => note_rest(machine, ix),
        Kind::Terminate(_) => fix(machine, Fixed::Terminated(ix)),
        _ => {}
    }
    Ok(())
}

/// A choice is the target of an edge, or `end`.
fn check_choice(machine: &Machine, run: RunIx, chosen_target: Option<&str>) -> Result<(), Refusal> {
    let ix = run.node;
    match chosen_target {
        Some(_) if !run.is_own() => {
            let what = match run.is_undo() {
                true => "a compensation",
                false => "an instance of a map",
            };
            refuse(
                Code::UnknownTarget,
                format!(
                    "`{}` is {what}, which leads nowhere: it cannot choose a target",
                    machine.node_id(run)
                ),
            )
        }
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
    withdraw_skip(machine, ix.into());
    forget_skips(machine, ix);
    machine.state.unneeded.remove(&ix);
    judge_edges(machine, ix, chosen_target);
}

/// The node's child has come to its end well (rule R22).
pub(super) fn complete_child(
    machine: &mut Machine,
    ix: NodeIx,
    at: Timestamp,
    patch: Object,
    output: &str,
) {
    undo::keep(machine, ix.into(), output);
    complete(machine, ix, at, Step::Settle, patch, None);
}

/// The same of an instance.
pub(super) fn complete_child_of_instance(
    machine: &mut Machine,
    run: RunIx,
    index: u32,
    at: Timestamp,
    output: &str,
) {
    undo::keep(machine, run, output);
    complete_instance(machine, run, at, Step::Settle);
    keep_output(machine, run.node, index, output);
    machine.refile_map(run.node);
}

/// The state stays as it is, and nothing is led on to (rules R21 and R27).
fn complete_instance(machine: &mut Machine, run: RunIx, at: Timestamp, step: Step) {
    machine.change(run, |node| {
        node.take(step);
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
        SkipReason::Unreached | SkipReason::RunOn | SkipReason::NotNeeded => Step::PassOver,
    };
    let run = check_step(machine, &decision.node_id, step)?;
    if decision.reason != SkipReason::ByOperator {
        check_own(machine, run)?;
    }
    let ix = run.node;
    let (id, record) = (&decision.node_id, machine.record(run));
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
            enter_end(machine, ix);
        }
        SkipReason::ByOperator => check_skip(machine, run)?,
        SkipReason::NotNeeded => check_unneeded(machine, run)?,
        SkipReason::Unreached => {}
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
        CancelReason::JoinSatisfied => {
            check_unneeded(machine, run)?;
            pass_on(machine, ix);
        }
        CancelReason::MapSettled => {
            if run.instance().is_none() || !machine.agenda.stopping.contains(&ix) {
                return refuse(
                    Code::Unfounded,
                    format!("no map asks for `{id}` to be cancelled"),
                );
            }
        }
        CancelReason::CancelRequested
        | CancelReason::WorkflowTimedOut
        | CancelReason::Terminated
        | CancelReason::BudgetExceeded => {
            check_stoppable(machine, run)?;
            if stop_reason(machine) != Some(decision.reason) || !must_stop(machine, ix) {
                return refuse(
                    Code::Unfounded,
                    format!("nothing asks for node `{id}` to be cancelled"),
                );
            }
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
        CancelReason::JoinSatisfied => kill_edges(machine, ix),
        _ => release_finalizers(machine, ix),
    }
    Ok(())
}

/// Once begun, no timeout and no cancel stops a compensation (rule R17).
fn check_stoppable(machine: &Machine, run: RunIx) -> Result<(), Refusal> {
    if !run.is_undo() {
        return Ok(());
    }
    refuse(
        Code::Unfounded,
        format!(
            "nothing but an operator stops the compensation `{}`",
            machine.node_id(run)
        ),
    )
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

/// Rule R24. A join does without a node and all its instances.
fn check_unneeded(machine: &Machine, run: RunIx) -> Result<(), Refusal> {
    if run.is_own() && machine.state.unneeded.contains(&run.node) {
        return Ok(());
    }
    refuse(
        Code::Unfounded,
        format!(
            "no join that is settled does without node `{}`",
            machine.node_id(run)
        ),
    )
}

/// Whether a node is skipped because of its dead edges (rule R9).
fn is_unreached(record: &NodeRecord, kind: &Kind) -> bool {
    record.state == NodeState::Pending && is_out_of_reach(record, kind) && !is_finalizer(kind)
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
        machine.state.unneeded.remove(&run.node);
    }
    lift_policy_stall(machine, run);
}

fn withdraw_skip(machine: &mut Machine, run: RunIx) {
    machine.state.skips.retain(|asked| *asked != run);
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
    if machine.plan.reads_errors
        && let Some(error) = machine.error(ix)
    {
        let id = machine.node_id(ix);
        machine.state.errors.insert(id, &error);
    }
    withdraw_skip(machine, ix.into());
    true
}
