//! What happened in a case, for people: a row for each event.

use std::time::Duration;

use super::play::{Played, PlayedRun};
use super::text::span::span_text;
use crate::model::{ApprovalDecision, CancelReason, NodeFailure};
use crate::model::{Event, EventKind, Origin, SkipReason};
use crate::names;
use crate::render;

/// One event of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// How long after the start, by the simulated clock.
    pub at: Duration,
    /// Whether the world told it, or the scheduler concluded it.
    pub origin: Origin,
    /// What happened, in a word or two.
    pub what: &'static str,
    /// The node, where it is about one.
    ///
    /// That of a child stands behind the node that started it: `bill/send`. What is about
    /// the child as a whole has that and a slash: `bill/`.
    pub node: Option<String>,
    /// What else there is to say of it.
    pub details: String,
}

/// The rows of all logs of a case.
pub(super) fn rows(played: &Played<'_>) -> Vec<Row> {
    let begun = played.subject().events.first().map_or(0, |event| event.at);
    let rows = played.order.iter().map(|(run, place)| {
        let run = &played.runs[*run];
        row(run, &run.events[*place], begun)
    });
    rows.collect()
}

fn row(run: &PlayedRun<'_>, event: &Event, begun: u64) -> Row {
    let at = Duration::from_millis(event.at.saturating_sub(begun));
    let (what, node, details) = in_words(event);
    let details = unresolved(run, event).unwrap_or(details);
    // What stands before the names of nodes is the name of a child.
    let name = format!("{}{}", run.way, node.unwrap_or_default());
    Row {
        at,
        origin: event.origin,
        what,
        node: (!name.is_empty()).then_some(name),
        details,
    }
}

/// Which expressions stand in the text of which one came to null, if a node failed for that.
fn unresolved(run: &PlayedRun<'_>, event: &Event) -> Option<String> {
    let EventKind::NodeExhausted(failed) = &event.kind else {
        return None;
    };
    let NodeFailure::UnresolvedExpression(pointer) = &failed.cause else {
        return None;
    };
    let workflow = &run.graph?.written;
    let expressions = render::expressions_at(workflow, &failed.node_id, pointer);
    render::unresolved(&expressions, pointer)
}

fn in_words(event: &Event) -> (&'static str, Option<&str>, String) {
    let error = || render::error(&event.kind).unwrap_or_default().into_owned();
    let attempt = |attempt: u32| format!("attempt {attempt}");
    match &event.kind {
        EventKind::WorkflowStarted(it) => ("started", None, format!("input {}", it.initial_input)),
        EventKind::WorkflowCompleted(_) => ("completed", None, String::new()),
        EventKind::WorkflowFailed(_) => ("failed", None, error()),
        EventKind::WorkflowCancelled(_) => ("cancelled", None, error()),
        EventKind::WorkflowTimedOut => ("timed out", None, String::new()),
        EventKind::NodeScheduled(it) => {
            let details = format!("{}, queue {}", attempt(it.attempt), it.queue);
            ("scheduled", Some(&it.node_id), details)
        }
        EventKind::NodeStarted(it) => ("begun", Some(&it.node_id), attempt(it.attempt)),
        EventKind::NodeCompleted(it) => (
            "completed",
            Some(&it.node_id),
            completion(&it.state_patch, it.chosen_target.as_deref()),
        ),
        EventKind::NodeSettled(it) => (
            "settled",
            Some(&it.node_id),
            completion(&it.state_patch, it.chosen_target.as_deref()),
        ),
        EventKind::NodeFailed(it) => {
            let class = it
                .error_class
                .as_ref()
                .map(|class| format!(", class {class}"));
            let again = if it.retryable { "" } else { ", not retryable" };
            let details = format!(
                "{}: {}{}{again}",
                attempt(it.attempt),
                it.error,
                class.unwrap_or_default()
            );
            ("failed", Some(&it.node_id), details)
        }
        EventKind::LeaseExpired(it) => ("lease expired", Some(&it.node_id), attempt(it.attempt)),
        EventKind::NodeReleased(it) => ("given back", Some(&it.node_id), attempt(it.attempt)),
        EventKind::NodeTimedOut(it) => {
            let after = span_text(Duration::from_millis(it.timeout_ms));
            (
                "timed out",
                Some(&it.node_id),
                format!("{}, after {after}", attempt(it.attempt)),
            )
        }
        EventKind::NodeExhausted(it) => ("failed for good", Some(&it.node_id), error()),
        EventKind::NodeSkipped(it) => ("skipped", Some(&it.node_id), skip(it.reason).to_owned()),
        EventKind::NodeCancelled(it) => {
            ("cancelled", Some(&it.node_id), cancel(it.reason).to_owned())
        }
        EventKind::RetryScheduled(it) => {
            let delay = span_text(Duration::from_millis(it.delay_ms));
            (
                "retry",
                Some(&it.node_id),
                format!("{} in {delay}", attempt(it.attempt)),
            )
        }
        _ => waits(event),
    }
}

