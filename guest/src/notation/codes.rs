//! Codes and their data in a few words, for tables: what a host makes sentences of.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::contract::{
    AttemptFailure, Budget, BudgetExcess, NodeFailure, Reason, ReasonCause, Remedy, Seen,
    StallReason, WorkflowFailure,
};
use crate::inspect::status_name;
use crate::node;

/// Why a node failed: the worker's own error, or a code and its data.
pub(super) fn node_failure(failure: &NodeFailure) -> String {
    let with = |code: &str, text: Option<&str>| match text {
        Some(text) => format!("{code} {text}"),
        None => code.to_string(),
    };
    match failure {
        NodeFailure::AttemptFailed(error) => error.clone(),
        NodeFailure::Timeout(ms) => format!("timeout {ms}"),
        NodeFailure::LeaseExpired => "lease_expired".to_string(),
        NodeFailure::Rejected(it) => {
            with(&format!("rejected {}", it.user_id), it.comment.as_deref())
        }
        NodeFailure::ApprovalTimeout(ms) => format!("approval_timeout {ms}"),
        NodeFailure::EventTimeout(it) => {
            format!("event_timeout {} {}", it.correlation_key, it.timeout_ms)
        }
        NodeFailure::LimitExceeded(text) => with("limit_exceeded", text.as_deref()),
        NodeFailure::InstancesFailed(it) => {
            format!("instances_failed {}: {}", it.count, it.nodes.join(", "))
        }
        NodeFailure::NotAList => "not_a_list".to_string(),
        NodeFailure::TooManyItems(count) => format!("too_many_items {count}"),
        NodeFailure::TooLarge(pointer) => format!("too_large {pointer}"),
        NodeFailure::UnresolvedExpression(pointer) => format!("unresolved_expression {pointer}"),
        NodeFailure::ChildFailed(error) => with("child_failed", error.as_deref()),
        NodeFailure::ChildCancelled => "child_cancelled".to_string(),
        NodeFailure::ChildRefused(code) => format!("child_refused {code:?}"),
        NodeFailure::RepeatLimit(count) => format!("repeat_limit {count}"),
    }
}

/// Why an execution failed: the failed nodes, or a code and its data.
pub(super) fn workflow_failure(failure: &WorkflowFailure) -> String {
    match failure {
        WorkflowFailure::NodesFailed(nodes) => nodes.join(", "),
        WorkflowFailure::Timeout(ms) => format!("timeout {ms}"),
        WorkflowFailure::Terminated(reason) => {
            format!("terminated {}", reason.as_deref().unwrap_or_default())
        }
        WorkflowFailure::BudgetExceeded(excess) => budget_excess(excess),
    }
}

/// What an execution is stalled on, and why.
pub(super) fn stall(reason: &StallReason) -> (String, String) {
    match reason {
        StallReason::AttemptsExhausted(it) => (it.node_id.clone(), node_failure(&it.cause)),
        StallReason::BudgetExceeded(it) => ("budget".to_string(), budget_excess(it)),
    }
}

fn budget_excess(it: &BudgetExcess) -> String {
    let budget = match it.budget {
        Budget::Tokens => "tokens",
        Budget::CostUsd => "cost_usd",
    };
    format!("{budget} {} of {}", it.spent, it.allowed)
}

/// A reason, with its remedies in brackets.
pub(super) fn reason(reason: &Reason) -> String {
    let cause = cause(&reason.cause);
    let remedies: Vec<String> = reason.remedies.iter().map(remedy).collect();
    if remedies.is_empty() {
        return cause;
    }
    format!("{cause} ({})", remedies.join(", "))
}

fn remedy(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Approve(node) => format!("approve {node}"),
        Remedy::Signal(key) => format!("signal {key}"),
        Remedy::Retry(node) => format!("retry {node}"),
        Remedy::Skip(node) => format!("skip {node}"),
        Remedy::Lift => "lift".to_string(),
        Remedy::Unpause => "unpause".to_string(),
        Remedy::Cancel => "cancel".to_string(),
        Remedy::StartWorker(queue) => format!("work {queue}"),
    }
}

