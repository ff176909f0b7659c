//! An event becomes state: the only writer.
//!
//! Each event is checked as a whole before anything is changed, so a refused
//! one leaves no trace. Legal means: it can stand here. Whether a decision is
//! the one that this guest would have made is not asked; an audit asks that.

mod attempt;
mod operator;
mod payload;
mod settlement;
mod wait;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::contract::{Event, EventKind, IllegalEvent, Origin, WorkflowStarted};
use crate::limits::EVENTS_MAX;
use crate::machine::Machine;
use crate::node::{Step, name};
use crate::state::{Ending, State};
use crate::time::Timestamp;
use crate::workflow::Plan;
use crate::workflow::plan::NodeIx;

/// Why an event may not stand where it stands: what is wrong, what would be
/// right.
pub(crate) type Refusal = String;

impl Machine {
    /// Take event 1. `workflow_digest` is the SHA-256 of the text that `plan`
    /// was parsed from.
    ///
    /// # Errors
    /// It is not a legal event 1 for this workflow.
    pub fn start(
        plan: Arc<Plan>,
        workflow_digest: &str,
        event: &Event,
    ) -> Result<Self, IllegalEvent> {
        let illegal = |reason: Refusal| IllegalEvent {
            sequence: event.sequence,
            reason,
        };
        let EventKind::WorkflowStarted(started) = &event.kind else {
            return Err(illegal("event 1 must be workflow_started".to_string()));
        };
        check_start(&plan, workflow_digest, event, started).map_err(illegal)?;
        let start = plan.start;
        let state = State::new(&plan, started.clone(), Timestamp(event.at));
        let mut machine = Self::in_state(plan, state);
        machine.reach(start);
        Ok(machine)
    }

