//! An event becomes state: the only writer.
//!
//! Each event is checked as a whole before anything is changed, so a refused
//! one leaves no trace. Legal means: it can stand here. Whether a decision is
//! the one that this guest would have made is not asked; an audit asks that.
//!
//! From the bottom up; each may use those above it in this list.

mod refusal;
mod place;
mod payload;
mod wait;
mod undo;
mod map;
mod operator;
mod edges;
mod ending;
mod rest;
mod budget;
mod settlement;
mod child;
mod attempt;
mod exhaustion;
mod fork;

use alloc::format;
use alloc::sync::Arc;

use crate::contract::{
    Event, EventKind, ExecutionId, IllegalEvent, Origin, RefusalCode as Code, WorkflowStarted,
};
use crate::limits::{CHILD_DEPTH_MAX, PRIORITY_MAX, SEED_BITS_MAX};
use crate::machine::Machine;
use crate::state::{Ending, State};
use crate::time::Timestamp;
use crate::workflow::Plan;
use refusal::{Refusal, refuse};

/// Take event 1. `workflow_digest` is the SHA-256 of the text that `plan`
/// was parsed from.
///
/// # Errors
/// It is not a legal event 1 for this workflow.
pub fn start(
    plan: Arc<Plan>,
    workflow_digest: &str,
    event: &Event,
) -> Result<Machine, IllegalEvent> {
    let started =
        check_start(&plan, workflow_digest, event).map_err(|refusal| illegal(event, refusal))?;
    let start = plan.start;
    let state = State::new(&plan, started.clone(), Timestamp(event.at));
    let mut machine = Machine::in_state(plan, state);
    edges::reach(&mut machine, start);
    Ok(machine)
}

fn illegal(event: &Event, refusal: Refusal) -> IllegalEvent {
    let Refusal { code, reason } = refusal;
    IllegalEvent {
        sequence: event.sequence,
        code,
        reason,
    }
}

fn check_start<'a>(
    plan: &Plan,
    workflow_digest: &str,
    event: &'a Event,
) -> Result<&'a WorkflowStarted, Refusal> {
    let EventKind::WorkflowStarted(started) = &event.kind else {
        return refuse(Code::WrongStart, "event 1 must be workflow_started");
    };
    if event.sequence != 1 {
        return refuse(
            Code::OutOfOrder,
            format!("the first event has the sequence 1, not {}", event.sequence),
        );
    }
    if event.origin != Origin::Fact {
        return refuse(
            Code::WrongAuthor,
            "only the host may start an execution: workflow_started is a fact",
        );
    }
    // What is written in place is named by its node, and has its parent's version. A fork of
    // such a child keeps the name, and has no parent.
    let is_in_place = plan.workflow_id.is_empty()
        && (started.parent.is_some() || started.forked_from.is_some())
        && started.workflow_id.contains('/');
    if (&started.workflow_id, &started.workflow_version) != (&plan.workflow_id, &plan.version)
        && !is_in_place
    {
        return refuse(
            Code::WrongStart,
            format!(
                "it starts {} {}, but the workflow at hand is {} {}",
                started.workflow_id, started.workflow_version, plan.workflow_id, plan.version
            ),
        );
    }
    if started.workflow_digest != workflow_digest {
        return refuse(
            Code::WrongStart,
            format!(
                "it names a workflow with the digest {}, but the text at hand has {workflow_digest}: the registered text is another one",
                started.workflow_digest
            ),
        );
    }
    let limits = started.limits;
    if limits.max_concurrent_nodes == 0 || limits.max_dispatch_per_tick == 0 {
        return refuse(
            Code::WrongStart,
            "its limits are zero, so nothing could ever run; both must be at least 1",
        );
    }
    if started.seed >> SEED_BITS_MAX != 0 {
        return refuse(
            Code::WrongStart,
            format!("its seed has more than {SEED_BITS_MAX} bits"),
        );
    }
    if started.priority > PRIORITY_MAX {
        return refuse(
            Code::WrongStart,
            format!("its priority is more than {PRIORITY_MAX}"),
        );
    }
    check_parent(started)?;
    payload::value("the initial input", &started.initial_input)?;
    Ok(started)
}

