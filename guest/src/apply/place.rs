//! Whether any event at all may stand here, whatever its kind has to say:
//! laws 1, 2, 5 and 6.

use alloc::format;

use super::refusal::{Refusal, refuse};
use crate::contract::{Event, EventKind, Origin, RefusalCode as Code};
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
    if expected > EVENTS_MAX && lengthens(event) {
        return refuse(
            Code::LogFull,
            format!(
                "the log is full: it holds {EVENTS_MAX} events; cancel the execution, or to go on, fork it: start its workflow anew with what it has so far"
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
                "the execution has ended ({}), and nothing follows an end; to go on, fork it: start its workflow anew with what it has so far",
                ending.name()
            ),
        );
    }
    if let Some(author) = author(&event.kind)
        && author != event.origin
    {
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
    Ok(())
}

/// Whether the event is one that a full log has no room for. What ends or
/// holds an execution always finds room, or a full log could neither be
/// cancelled nor tell why it stalled.
fn lengthens(event: &Event) -> bool {
    let always = matches!(
        event.kind,
        EventKind::CancelRequested(_)
            | EventKind::ExecutionUnpaused(_)
            | EventKind::Stalled(_)
            | EventKind::StallLifted(_)
            | EventKind::GuestChanged(_)
    );
    event.origin == Origin::Fact && !always
}

/// Who may author an event of this kind; none: either.
fn author(kind: &EventKind) -> Option<Origin> {
    match kind {
        EventKind::WorkflowStarted(_)
        | EventKind::NodeStarted(_)
        | EventKind::NodeFailed(_)
        | EventKind::ApprovalReceived(_)
        | EventKind::ExternalEventReceived(_)
        | EventKind::CancelRequested(_)
        | EventKind::ExecutionPaused(_)
        | EventKind::ExecutionUnpaused(_)
        | EventKind::RetryRequested(_)
        | EventKind::SkipRequested(_)
        | EventKind::StallLifted(_)
        | EventKind::GuestChanged(_) => Some(Origin::Fact),
        EventKind::WorkflowCompleted(_)
        | EventKind::WorkflowFailed(_)
        | EventKind::WorkflowCancelled(_)
        | EventKind::WorkflowTimedOut
        | EventKind::NodeScheduled(_)
        | EventKind::NodeTimedOut(_)
        | EventKind::NodeExhausted(_)
        | EventKind::NodeSkipped(_)
        | EventKind::NodeCancelled(_)
        | EventKind::RetryScheduled(_)
        | EventKind::InterruptRaised(_)
        | EventKind::TimerCreated(_)
        | EventKind::TimerFired(_) => Some(Origin::Decision),
        EventKind::NodeCompleted(_) | EventKind::Stalled(_) => None,
    }
}