/// The same of what nodes wait for, and of what people do.
fn waits(event: &Event) -> (&'static str, Option<&str>, String) {
    let reason = |reason: &Option<String>| reason.clone().unwrap_or_default();
    match &event.kind {
        EventKind::InterruptRaised(it) => {
            let until = it.expires_at.map(|until| remaining(until, event.at));
            let details = format!("for an approval{}", until.unwrap_or_default());
            ("waits", Some(&it.node_id), details)
        }
        EventKind::ApprovalReceived(it) => {
            let what = match it.decision {
                ApprovalDecision::Approved => "approved",
                ApprovalDecision::Rejected => "rejected",
            };
            (what, Some(&it.node_id), format!("by {}", it.user_id))
        }
        EventKind::TimerCreated(it) => {
            let key = it
                .correlation_key
                .as_ref()
                .map(|key| format!("for the signal {key}"));
            let until = it.fire_at.map(|until| remaining(until, event.at));
            let details = format!("{}{}", key.unwrap_or_default(), until.unwrap_or_default());
            (
                "waits",
                Some(&it.node_id),
                details.trim_start_matches(", ").to_owned(),
            )
        }
        EventKind::TimerFired(it) => ("time is up", Some(&it.node_id), String::new()),
        EventKind::ExternalEventReceived(it) => (
            "signal",
            None,
            format!("{} {}", it.correlation_key, it.payload),
        ),
        EventKind::CancelRequested(it) => ("cancel", None, reason(&it.reason)),
        EventKind::ExecutionPaused(it) => ("pause", None, reason(&it.reason)),
        EventKind::ExecutionUnpaused(it) => ("unpause", None, reason(&it.reason)),
        EventKind::RetryRequested(it) => ("retry asked", Some(&it.node_id), reason(&it.reason)),
        EventKind::SkipRequested(it) => ("skip asked", Some(&it.node_id), reason(&it.reason)),
        EventKind::Stalled(it) => {
            let error = render::error(&event.kind).unwrap_or_default();
            ("stalled", it.node_id(), error.into_owned())
        }
        EventKind::HostStalled(it) => ("stalled", None, it.reason.clone()),
        EventKind::MapExpanded(it) => (
            "expanded",
            Some(&it.node_id),
            match it.count {
                1 => "1 element".to_owned(),
                count => format!("{count} elements"),
            },
        ),
        _ => of_child(event),
    }
}

/// The same of children.
fn of_child(event: &Event) -> (&'static str, Option<&str>, String) {
    let error = || render::error(&event.kind).unwrap_or_default().into_owned();
    match &event.kind {
        EventKind::ChildRequested(it) => {
            let iteration = match it.iteration {
                0 => String::new(),
                number => format!(", iteration {number}"),
            };
            let details = format!("attempt {}{iteration}", it.attempt);
            ("child asked", Some(&it.node_id), details)
        }
        EventKind::ChildStarted(it) => ("child begun", Some(&it.node_id), String::new()),
        EventKind::ChildRefused(it) => ("child refused", Some(&it.node_id), error()),
        EventKind::ChildEnded(it) => {
            let status = names::status(it.status);
            let details = match error() {
                none if none.is_empty() => status.to_owned(),
                error => format!("{status}: {error}"),
            };
            ("child ended", Some(&it.node_id), details)
        }
        _ => ("other", None, String::new()),
    }
}

fn remaining(until: u64, now: u64) -> String {
    let span = Duration::from_millis(until.saturating_sub(now));
    format!(", at most {}", span_text(span))
}

fn completion(patch: &str, chosen_target: Option<&str>) -> String {
    match (chosen_target, patch) {
        (Some(target), "{}") => format!("chooses {target}"),
        (Some(target), patch) => format!("chooses {target}, {patch}"),
        (None, "{}") => String::new(),
        (None, patch) => patch.to_owned(),
    }
}

fn skip(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Unreached => "no live edge leads to it",
        SkipReason::ByOperator => "as somebody asked",
        SkipReason::RunOn => "a finalizer of another ending",
        SkipReason::NotNeeded => "not needed any more",
    }
}

fn cancel(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::CancelRequested => "the execution is cancelled",
        CancelReason::WorkflowTimedOut => "the workflow's time is up",
        CancelReason::ByOperator => "as somebody asked",
        CancelReason::JoinSatisfied => "its join needs it no more",
        CancelReason::MapSettled => "its map needs it no more",
        CancelReason::Terminated => "the execution ends",
        CancelReason::BudgetExceeded => "the budget is spent",
    }
}