/// Rule R22 and law 11.
fn check_parent(started: &WorkflowStarted) -> Result<(), Refusal> {
    let Some(parent) = &started.parent else {
        return Ok(());
    };
    let is_named = [&parent.execution_id, &parent.root]
        .into_iter()
        .all(|id| id.parse::<ExecutionId>().is_ok());
    if !is_named || parent.attempt == 0 || parent.sequence < 2 {
        return refuse(
            Code::WrongStart,
            "its parent names no event that asks for a child",
        );
    }
    if !(1..=CHILD_DEPTH_MAX).contains(&parent.depth) {
        return refuse(
            Code::WrongStart,
            format!(
                "a child is from 1 to {CHILD_DEPTH_MAX} below its root, not {}",
                parent.depth
            ),
        );
    }
    if started.forked_from.is_some() {
        return refuse(Code::WrongStart, "a fork has no parent");
    }
    Ok(())
}

/// Take the next event, fact or decision.
///
/// # Errors
/// It may not stand here. Nothing has changed.
pub fn apply(machine: &mut Machine, event: &Event) -> Result<(), IllegalEvent> {
    place::check(machine, event)
        .and_then(|()| take(machine, event))
        .map_err(|refusal| illegal(event, refusal))?;
    machine.state.sequence = event.sequence;
    machine.state.at = Timestamp(event.at);
    Ok(())
}

fn take(machine: &mut Machine, event: &Event) -> Result<(), Refusal> {
    let at = Timestamp(event.at);
    match &event.kind {
        EventKind::WorkflowStarted(_) => {
            refuse(Code::WrongStart, "an execution starts once, with event 1")
        }
        EventKind::WorkflowCompleted(_) => ending::end(machine, Ending::Completed),
        EventKind::WorkflowFailed(_) if machine.state.timed_out => {
            ending::end(machine, Ending::TimedOut)
        }
        EventKind::WorkflowFailed(_) => ending::end(machine, Ending::Failed),
        EventKind::WorkflowCancelled(_) => ending::end(machine, Ending::Cancelled),
        EventKind::WorkflowTimedOut => ending::workflow_timed_out(machine, at),
        EventKind::NodeScheduled(decision) => attempt::scheduled(machine, at, decision),
        EventKind::NodeStarted(fact) => attempt::claimed(machine, at, event.sequence, fact),
        EventKind::NodeCompleted(fact) => settlement::completed(machine, at, fact),
        EventKind::NodeSettled(decision) => settlement::settled(machine, at, decision),
        EventKind::NodeFailed(fact) => attempt::failed(machine, at, fact),
        EventKind::LeaseExpired(fact) => attempt::lease_expired(machine, at, fact),
        EventKind::NodeReleased(fact) => attempt::released(machine, at, fact),
        EventKind::NodeTimedOut(decision) => attempt::timed_out(machine, at, decision),
        EventKind::NodeExhausted(decision) => exhaustion::exhausted(machine, at, decision),
        EventKind::NodeSkipped(decision) => settlement::skipped(machine, at, decision),
        EventKind::NodeCancelled(decision) => settlement::cancelled(machine, at, decision),
        EventKind::RetryScheduled(decision) => attempt::rescheduled(machine, at, decision),
        EventKind::InterruptRaised(decision) => wait::interrupted(machine, at, decision),
        EventKind::ApprovalReceived(fact) => wait::approved(machine, fact),
        EventKind::TimerCreated(decision) => wait::timer_created(machine, at, decision),
        EventKind::TimerFired(decision) => wait::timer_fired(machine, at, decision),
        EventKind::ExternalEventReceived(fact) => wait::external_event(machine, fact),
        EventKind::MapExpanded(decision) => map::expanded(machine, at, decision),
        EventKind::ChildRequested(decision) => child::requested(machine, at, decision),
        EventKind::ChildStarted(fact) => child::started(machine, at, fact),
        EventKind::ChildRefused(fact) => child::refused(machine, at, fact),
        EventKind::ChildEnded(fact) => child::ended(machine, at, fact),
        EventKind::CancelRequested(fact) => operator::cancel_requested(machine, fact),
        EventKind::ExecutionPaused(_) => operator::paused(machine),
        EventKind::ExecutionUnpaused(_) => operator::unpaused(machine),
        EventKind::RetryRequested(fact) => operator::retry_requested(machine, fact),
        EventKind::SkipRequested(fact) => operator::skip_requested(machine, fact),
        EventKind::Stalled(stall) => operator::stalled(machine, stall),
        EventKind::HostStalled(stall) => operator::host_stalled(machine, stall),
        EventKind::StallLifted(_) => operator::stall_lifted(machine),
        EventKind::GuestChanged(fact) => operator::guest_changed(machine, fact),
        EventKind::ExecutionForked(_) => {
            fork::forked(machine, at, event.sequence);
            Ok(())
        }
    }
}
