//! What operators and the host ask for.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::map::reopen;
use super::refusal::{Refusal, check_map_open, check_step, find, refuse};
use crate::contract::{
    Budget, BudgetExcess, CancelRequested, GuestChanged, HostStalled, NodeRequest, NodeState,
    RefusalCode as Code, StallReason, Stalled,
};
use crate::guards::{budget_to_stall_on, is_ending, is_stalled_on, is_why_undone};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::node::{Step, is_settled, name};
use crate::state::{CancelRequest, is_finalizer};

/// Rule R17. A cancel lifts the stall of a policy.
pub(super) fn cancel_requested(
    machine: &mut Machine,
    fact: &CancelRequested,
) -> Result<(), Refusal> {
    if machine.state.cancel.is_some() {
        return refuse(Code::Repeated, "the execution is already being cancelled");
    }
    machine.state.cancel = Some(CancelRequest {
        reason: fact.reason.clone(),
    });
    machine.state.policy_stall = None;
    Ok(())
}

/// Rule R18.
pub(super) fn paused(machine: &mut Machine) -> Result<(), Refusal> {
    if machine.state.paused {
        return refuse(Code::Repeated, "the execution is paused already");
    }
    machine.state.paused = true;
    Ok(())
}

pub(super) fn unpaused(machine: &mut Machine) -> Result<(), Refusal> {
    if !machine.state.paused {
        return refuse(Code::NotHeld, "the execution is not paused");
    }
    machine.state.paused = false;
    Ok(())
}

/// Rule R20: the node is ready once more, with a fresh budget of attempts.
pub(super) fn retry_requested(machine: &mut Machine, fact: &NodeRequest) -> Result<(), Refusal> {
    let run = find(machine, &fact.node_id)?;
    let record = machine.record(run);
    if record.state != NodeState::Failed && !is_stalled_on(machine, run) {
        return refuse(
            Code::WrongState,
            format!(
                "node `{}` is {}: only a failed node, or one that the execution is stalled on, can be retried",
                fact.node_id,
                name(record.state)
            ),
        );
    }
    check_not_handled(machine, run, "retried")?;
    if machine.state.skips.contains(&run) {
        return refuse(
            Code::WrongState,
            format!(
                "it was asked for node `{}` to be skipped: it cannot be retried as well",
                fact.node_id
            ),
        );
    }
    check_not_too_late(machine, run, "retried")?;
    check_map_open(machine, run, "retried")?;
    let max_attempts = record
        .attempt
        .saturating_add(machine.node(run).retry.max_attempts);
    machine.change(run, |node| {
        node.take(Step::Reopen);
        node.max_attempts = max_attempts;
        node.ended_at = None;
    });
    lift_policy_stall(machine, run);
    if run.is_own() && machine.state.instances.contains_key(&run.node) {
        reopen(machine, run.node);
    }
    Ok(())
}

/// The wish is noted; what is done about it is a decision.
pub(super) fn skip_requested(machine: &mut Machine, fact: &NodeRequest) -> Result<(), Refusal> {
    let run = find(machine, &fact.node_id)?;
    let state = machine.record(run).state;
    if is_settled(state) && state != NodeState::Failed {
        return refuse(
            Code::WrongState,
            format!(
                "node `{}` is {} already: it cannot be skipped",
                fact.node_id,
                name(state)
            ),
        );
    }
    check_not_handled(machine, run, "skipped")?;
    if machine.state.skips.contains(&run) {
        return refuse(
            Code::Repeated,
            format!(
                "it was asked already for node `{}` to be skipped",
                fact.node_id
            ),
        );
    }
    check_not_too_late(machine, run, "skipped")?;
    check_map_open(machine, run, "skipped")?;
    machine.state.skips.push_back(run);
    lift_policy_stall(machine, run);
    Ok(())
}

/// Rule R26: what follows a failure that was handled has been decided.
fn check_not_handled(machine: &Machine, run: RunIx, what: &str) -> Result<(), Refusal> {
    if !machine.record(run).is_handled() {
        return Ok(());
    }
    refuse(
        Code::WrongState,
        format!(
            "node `{}` has failed, and an edge has handled that: it cannot be {what} any more; to go on otherwise, fork the execution",
            machine.node_id(run)
        ),
    )
}

