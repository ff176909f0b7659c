//! What was decided, in the words of the notation.

use crate::log::kind_name;
use crate::model::{CancelReason, EventKind, SkipReason, StallReason, Timestamp};

/// What was decided, in the words of the notation.
pub(super) fn decided(kind: &EventKind, at: Timestamp) -> Result<String, String> {
    let time = |at: Option<u64>| at.map_or_else(String::new, |at| format!(" @{at}"));
    Ok(match kind {
        EventKind::WorkflowCompleted(_) => "completed".to_owned(),
        EventKind::WorkflowFailed(_) => "failed".to_owned(),
        EventKind::WorkflowCancelled(_) => "cancelled".to_owned(),
        EventKind::WorkflowTimedOut => "timeout workflow".to_owned(),
        EventKind::NodeScheduled(it) => format!("schedule {}", it.node_id),
        EventKind::NodeSettled(it) => match &it.chosen_target {
            Some(target) => format!("settle {} -> {target}", it.node_id),
            None => format!("settle {}", it.node_id),
        },
        EventKind::NodeTimedOut(it) => format!("timeout {}", it.node_id),
        EventKind::NodeExhausted(it) => format!("exhaust {}", it.node_id),
        EventKind::NodeSkipped(it) => {
            let why = match it.reason {
                SkipReason::Unreached => "",
                SkipReason::ByOperator => " by_operator",
                SkipReason::RunOn => " run_on",
                SkipReason::NotNeeded => " not_needed",
            };
            format!("skip {}{why}", it.node_id)
        }
        EventKind::NodeCancelled(it) => {
            let why = match it.reason {
                CancelReason::ByOperator => " by_operator",
                CancelReason::JoinSatisfied => " join_satisfied",
                CancelReason::Terminated => " terminated",
                CancelReason::BudgetExceeded => " budget_exceeded",
                _ => "",
            };
            format!("cancel {}{why}", it.node_id)
        }
        EventKind::RetryScheduled(it) => format!("retry {} @{}", it.node_id, at + it.delay_ms),
        EventKind::InterruptRaised(it) => {
            format!("interrupt {}{}", it.node_id, time(it.expires_at))
        }
        EventKind::TimerCreated(it) => format!("wait {}{}", it.node_id, time(it.fire_at)),
        EventKind::TimerFired(it) => format!("fire {}", it.node_id),
        EventKind::Stalled(it) => match &it.reason {
            StallReason::AttemptsExhausted(it) => format!("stall {}", it.node_id),
            StallReason::BudgetExceeded(_) => "stall budget".to_owned(),
        },
        EventKind::MapExpanded(it) => format!("expand {} {}", it.node_id, it.count),
        EventKind::ChildRequested(it) => format!("request {}", it.node_id),
        other => return Err(format!("the notation has no word for {}", kind_name(other))),
    })
}
