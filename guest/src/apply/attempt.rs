//! Attempts: ordered, claimed, failed, ordered again.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use super::child::lose;
use super::edges::reach;
use super::ending::{check_finalizer, enter_end};
use super::payload;
use super::refusal::{
    Refusal, check_fence, check_map_open, check_not_held, check_room, check_step, check_step_of,
    find, refuse,
};
use super::undo::check_turn;
use crate::contract::{
    LeaseExpired, NodeFailed, NodeFailure, NodeReleased, NodeScheduled, NodeStarted, NodeState,
    NodeTimedOut, RefusalCode as Code, RetryScheduled,
};
use crate::guards::is_ending;
use crate::instance::RunIx;
use crate::limits::{RELEASES_MAX, SPAN_MAX};
use crate::machine::Machine;
use crate::node::Step;
use crate::state::{Failure, is_finalizer};
use crate::time::{Millis, Timestamp};

pub(super) fn scheduled(
    machine: &mut Machine,
    at: Timestamp,
    decision: &NodeScheduled,
) -> Result<(), Refusal> {
    let run = find(machine, &decision.node_id)?;
    if run.is_undo() {
        check_turn(machine, run)?;
    } else if is_finalizer(&machine.node(run).kind) {
        check_finalizer(machine, run.node, true)?;
    } else {
        check_step_of(machine, run, Step::Schedule)?;
    }
    check_order(machine, run, decision.attempt)?;
    if decision.attempt != 1 {
        return refuse(
            Code::Unfounded,
            format!(
                "a further attempt of node `{}` is ordered by retry_scheduled",
                decision.node_id
            ),
        );
    }
    check_room(machine, run)?;
    enter_end(machine, run);
    if run.instance().is_none() {
        reach(machine, run);
    }
    ordered(machine, run, at, decision.attempt, at, Step::Schedule);
    Ok(())
}

pub(super) fn rescheduled(
    machine: &mut Machine,
    at: Timestamp,
    decision: &RetryScheduled,
) -> Result<(), Refusal> {
    let run = check_step(machine, &decision.node_id, Step::Retry)?;
    check_order(machine, run, decision.attempt)?;
    let record = machine.record(run);
    if decision.attempt == 1 {
        return refuse(
            Code::Unfounded,
            format!(
                "node `{}` has not been tried yet: its first attempt is ordered by node_scheduled",
                decision.node_id
            ),
        );
    }
    if decision.attempt > record.max_attempts {
        return refuse(
            Code::Unfounded,
            format!(
                "node `{}` has used all its {} attempts",
                decision.node_id, record.max_attempts
            ),
        );
    }
    if machine.record(run).state != NodeState::Failing {
        check_room(machine, run)?;
        if run.is_undo() {
            check_turn(machine, run)?;
        }
    }
    let not_before = at.after(Millis(decision.delay_ms));
    ordered(machine, run, at, decision.attempt, not_before, Step::Retry);
    Ok(())
}

fn ordered(
    machine: &mut Machine,
    run: RunIx,
    at: Timestamp,
    attempt: u32,
    not_before: Timestamp,
    step: Step,
) {
    machine.change(run, |node| {
        node.take(step);
        node.attempt = attempt;
        node.releases = 0;
        node.scheduled_at = Some(at);
        node.not_before = Some(not_before);
        node.started_at = None;
        node.worker_id = None;
        node.fence = 0;
    });
}

/// What any order of a work item needs.
fn check_order(machine: &Machine, run: RunIx, attempt: u32) -> Result<(), Refusal> {
    let (node, id) = (machine.node(run), || machine.node_id(run));
    check_not_held(machine, "no work item may be ordered")?;
    if machine.work(run).is_none() {
        return refuse(
            Code::WrongState,
            format!(
                "node `{}` is settled by the guest itself; it has no work items",
                id()
            ),
        );
    }
    check_map_open(machine, run, "dispatched")?;
    let next = machine.record(run).attempt + 1;
    if attempt != next {
        return refuse(
            Code::Unfounded,
            format!(
                "the next attempt of node `{}` is {next}, not {attempt}",
                id()
            ),
        );
    }
    if !is_finalizer(&node.kind) && !run.is_undo() && is_ending(machine) {
        return refuse(
            Code::Ending,
            format!(
                "the execution is ending: node `{}` may not be dispatched any more",
                id()
            ),
        );
    }
    Ok(())
}

/// Law 7: a claim. Its sequence is its fence.
pub(super) fn claimed(
    machine: &mut Machine,
    at: Timestamp,
    sequence: u64,
    fact: &NodeStarted,
) -> Result<(), Refusal> {
    let run = check_step(machine, &fact.node_id, Step::Start)?;
    check_not_held(machine, "its work items may not be claimed")?;
    let record = machine.record(run);
    if fact.attempt != record.attempt {
        return refuse(
            Code::Stale,
            format!(
                "attempt {} of node `{}` is ordered, not attempt {}",
                record.attempt, fact.node_id, fact.attempt
            ),
        );
    }
    if let Some(not_before) = record.not_before
        && at < not_before
    {
        return refuse(
            Code::TooEarly,
            format!(
                "node `{}` may not be claimed before {} ms; it is {} ms",
                fact.node_id, not_before.0, at.0
            ),
        );
    }
    let deadline = machine.timeout(run).map(|timeout| at.after(timeout));
    machine.change(run, |node| {
        node.take(Step::Start);
        node.fence = sequence;
        node.worker_id = Some(fact.worker_id.clone());
        node.started_at = Some(at);
        node.not_before = None;
        node.deadline = deadline;
    });
    Ok(())
}

