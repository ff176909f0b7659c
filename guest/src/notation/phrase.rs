//! A decision in a few words, and whether it is the expected one.

use alloc::format;
use alloc::string::{String, ToString as _};

use core::fmt;

use crate::contract::{CancelReason, Event, EventKind, SkipReason};

use super::codes;
use super::text::unquoted;

/// What came, in words, and its detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Phrase {
    words: String,
    detail: String,
}

impl Phrase {
    pub(super) fn new(words: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            detail: detail.into(),
        }
    }

    /// Whether `expected` says this: the words alone, or with the detail, or
    /// with a part of it after `~`.
    pub(super) fn is(&self, expected: &str) -> bool {
        let Some(rest) = expected.strip_prefix(&self.words) else {
            return false;
        };
        match rest.trim().strip_prefix('~') {
            Some(part) => self.detail.contains(unquoted(part)),
            None if rest.is_empty() => true,
            None => rest.starts_with(' ') && unquoted(rest.trim()) == self.detail,
        }
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.as_str() {
            "" => write!(f, "{}", self.words),
            detail if detail.starts_with(['{', '@']) => write!(f, "{} {detail}", self.words),
            detail => write!(f, "{} \"{detail}\"", self.words),
        }
    }
}

/// A decision as a printed table says it: in words, with what tells most.
pub(crate) fn brief(event: &Event) -> String {
    let phrase = of(event);
    let is_telling = match &event.kind {
        EventKind::WorkflowCompleted(_)
        | EventKind::WorkflowFailed(_)
        | EventKind::NodeExhausted(_) => {
            !phrase.detail.contains('"') || phrase.detail.starts_with('{')
        }
        _ => phrase.detail.starts_with('@'),
    };
    if is_telling {
        phrase.to_string()
    } else {
        phrase.words
    }
}

/// A decision in words. Facts have none: the table itself tells of them.
pub(super) fn of(event: &Event) -> Phrase {
    match &event.kind {
        EventKind::WorkflowCompleted(e) => Phrase::new("completed", &e.final_state),
        EventKind::WorkflowFailed(e) => Phrase::new("failed", codes::workflow_failure(&e.cause)),
        EventKind::WorkflowCancelled(e) => {
            Phrase::new("cancelled", e.reason.clone().unwrap_or_default())
        }
        EventKind::WorkflowTimedOut => Phrase::new("timeout workflow", ""),
        EventKind::NodeScheduled(e) => Phrase::new(format!("schedule {}", e.node_id), &e.queue),
        EventKind::NodeSettled(e) => match &e.chosen_target {
            Some(target) => {
                Phrase::new(format!("settle {} -> {target}", e.node_id), &e.state_patch)
            }
            None => Phrase::new(format!("settle {}", e.node_id), &e.state_patch),
        },
        EventKind::NodeTimedOut(e) => Phrase::new(format!("timeout {}", e.node_id), ""),
        EventKind::NodeExhausted(e) => Phrase::new(
            format!("exhaust {}", e.node_id),
            codes::node_failure(&e.cause),
        ),
        EventKind::NodeSkipped(e) => match e.reason {
            SkipReason::Unreached => Phrase::new(format!("skip {}", e.node_id), ""),
            SkipReason::ByOperator => Phrase::new(format!("skip {} by_operator", e.node_id), ""),
            SkipReason::RunOn => Phrase::new(format!("skip {} run_on", e.node_id), ""),
            SkipReason::NotNeeded => Phrase::new(format!("skip {} not_needed", e.node_id), ""),
        },
        EventKind::NodeCancelled(e) => match e.reason {
            CancelReason::ByOperator => {
                Phrase::new(format!("cancel {} by_operator", e.node_id), "")
            }
            CancelReason::JoinSatisfied => {
                Phrase::new(format!("cancel {} join_satisfied", e.node_id), "")
            }
            CancelReason::Terminated => Phrase::new(format!("cancel {} terminated", e.node_id), ""),
            CancelReason::BudgetExceeded => {
                Phrase::new(format!("cancel {} budget_exceeded", e.node_id), "")
            }
            _ => Phrase::new(format!("cancel {}", e.node_id), ""),
        },
        EventKind::RetryScheduled(e) => Phrase::new(
            format!("retry {}", e.node_id),
            format!("@{}", event.at + e.delay_ms),
        ),
        EventKind::InterruptRaised(e) => {
            Phrase::new(format!("interrupt {}", e.node_id), time(e.expires_at))
        }
        EventKind::TimerCreated(e) => Phrase::new(format!("wait {}", e.node_id), time(e.fire_at)),
        EventKind::TimerFired(e) => Phrase::new(format!("fire {}", e.node_id), ""),
        EventKind::Stalled(e) => {
            let (on, why) = codes::stall(&e.reason);
            Phrase::new(format!("stall {on}"), why)
        }
        EventKind::MapExpanded(e) => Phrase::new(format!("expand {} {}", e.node_id, e.count), ""),
        EventKind::ChildRequested(e) => Phrase::new(
            format!("request {}", e.node_id),
            format!("{}/{}", e.attempt, e.iteration),
        ),
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
        | EventKind::ExecutionForked(_) => {
            Phrase::new("a fact among decisions", format!("{event:?}"))
        }
    }
}

/// `@5000`, or nothing.
pub(super) fn time(at: Option<u64>) -> String {
    at.map_or_else(String::new, |at| format!("@{at}"))
}
