//! Codes and their data as JSON, as the host's log spells them.

use serde_json::{Value, json};

use crate::contract::{
    Budget, BudgetExcess, ChildRefusal, NodeExhausted, NodeFailure, StallReason,
};

/// Why a node failed.
pub(crate) fn failure(failure: &NodeFailure) -> Value {
    let code = || json!({ "cause": failure.code() });
    match failure {
        NodeFailure::AttemptFailed(error) => json!({ "cause": failure.code(), "error": error }),
        NodeFailure::Timeout(ms) => json!({ "cause": failure.code(), "timeout_ms": ms }),
        NodeFailure::LeaseExpired => code(),
        NodeFailure::Rejected(it) => json!({
            "cause": failure.code(), "user_id": it.user_id, "comment": it.comment,
        }),
        NodeFailure::ApprovalTimeout(ms) => {
            json!({ "cause": failure.code(), "timeout_ms": ms })
        }
        NodeFailure::EventTimeout(it) => json!({
            "cause": failure.code(), "correlation_key": it.correlation_key,
            "timeout_ms": it.timeout_ms,
        }),
        NodeFailure::LimitExceeded(description) => {
            json!({ "cause": failure.code(), "description": description })
        }
        NodeFailure::InstancesFailed(it) => json!({
            "cause": failure.code(), "count": it.count, "nodes": it.nodes,
        }),
        NodeFailure::NotAList => code(),
        NodeFailure::TooManyItems(count) => json!({ "cause": failure.code(), "count": count }),
        NodeFailure::TooLarge(pointer) => json!({ "cause": failure.code(), "pointer": pointer }),
        NodeFailure::UnresolvedExpression(pointer) => {
            json!({ "cause": failure.code(), "pointer": pointer })
        }
        NodeFailure::ChildFailed(error) => json!({ "cause": failure.code(), "error": error }),
        NodeFailure::ChildCancelled => code(),
        NodeFailure::ChildRefused(refusal) => {
            json!({ "cause": failure.code(), "code": child_refusal(*refusal) })
        }
        NodeFailure::RepeatLimit(count) => json!({ "cause": failure.code(), "count": count }),
    }
}

/// Why a policy stalled the execution.
pub(crate) fn stall(reason: &StallReason) -> Value {
    match reason {
        StallReason::AttemptsExhausted(NodeExhausted {
            node_id,
            attempts,
            cause,
        }) => {
            let mut json = failure(cause);
            json["reason"] = "attempts_exhausted".into();
            json["node_id"] = node_id.as_str().into();
            json["attempts"] = (*attempts).into();
            json
        }
        StallReason::BudgetExceeded(BudgetExcess {
            budget,
            allowed,
            spent,
        }) => json!({
            "reason": "budget_exceeded", "budget": budget_name(*budget),
            "allowed": allowed, "spent": spent,
        }),
    }
}

const fn budget_name(budget: Budget) -> &'static str {
    match budget {
        Budget::Tokens => "tokens",
        Budget::CostUsd => "cost_usd",
    }
}

const fn child_refusal(refusal: ChildRefusal) -> &'static str {
    match refusal {
        ChildRefusal::UnknownWorkflow => "unknown_workflow",
        ChildRefusal::TooDeep => "too_deep",
        ChildRefusal::TooMany => "too_many",
    }
}