    /// Take the next event, fact or decision.
    ///
    /// # Errors
    /// It may not stand here. Nothing has changed.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        self.check_place(event)
            .and_then(|()| self.take(event))
            .map_err(|reason| IllegalEvent {
                sequence: event.sequence,
                reason,
            })?;
        self.state.sequence = event.sequence;
        self.state.at = Timestamp(event.at);
        Ok(())
    }

    /// Laws 1, 2, 5 and 6, as far as they concern any event.
    fn check_place(&self, event: &Event) -> Result<(), Refusal> {
        let expected = self.state.sequence + 1;
        if event.sequence != expected {
            return Err(format!(
                "the next sequence is {expected}, not {}",
                event.sequence
            ));
        }
        if expected > EVENTS_MAX && lengthens(event) {
            return Err(format!(
                "the log is full: it holds {EVENTS_MAX} events; cancel the execution, or to go on, fork it: start its workflow anew with what it has so far"
            ));
        }
        if event.at < self.state.at.0 {
            return Err(format!(
                "it is stamped {} ms, earlier than the event before it ({} ms)",
                event.at, self.state.at.0
            ));
        }
        if let Some(ending) = self.state.ended {
            return Err(format!(
                "the execution has ended ({}), and nothing follows an end; to go on, fork it: start its workflow anew with what it has so far",
                ending.name()
            ));
        }
        if let Some(author) = author(&event.kind)
            && author != event.origin
        {
            return Err(match author {
                Origin::Fact => "only the host may author this event: it is a fact".to_string(),
                Origin::Decision => {
                    "only the guest may author this event: it is a decision".to_string()
                }
            });
        }
        if event.origin == Origin::Decision && self.state.host_stall.is_some() {
            return Err("nothing is decided while the host stalls the execution; it needs a stall_lifted first".to_string());
        }
        Ok(())
    }

    fn take(&mut self, event: &Event) -> Result<(), Refusal> {
        let at = Timestamp(event.at);
        match &event.kind {
            EventKind::WorkflowStarted(_) => {
                Err("an execution starts once, with event 1".to_string())
            }
            EventKind::WorkflowCompleted(_) => self.end(Ending::Completed),
            EventKind::WorkflowFailed(_) if self.state.timed_out => self.end(Ending::TimedOut),
            EventKind::WorkflowFailed(_) => self.end(Ending::Failed),
            EventKind::WorkflowCancelled(_) => self.end(Ending::Cancelled),
            EventKind::WorkflowTimedOut => self.workflow_timed_out(at),
            EventKind::NodeScheduled(decision) => self.scheduled(at, decision),
            EventKind::NodeStarted(fact) => self.claimed(at, event.sequence, fact),
            EventKind::NodeCompleted(fact) if event.origin == Origin::Fact => {
                self.completed(at, fact)
            }
            EventKind::NodeCompleted(decision) => self.settled(at, decision),
            EventKind::NodeFailed(fact) => self.failed(at, fact),
            EventKind::NodeTimedOut(decision) => self.timed_out(at, decision),
            EventKind::NodeExhausted(decision) => self.exhausted(at, decision),
            EventKind::NodeSkipped(decision) => self.skipped(at, decision),
            EventKind::NodeCancelled(decision) => self.cancelled(at, decision),
            EventKind::RetryScheduled(decision) => self.rescheduled(at, decision),
            EventKind::InterruptRaised(decision) => self.interrupted(at, decision),
            EventKind::ApprovalReceived(fact) => self.approved(fact),
            EventKind::TimerCreated(decision) => self.timer_created(at, decision),
            EventKind::TimerFired(decision) => self.timer_fired(at, decision),
            EventKind::ExternalEventReceived(fact) => self.external_event(fact),
            EventKind::CancelRequested(fact) => self.cancel_requested(fact),
            EventKind::ExecutionPaused(_) => self.paused(),
            EventKind::ExecutionUnpaused(_) => self.unpaused(),
            EventKind::RetryRequested(fact) => self.retry_requested(fact),
            EventKind::SkipRequested(fact) => self.skip_requested(fact),
            EventKind::Stalled(stall) => self.stalled(event.origin, stall),
            EventKind::StallLifted(_) => self.stall_lifted(),
            EventKind::GuestChanged(fact) => self.guest_changed(fact),
        }
    }

    /// The node of an id, if it can take this step.
    pub(crate) fn check_step(&self, node_id: &str, step: Step) -> Result<NodeIx, Refusal> {
        let ix = self.find(node_id)?;
        self.check_step_of(ix, step).map(|()| ix)
    }

    /// Refuse a step that the node cannot take.
    pub(crate) fn check_step_of(&self, ix: NodeIx, step: Step) -> Result<(), Refusal> {
        let state = self.record(ix).state;
        if step.leads(state).is_some() {
            return Ok(());
        }
        let id = &self.node(ix).id;
        Err(format!("node `{id}` is {}: it cannot {step}", name(state)))
    }

    /// Refuse what is not done while the execution is held (rule R18).
    pub(crate) fn check_not_held(&self, what: &str) -> Result<(), Refusal> {
        if self.is_stalled() {
            return Err(format!("the execution is stalled: {what}"));
        }
        if self.state.paused {
            return Err(format!("the execution is paused: {what}"));
        }
        Ok(())
    }
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

fn check_start(
    plan: &Plan,
    workflow_digest: &str,
    event: &Event,
    started: &WorkflowStarted,
) -> Result<(), Refusal> {
    if event.sequence != 1 {
        return Err(format!(
            "the first event has the sequence 1, not {}",
            event.sequence
        ));
    }
    if event.origin != Origin::Fact {
        return Err("only the host may start an execution: workflow_started is a fact".to_string());
    }
    if (&started.workflow_id, &started.workflow_version) != (&plan.workflow_id, &plan.version) {
        return Err(format!(
            "it starts {} {}, but the workflow at hand is {} {}",
            started.workflow_id, started.workflow_version, plan.workflow_id, plan.version
        ));
    }
    if started.workflow_digest != workflow_digest {
        return Err(format!(
            "it names a workflow with the digest {}, but the text at hand has {workflow_digest}: the registered text is another one",
            started.workflow_digest
        ));
    }
    let limits = started.limits;
    if limits.max_concurrent_nodes == 0 || limits.max_dispatch_per_tick == 0 {
        return Err(
            "its limits are zero, so nothing could ever run; both must be at least 1".to_string(),
        );
    }
    payload::value("the initial input", &started.initial_input)
}

/// The SHA-256 of a text as 64 lower-case hexadecimal digits.
#[must_use]
pub fn digest_of_text(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        digits.push(DIGITS[usize::from(byte >> 4)]);
        digits.push(DIGITS[usize::from(byte & 15)]);
    }
    String::from_utf8(digits).expect("digits are ASCII")
}
