//! Whether any event at all may stand here, whatever its kind has to say:
//! laws 1, 2, 5 and 6.

use alloc::format;

use super::refusal::{Refusal, refuse};
use crate::contract::{Event, EventKind, Origin, RefusalCode as Code};
use crate::guards::has_to_fork;
use crate::limits::EVENTS_MAX;
use crate::machine::Machine;

/// Laws 1, 2, 5 and 6, as far as they concern any event.
pub(super) fn check(machine: &Machine, event: &Event) -> Result<(), Refusal> {
    let expected = machine.state.sequence + 1;
    if event.sequence != expected {
        return refuse(
            Code::OutOfOrder,
            format!("the next sequence is {expected}, not {}", event.sequence),
        );
    }
    check_not_repeated(machine, event)?;
    if expected > EVENTS_MAX && lengthens(event) {
        return refuse(
            Code::LogFull,
            format!(
                "the log is full: it holds {EVENTS_MAX} events; cancel the execution, or to go on, fork it before it was full"
            ),
        );
    }
    if event.at < machine.state.at.0 {
        return refuse(
            Code::OutOfOrder,
            format!(
                "it is stamped {} ms, earlier than the event before it ({} ms)",
                event.at, machine.state.at.0
            ),
        );
    }
    if let Some(ending) = machine.state.ended {
        return refuse(
            Code::Ended,
            format!(
                "the execution has ended ({}), and nothing follows an end; to go on, fork it",
                ending.name()
            ),
        );
    }
    let author = author(&event.kind);
    if author != event.origin {
        let reason = match author {
            Origin::Fact => "only the host may author this event: it is a fact",
            Origin::Decision => "only the guest may author this event: it is a decision",
        };
        return refuse(Code::WrongAuthor, reason);
    }
    if event.origin == Origin::Decision && machine.state.host_stall.is_some() {
        return refuse(
            Code::Held,
            "nothing is decided while the host stalls the execution; it needs a stall_lifted first",
        );
    }
    check_fork(machine, event)
}

/// Law 11: behind what it has in common with the log that it was forked from, a fork
/// goes its own way, with the results of nodes edited that were in flight there, or with
/// none. Before that place stands what it has in common, and forks may be among it.
fn check_fork(machine: &Machine, event: &Event) -> Result<(), Refusal> {
    let is_fork = matches!(event.kind, EventKind::ExecutionForked(_));
    let is_edited = matches!(&event.kind, EventKind::NodeCompleted(it) if it.edited_by.is_some());
    let common = match &machine.state.started.forked_from {
        Some(origin) => origin.sequence,
        None => 0,
    };
    if event.sequence <= common {
        return Ok(());
    }
    if has_to_fork(machine) {
        return match is_fork || is_edited {
            true => Ok(()),
            false => refuse(
                Code::Unfounded,
                format!(
                    "the execution has {common} events in common with the one that it was forked from, and execution_forked has to follow on them"
                ),
            ),
        };
    }
    if is_fork || is_edited {
        return refuse(
            Code::Unfounded,
            "only a fork goes its own way, once, behind what it has in common with the execution that it was forked from; and only there a result may be edited",
        );
    }
    Ok(())
}

/// An external event that has come already is told as that before anything
/// else, so that its sender can stop sending it: at the end, too.
fn check_not_repeated(machine: &Machine, event: &Event) -> Result<(), Refusal> {
    if let EventKind::ExternalEventReceived(it) = &event.kind
        && let Some(id) = &it.event_id
        && machine.state.event_ids.contains(id)
    {
        return refuse(
            Code::Repeated,
            format!("the external event `{id}` is already recorded"),
        );
    }
    Ok(())
}

/// Whether the event is one that a full log has no room for. What ends or
/// holds an execution always finds room, or a full log could neither be
/// cancelled nor tell why it stalled; and so does what becomes of a child that was asked for.
fn lengthens(event: &Event) -> bool {
    let always = matches!(
        event.kind,
        EventKind::CancelRequested(_)
            | EventKind::ExecutionUnpaused(_)
            | EventKind::HostStalled(_)
            | EventKind::StallLifted(_)
            | EventKind::GuestChanged(_)
            | EventKind::ExecutionForked(_)
            | EventKind::ChildStarted(_)
            | EventKind::ChildRefused(_)
            | EventKind::ChildEnded(_)
    );
    event.origin == Origin::Fact && !always
}

/// Who authors events of this kind.
fn author(kind: &EventKind) -> Origin {
    match kind {
        EventKind::WorkflowStarted(_)
        | EventKind::NodeStarted(_)
        | EventKind::NodeCompleted(_)
        | EventKind::NodeFailed(_)
        | EventKind::LeaseExpired(_)
        | EventKind::NodeReleased(_)
        | EventKind::ApprovalReceived(_)
        | EventKind::ExternalEventReceived(_)
        | EventKind::ChildStarted(_)
        | EventKind::ChildRefused(_)
        | EventKind::ChildEnded(_)
        | EventKind::CancelRequested(_)
        | EventKind::ExecutionPaused(_)
        | EventKind::ExecutionUnpaused(_)
        | EventKind::RetryRequested(_)
        | EventKind::SkipRequested(_)
        | EventKind::HostStalled(_)
        | EventKind::StallLifted(_)
        | EventKind::GuestChanged(_)
        | EventKind::ExecutionForked(_) => Origin::Fact,
        EventKind::WorkflowCompleted(_)
        | EventKind::WorkflowFailed(_)
        | EventKind::WorkflowCancelled(_)
        | EventKind::WorkflowTimedOut
        | EventKind::NodeScheduled(_)
        | EventKind::NodeSettled(_)
        | EventKind::NodeTimedOut(_)
        | EventKind::NodeExhausted(_)
        | EventKind::NodeSkipped(_)
        | EventKind::NodeCancelled(_)
        | EventKind::RetryScheduled(_)
        | EventKind::InterruptRaised(_)
        | EventKind::TimerCreated(_)
        | EventKind::TimerFired(_)
        | EventKind::MapExpanded(_)
        | EventKind::ChildRequested(_)
        | EventKind::Stalled(_) => Origin::Decision,
    }
}
