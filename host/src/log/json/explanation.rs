//! Explanations in JSON: codes and their data, and each reason in a sentence.

use serde_json::{Map, Value, json};

use super::write::Writer;
use crate::log::field::{Coded, Named};
use crate::model::{
    AttemptFailure, Explanation, NextStep, NodeFailure, Reason, ReasonCause, Remedy, Seen,
    SeenValue, Timestamp,
};
use crate::names;
use crate::render;
use crate::time::rfc3339;

/// An explanation as JSON.
#[must_use]
pub fn explanation_json(explanation: &Explanation) -> Value {
    let reasons = explanation.reasons.iter();
    let reasons = reasons.map(|reason| reason_json(&explanation.node_id, reason));
    json!({
        "node_id": explanation.node_id,
        "state": names::node_state(explanation.state),
        "reasons": reasons.collect::<Vec<_>>(),
    })
}

fn reason_json(node: &str, reason: &Reason) -> Value {
    let (code, data) = cause_json(&reason.cause);
    let remedies: Vec<Value> = reason.remedies.iter().map(remedy_json).collect();
    json!({
        "reason": code,
        "data": data,
        "message": render::sentence(node, &reason.cause),
        "remedies": remedies,
    })
}

fn remedy_json(remedy: &Remedy) -> Value {
    match remedy {
        Remedy::Approve(node) => json!({ "remedy": "approve", "node_id": node }),
        Remedy::Signal(key) => json!({ "remedy": "signal", "correlation_key": key }),
        Remedy::Retry(node) => json!({ "remedy": "retry", "node_id": node }),
        Remedy::Skip(node) => json!({ "remedy": "skip", "node_id": node }),
        Remedy::Lift => json!({ "remedy": "lift" }),
        Remedy::Unpause => json!({ "remedy": "unpause" }),
        Remedy::Cancel => json!({ "remedy": "cancel" }),
        Remedy::StartWorker(queue) => json!({ "remedy": "start_worker", "queue": queue }),
    }
}