/// Once an execution is ending, only its compensations and its finalizers can still change;
/// and once a compensation has begun, not the finalizer whose failure asked for that (rule
/// R27).
fn check_not_too_late(machine: &Machine, run: RunIx, what: &str) -> Result<(), Refusal> {
    let id = machine.node_id(run);
    if run.is_undo() {
        if machine.state.compensating {
            return Ok(());
        }
        return refuse(
            Code::TooEarly,
            format!("no compensation has begun: `{id}` cannot be {what} yet"),
        );
    }
    if is_finalizer(&machine.node(run).kind) {
        if !is_why_undone(machine, run) {
            return Ok(());
        }
        return refuse(
            Code::Ending,
            format!(
                "the execution ends as failed because of node `{id}`, and what it did is being undone: the node cannot be {what} any more; to go on, fork the execution"
            ),
        );
    }
    if machine.state.cancel.is_some() {
        return refuse(
            Code::Ending,
            format!(
                "the execution is being cancelled: node `{id}` cannot be {what} any more; to go on, fork it"
            ),
        );
    }
    if is_ending(machine) {
        return refuse(
            Code::Ending,
            format!(
                "the execution is ending: node `{id}` cannot be {what} any more; to go on, fork it"
            ),
        );
    }
    Ok(())
}

pub(super) fn host_stalled(machine: &mut Machine, stall: &HostStalled) -> Result<(), Refusal> {
    machine.state.host_stall = Some(stall.reason.clone());
    Ok(())
}

/// Rule R11.
pub(super) fn stalled(machine: &mut Machine, stall: &Stalled) -> Result<(), Refusal> {
    if let Some((on, _)) = &machine.state.policy_stall {
        return refuse(
            Code::Unfounded,
            format!(
                "the execution is stalled on {} already",
                stalled_on(machine, *on)
            ),
        );
    }
    let exhausted = match &stall.reason {
        StallReason::AttemptsExhausted(exhausted) => exhausted,
        StallReason::BudgetExceeded(excess) => {
            check_over_budget(machine, excess)?;
            machine.state.policy_stall = Some((None, stall.reason.clone()));
            return Ok(());
        }
    };
    let node_id = &exhausted.node_id;
    let run = check_step(machine, node_id, Step::Stall)?;
    let node = machine.node(run);
    let is_tried = machine.work(run).is_some() || machine.subgraph(run).is_some();
    if !is_tried || run.is_undo() || !node.retry.pause_when_exhausted {
        return refuse(
            Code::Unfounded,
            format!("the policy of node `{node_id}` does not stall the execution"),
        );
    }
    check_map_open(machine, run, "waited for")?;
    machine.change(run, |node| node.take(Step::Stall));
    machine.state.policy_stall = Some((Some(run), stall.reason.clone()));
    Ok(())
}

fn stalled_on(machine: &Machine, on: Option<RunIx>) -> String {
    match on {
        Some(run) => format!("node `{}`", machine.node_id(run)),
        None => "a budget".to_owned(),
    }
}

/// Rule R28.
fn check_over_budget(machine: &Machine, excess: &BudgetExcess) -> Result<(), Refusal> {
    if budget_to_stall_on(machine).as_ref() == Some(excess) {
        return Ok(());
    }
    refuse(
        Code::Unfounded,
        "no budget of the workflow is exceeded so, and stalls the execution",
    )
}

pub(super) fn lift_policy_stall(machine: &mut Machine, run: RunIx) {
    if is_stalled_on(machine, run) {
        machine.state.policy_stall = None;
    }
}

pub(super) fn stall_lifted(machine: &mut Machine) -> Result<(), Refusal> {
    if machine.state.host_stall.take().is_some() {
        return Ok(());
    }
    let reason = match &machine.state.policy_stall {
        Some((_, StallReason::BudgetExceeded(excess))) => {
            let budget = excess.budget;
            switch_off(machine, budget);
            return Ok(());
        }
        Some((on, _)) => format!(
            "the execution is stalled on {}: retry or skip it, or cancel the execution",
            stalled_on(machine, *on)
        ),
        None => "the execution is not stalled".to_owned(),
    };
    refuse(Code::NotHeld, reason)
}

/// Rule R28: the budget counts no more.
fn switch_off(machine: &mut Machine, budget: Budget) {
    machine.state.policy_stall = None;
    let spent = machine.state.spent.get_or_insert_default();
    match budget {
        Budget::Tokens => spent.tokens_off = true,
        Budget::CostUsd => spent.cost_off = true,
    }
}

/// Where the execution is to end, a budget holds it no more (rule R28).
pub(super) fn lift_budget_stall(machine: &mut Machine) {
    if let Some((None, _)) = machine.state.policy_stall {
        machine.state.policy_stall = None;
    }
}

/// Law 10.
pub(super) fn guest_changed(machine: &mut Machine, fact: &GuestChanged) -> Result<(), Refusal> {
    machine.state.guest_digest.clone_from(&fact.guest_digest);
    Ok(())
}