fn cause(cause: &ReasonCause) -> String {
    match cause {
        ReasonCause::UnmetPredecessor(it) => {
            format!("needs {}, {}", it.node_id, node::name(it.state))
        }
        ReasonCause::FailedPredecessor(it) => {
            let why = it.cause.as_ref().map_or_else(String::new, node_failure);
            format!("needs {}, failed {why}", it.node_id)
        }
        ReasonCause::MorePredecessors(count) => format!("needs {count} more"),
        ReasonCause::SkippedPredecessor(node) => format!("after {node}, skipped"),
        ReasonCause::OtherTarget(it) => format!("{} chose {}", it.node_id, it.chosen_target),
        ReasonCause::NoTarget(node) => format!("{node} chose nothing"),
        ReasonCause::FalseCondition(it) => {
            let seen = it.seen.iter().map(|it| match &it.value {
                Seen::Missing => format!("{} missing", it.path),
                Seen::Value(json) => format!("{} = {json}", it.path),
                Seen::TooLong(bytes) => format!("{} of {bytes} bytes", it.path),
            });
            let seen: Vec<String> = seen.collect();
            format!("{}: not {} ({})", it.node_id, it.condition, seen.join(", "))
        }
        ReasonCause::DeadEdge(node) => format!("dead edge from {node}"),
        ReasonCause::MoreDeadEdges(count) => format!("{count} more dead edges"),
        ReasonCause::NoEdge => "no edge".to_string(),
        ReasonCause::NotAtTheEnd(it) => {
            format!(
                "not at the end: {} under way, {} ready",
                it.under_way, it.ready
            )
        }
        ReasonCause::EarlierFinalizers(count) => format!("{count} earlier finalizers"),
        ReasonCause::OtherEnding => "another ending".to_string(),
        ReasonCause::WaitsForWorker(it) => format!(
            "attempt {} waits on {} since {}",
            it.attempt, it.queue, it.since
        ),
        ReasonCause::WorkerAtWork(it) => {
            format!(
                "{} at attempt {} since {}",
                it.worker_id, it.attempt, it.since
            )
        }
        ReasonCause::NotBefore(at) => format!("not before {at}"),
        ReasonCause::TimesOut(at) => format!("times out at {at}"),
        ReasonCause::LastFailure(it) => attempt_failure(it),
        ReasonCause::NoRoom(it) => format!("{} of {} in flight", it.used, it.allowed),
        ReasonCause::WaitsForApproval(question) => format!("waits for approval: {question}"),
        ReasonCause::WaitsForEvent(key) => format!("waits for {key}"),
        ReasonCause::WaitEnds(at) => format!("wait ends at {at}"),
        ReasonCause::NextStep(step) => format!("next: {step:?}"),
        ReasonCause::SkippedOnceLifted => "skipped once lifted".to_string(),
        ReasonCause::WasCompleted(it) => {
            let by = it.worker_id.as_deref().unwrap_or("the scheduler");
            format!("completed by {by} at attempt {}", it.attempt)
        }
        ReasonCause::FailedForGood(it) => attempt_failure(it),
        ReasonCause::SkippedByOperator => "by operator".to_string(),
        ReasonCause::WasStopped(reason) => format!("stopped: {reason:?}"),
        ReasonCause::NotNeeded => "not needed".to_string(),
        ReasonCause::StalledByPolicy(reason) => format!("stalled on {}", stall(reason).0),
        ReasonCause::StalledByHost(reason) => format!("stalled: {reason}"),
        ReasonCause::Paused => "paused".to_string(),
        ReasonCause::BeingCancelled => "being cancelled".to_string(),
        ReasonCause::OutOfTime => "out of time".to_string(),
        ReasonCause::HasEnded(status) => format!("ended {}", status_name(*status)),
    }
}

fn attempt_failure(it: &AttemptFailure) -> String {
    let class = it.error_class.as_ref();
    let class = class.map_or_else(String::new, |class| format!(" {class}"));
    let why = it.cause.as_ref().map_or_else(String::new, node_failure);
    format!(
        "attempt {} of {}{class}: {why}",
        it.attempt, it.max_attempts
    )
}