/// The code of a reason, and its data.
fn cause_json(cause: &ReasonCause) -> (&'static str, Value) {
    let node = |id: &str| json!({ "node_id": id });
    let count = |count: u32| json!({ "count": count });
    let at = |at: Timestamp| json!({ "at": rfc3339(at) });
    match cause {
        ReasonCause::UnmetPredecessor(it) => (
            "unmet_predecessor",
            json!({ "node_id": it.node_id, "state": names::node_state(it.state) }),
        ),
        ReasonCause::FailedPredecessor(it) => {
            let mut data = failure_json(it.cause.as_ref());
            data["node_id"] = it.node_id.as_str().into();
            ("failed_predecessor", data)
        }
        ReasonCause::MorePredecessors(more) => ("more_predecessors", count(*more)),
        ReasonCause::SkippedPredecessor(id) => ("skipped_predecessor", node(id)),
        ReasonCause::OtherTarget(it) => (
            "other_target",
            json!({ "node_id": it.node_id, "chosen_target": it.chosen_target }),
        ),
        ReasonCause::NoTarget(id) => ("no_target", node(id)),
        ReasonCause::FalseCondition(it) => (
            "false_condition",
            json!({
                "node_id": it.node_id,
                "condition": it.condition,
                "seen": it.seen.iter().map(seen_json).collect::<Vec<_>>(),
            }),
        ),
        ReasonCause::DeadEdge(id) => ("dead_edge", node(id)),
        ReasonCause::MoreDeadEdges(more) => ("more_dead_edges", count(*more)),
        ReasonCause::NoEdge => ("no_edge", json!({})),
        ReasonCause::NotAtTheEnd(it) => (
            "not_at_the_end",
            json!({ "under_way": it.under_way, "ready": it.ready }),
        ),
        ReasonCause::EarlierFinalizers(earlier) => ("earlier_finalizers", count(*earlier)),
        ReasonCause::OtherEnding => ("other_ending", json!({})),
        ReasonCause::WaitsForWorker(it) => (
            "waits_for_worker",
            json!({ "attempt": it.attempt, "queue": it.queue, "since": rfc3339(it.since) }),
        ),
        ReasonCause::WorkerAtWork(it) => (
            "worker_at_work",
            json!({
                "attempt": it.attempt, "worker_id": it.worker_id, "since": rfc3339(it.since),
            }),
        ),
        ReasonCause::NotBefore(time) => ("not_before", at(*time)),
        ReasonCause::TimesOut(time) => ("times_out", at(*time)),
        ReasonCause::LastFailure(it) => ("last_failure", attempt_failure_json(it)),
        ReasonCause::NoRoom(it) => ("no_room", json!({ "used": it.used, "allowed": it.allowed })),
        ReasonCause::WaitsForApproval(question) => {
            ("waits_for_approval", json!({ "question": question }))
        }
        ReasonCause::WaitsForEvent(key) => ("waits_for_event", json!({ "correlation_key": key })),
        ReasonCause::WaitEnds(time) => ("wait_ends", at(*time)),
        ReasonCause::NextStep(step) => ("next_step", json!({ "step": next_step(*step) })),
        ReasonCause::SkippedOnceLifted => ("skipped_once_lifted", json!({})),
        ReasonCause::WasCompleted(it) => (
            "was_completed",
            json!({
                "at": rfc3339(it.at), "worker_id": it.worker_id, "attempt": it.attempt,
                "chosen_target": it.chosen_target,
            }),
        ),
        ReasonCause::FailedForGood(it) => ("failed_for_good", attempt_failure_json(it)),
        ReasonCause::SkippedByOperator => ("skipped_by_operator", json!({})),
        ReasonCause::WasStopped(reason) => ("was_stopped", json!({ "why": reason.name() })),
        ReasonCause::NotNeeded => ("not_needed", json!({})),
        ReasonCause::StalledByPolicy(reason) => ("stalled_by_policy", coded("why", reason)),
        ReasonCause::StalledByHost(reason) => ("stalled_by_host", json!({ "why": reason })),
        ReasonCause::Paused => ("paused", json!({})),
        ReasonCause::BeingCancelled => ("being_cancelled", json!({})),
        ReasonCause::OutOfTime => ("out_of_time", json!({})),
        ReasonCause::HasEnded(status) => ("has_ended", json!({ "status": names::status(*status) })),
    }
}

fn seen_json(SeenValue { path, value }: &SeenValue) -> Value {
    match value {
        Seen::Missing => json!({ "path": path, "missing": true }),
        // As text: it keeps the spelling of its numbers.
        Seen::Value(text) => json!({ "path": path, "value": text }),
        Seen::TooLong(bytes) => json!({ "path": path, "bytes": bytes }),
    }
}

fn attempt_failure_json(failure: &AttemptFailure) -> Value {
    let mut data = failure_json(failure.cause.as_ref());
    data["attempt"] = failure.attempt.into();
    data["max_attempts"] = failure.max_attempts.into();
    data["error_class"] = failure.error_class.clone().into();
    data
}

fn failure_json(cause: Option<&NodeFailure>) -> Value {
    cause.map_or_else(|| json!({}), |cause| coded("cause", cause))
}

/// A code with its data, as the log has it.
fn coded(name: &'static str, code: &impl Coded) -> Value {
    let mut writer = Writer::new();
    code.write(name, &mut writer);
    serde_json::from_str(&writer.finish()).unwrap_or_else(|_| Value::Object(Map::new()))
}

const fn next_step(step: NextStep) -> &'static str {
    match step {
        NextStep::Dispatch => "dispatch",
        NextStep::Settle => "settle",
        NextStep::Skip => "skip",
        NextStep::JudgeFailure => "judge_failure",
        NextStep::SkipByOperator => "skip_by_operator",
    }
}