/// The item waits again, and the attempt is not spent.
pub(super) fn take_back_claim(machine: &mut Machine, run: RunIx) {
    machine.change(run, |node| {
        node.take(Step::BeginAnew);
        node.started_at = None;
        node.worker_id = None;
        node.fence = 0;
    });
}

pub(super) fn failed(
    machine: &mut Machine,
    at: Timestamp,
    fact: &NodeFailed,
) -> Result<(), Refusal> {
    let run = check_fence(machine, &fact.node_id, Step::Fail, fact.attempt, fact.fence)?;
    if let Some(class) = &fact.error_class {
        payload::error_class(class)?;
    }
    let failure = Failure {
        cause: NodeFailure::AttemptFailed(fact.error.clone()),
        class: fact.error_class.clone(),
        retryable: fact.retryable,
        retry_after: fact.retry_after_ms.map(|ms| Millis(ms).min(SPAN_MAX)),
        is_handled: false,
    };
    fail(machine, run, at, Step::Fail, failure);
    Ok(())
}

/// Rule R13.
pub(super) fn lease_expired(
    machine: &mut Machine,
    at: Timestamp,
    fact: &LeaseExpired,
) -> Result<(), Refusal> {
    let run = check_fence(machine, &fact.node_id, Step::Fail, fact.attempt, fact.fence)?;
    presume_dead(machine, run, at);
    Ok(())
}

/// Rule R25: the item waits again, and the attempt is not spent.
pub(super) fn released(
    machine: &mut Machine,
    at: Timestamp,
    fact: &NodeReleased,
) -> Result<(), Refusal> {
    let (attempt, fence) = (fact.attempt, fact.fence);
    let run = check_fence(machine, &fact.node_id, Step::Release, attempt, fence)?;
    if machine.record(run).releases == RELEASES_MAX {
        presume_dead(machine, run, at);
        return Ok(());
    }
    machine.change(run, |node| {
        node.take(Step::Release);
        node.releases += 1;
        node.started_at = None;
        node.worker_id = None;
        node.fence = 0;
    });
    Ok(())
}

/// The worker is gone, and nobody will answer.
fn presume_dead(machine: &mut Machine, run: RunIx, at: Timestamp) {
    let failure = Failure {
        cause: NodeFailure::LeaseExpired,
        class: None,
        retryable: true,
        retry_after: None,
        is_handled: false,
    };
    fail(machine, run, at, Step::Fail, failure);
}

pub(super) fn timed_out(
    machine: &mut Machine,
    at: Timestamp,
    decision: &NodeTimedOut,
) -> Result<(), Refusal> {
    let run = find(machine, &decision.node_id)?;
    let is_child = machine.subgraph(run).is_some();
    let step = match is_child {
        true => Step::LoseChild,
        false => Step::TimeOut,
    };
    check_step_of(machine, run, step)?;
    let record = machine.record(run);
    if decision.attempt != record.attempt {
        return refuse(
            Code::Stale,
            format!(
                "attempt {} of node `{}` runs, not attempt {}",
                record.attempt, decision.node_id, decision.attempt
            ),
        );
    }
    let timeout = match (record.deadline, machine.timeout(run)) {
        (Some(deadline), Some(timeout)) if deadline <= at => timeout,
        (Some(deadline), _) => {
            return refuse(
                Code::TooEarly,
                format!(
                    "node `{}` has time until {} ms; it is {} ms",
                    decision.node_id, deadline.0, at.0
                ),
            );
        }
        (None, _) => {
            return refuse(
                Code::Unfounded,
                format!("node `{}` has no timeout", decision.node_id),
            );
        }
    };
    if decision.timeout_ms != timeout.0 {
        return refuse(
            Code::Unfounded,
            format!(
                "the timeout of node `{}` is {timeout}, not {} ms",
                decision.node_id, decision.timeout_ms
            ),
        );
    }
    if is_child {
        lose(machine, run, at, NodeFailure::Timeout(timeout.0), true);
        return Ok(());
    }
    let failure = Failure {
        cause: NodeFailure::Timeout(timeout.0),
        class: Some("timeout".to_string()),
        retryable: true,
        retry_after: None,
        is_handled: false,
    };
    fail(machine, run, at, Step::TimeOut, failure);
    Ok(())
}

fn fail(machine: &mut Machine, run: RunIx, at: Timestamp, step: Step, failure: Failure) {
    machine.change(run, |node| {
        node.take(step);
        node.ended_at = Some(at);
        node.failure = Some(Box::new(failure));
    });
}
