//! Why a node or an execution failed, or stands still.

use std::borrow::Cow;

use crate::limits::{CHILD_DEPTH_MAX, DESCENDANTS_MAX};
use crate::model::{
    Budget, BudgetExcess, ChildRefusal, NodeExhausted, NodeFailure, StallReason, WorkflowFailure,
    WorkflowName,
};
use crate::time::exact_span;

/// Why a node failed.
#[must_use]
pub fn node_failure(failure: &NodeFailure) -> Cow<'_, str> {
    let said = |what: &str, text: &Option<String>| match text {
        Some(text) => format!("{what}: {text}"),
        None => what.to_owned(),
    };
    Cow::Owned(match failure {
        NodeFailure::AttemptFailed(error) => return Cow::Borrowed(error),
        NodeFailure::Timeout(ms) => format!("timed out after {}", exact_span(*ms)),
        NodeFailure::LeaseExpired => {
            return Cow::Borrowed("lease expired: worker presumed dead");
        }
        NodeFailure::Rejected(it) => said(&format!("rejected by {}", it.user_id), &it.comment),
        NodeFailure::ApprovalTimeout(ms) => {
            format!("nobody approved or rejected it within {}", exact_span(*ms))
        }
        NodeFailure::EventTimeout(it) => format!(
            "no external event `{}` within {}",
            it.correlation_key,
            exact_span(it.timeout_ms)
        ),
        NodeFailure::LimitExceeded(description) => said("limit exceeded", description),
        NodeFailure::InstancesFailed(it) => {
            let rest = if it.nodes.len() < it.count as usize {
                ", …"
            } else {
                ""
            };
            format!(
                "{} failed: {}{rest}",
                counted(it.count, "instance"),
                it.nodes.join(", ")
            )
        }
        NodeFailure::NotAList => return Cow::Borrowed("what it maps over is not a list"),
        NodeFailure::TooManyItems(count) => {
            format!(
                "what it maps over has {}, more than it may",
                counted(*count, "element")
            )
        }
        NodeFailure::TooLarge(pointer) => {
            format!("what the expression at `{pointer}` comes to is too large or too deep")
        }
        NodeFailure::UnresolvedExpression(pointer) => {
            format!("an expression at `{pointer}` comes to null")
        }
        NodeFailure::ChildFailed(error) => said("its child failed", error),
        NodeFailure::ChildCancelled => return Cow::Borrowed("its child was cancelled"),
        NodeFailure::ChildRefused(code) => child_refusal(*code, None),
        NodeFailure::RepeatLimit(count) => {
            format!("its condition still held after {count} iterations, the most there may be")
        }
    })
}

/// Why a child cannot be started. `workflow` is the one that was asked for by its name,
/// where that is known.
#[must_use]
pub fn child_refusal(code: ChildRefusal, workflow: Option<&WorkflowName>) -> String {
    let why = match (code, workflow) {
        (ChildRefusal::UnknownWorkflow, Some(it)) => format!(
            "no workflow `{}` of version {} is registered; register it, then fork the execution from before this node",
            it.workflow_id, it.version
        ),
        (ChildRefusal::UnknownWorkflow, None) => "its workflow is not registered in the version that is asked for, or it is written in place and its name, `WORKFLOW/NODE`, is that of another registered text: register what is missing, or give this workflow another id, then fork the execution from before this node".to_owned(),
        (ChildRefusal::TooDeep, _) => {
            format!("it would be more than {CHILD_DEPTH_MAX} levels below its root")
        }
        (ChildRefusal::TooMany, _) => format!(
            "its root has {DESCENDANTS_MAX} descendants, as many as it may have"
        ),
    };
    format!("its child cannot be started: {why}")
}

/// How many there are of something.
fn counted(count: u32, noun: &str) -> String {
    let several = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{several}")
}

/// Why a node failed for good.
pub(super) fn exhausted(exhausted: &NodeExhausted) -> Cow<'_, str> {
    match &exhausted.cause {
        NodeFailure::LeaseExpired => Cow::Owned(format!(
            "exhausted {} attempts: lease expired",
            exhausted.attempts
        )),
        cause => node_failure(cause),
    }
}

/// Why an execution failed.
#[must_use]
pub fn workflow_failure(failure: &WorkflowFailure) -> String {
    match failure {
        WorkflowFailure::NodesFailed(nodes) => {
            format!("node(s) failed terminally: {}", nodes.join(", "))
        }
        WorkflowFailure::Timeout(ms) => format!("workflow timed out after {}", exact_span(*ms)),
        WorkflowFailure::Terminated(Some(reason)) => format!("terminated: {reason}"),
        WorkflowFailure::Terminated(None) => "terminated".to_owned(),
        WorkflowFailure::BudgetExceeded(excess) => budget_excess(excess),
    }
}

/// Why a policy stalled an execution.
#[must_use]
pub fn stall(reason: &StallReason) -> String {
    match reason {
        StallReason::AttemptsExhausted(it) => format!(
            "node `{}` failed at attempt {} ({}), and its policy asks for a person",
            it.node_id,
            it.attempts,
            exhausted(it)
        ),
        StallReason::BudgetExceeded(excess) => {
            format!(
                "{}, and the workflow asks for a person",
                budget_excess(excess)
            )
        }
    }
}

fn budget_excess(excess: &BudgetExcess) -> String {
    let BudgetExcess {
        budget,
        allowed,
        spent,
    } = excess;
    match budget {
        Budget::Tokens => format!("{spent} tokens are used, and the workflow allows {allowed}"),
        Budget::CostUsd => {
            format!("{spent} US dollars are spent, and the workflow allows {allowed}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FailedInstances, MissedEvent, Rejection};

    #[test]
    fn each_failure_of_a_node_has_its_words() {
        let rejected = |comment: Option<&str>| {
            NodeFailure::Rejected(Rejection {
                user_id: "bob".into(),
                comment: comment.map(str::to_owned),
            })
        };
        let instances = |count, nodes: &[&str]| {
            NodeFailure::InstancesFailed(FailedInstances {
                count,
                nodes: nodes.iter().map(ToString::to_string).collect(),
            })
        };
        #[rustfmt::skip]
        let table = [
            (NodeFailure::AttemptFailed("boom".into()), "boom"),
            (NodeFailure::Timeout(5_000), "timed out after 5 s"),
            (NodeFailure::Timeout(1_500), "timed out after 1500 ms"),
            (NodeFailure::LeaseExpired, "lease expired: worker presumed dead"),
            (rejected(Some("too dear")), "rejected by bob: too dear"),
            (rejected(None), "rejected by bob"),
            (NodeFailure::ApprovalTimeout(60_000), "nobody approved or rejected it within 60 s"),
            (NodeFailure::EventTimeout(MissedEvent { correlation_key: "k".into(), timeout_ms: 5_000 }), "no external event `k` within 5 s"),
            (NodeFailure::LimitExceeded(Some("ten rounds".into())), "limit exceeded: ten rounds"),
            (NodeFailure::LimitExceeded(None), "limit exceeded"),
            (instances(2, &["a[0]", "a[1]"]), "2 instances failed: a[0], a[1]"),
            (instances(3, &["a[0]", "a[1]"]), "3 instances failed: a[0], a[1], …"),
            (instances(1, &["a[0]"]), "1 instance failed: a[0]"),
            (NodeFailure::NotAList, "what it maps over is not a list"),
            (NodeFailure::TooManyItems(7), "what it maps over has 7 elements, more than it may"),
            (NodeFailure::TooManyItems(1), "what it maps over has 1 element, more than it may"),
            (NodeFailure::TooLarge("/kind/url".into()), "what the expression at `/kind/url` comes to is too large or too deep"),
            (NodeFailure::UnresolvedExpression("/kind/url".into()), "an expression at `/kind/url` comes to null"),
            (NodeFailure::ChildFailed(Some("boom".into())), "its child failed: boom"),
            (NodeFailure::ChildFailed(None), "its child failed"),
            (NodeFailure::ChildCancelled, "its child was cancelled"),
            (NodeFailure::ChildRefused(ChildRefusal::UnknownWorkflow), "its child cannot be started: its workflow is not registered in the version that is asked for, or it is written in place and its name, `WORKFLOW/NODE`, is that of another registered text: register what is missing, or give this workflow another id, then fork the execution from before this node"),
            (NodeFailure::ChildRefused(ChildRefusal::TooDeep), "its child cannot be started: it would be more than 32 levels below its root"),
            (NodeFailure::ChildRefused(ChildRefusal::TooMany), "its child cannot be started: its root has 100000 descendants, as many as it may have"),
            (NodeFailure::RepeatLimit(3), "its condition still held after 3 iterations, the most there may be"),
        ];
        for (failure, words) in table {
            assert_eq!(node_failure(&failure), words);
            let (node, attempts) = (NodeExhausted::new("a", 3, failure), 3);
            match node.cause {
                NodeFailure::LeaseExpired => {
                    let expected = format!("exhausted {attempts} attempts: lease expired");
                    assert_eq!(exhausted(&node), expected);
                }
                _ => assert_eq!(exhausted(&node), words),
            }
        }
    }

    #[test]
    fn r22_a_workflow_that_is_not_registered_is_named() {
        let name = WorkflowName {
            workflow_id: "lib".into(),
            version: "1.0.0".into(),
        };
        assert_eq!(
            child_refusal(ChildRefusal::UnknownWorkflow, Some(&name)),
            "its child cannot be started: no workflow `lib` of version 1.0.0 is registered; register it, then fork the execution from before this node"
        );
    }

    #[test]
    fn each_failure_and_stall_of_an_execution_has_its_words() {
        let excess = |budget| BudgetExcess {
            budget,
            allowed: "1.50".into(),
            spent: "1.75".into(),
        };
        #[rustfmt::skip]
        let table = [
            (WorkflowFailure::NodesFailed(vec!["a".into(), "b".into()]), "node(s) failed terminally: a, b"),
            (WorkflowFailure::Timeout(3_000), "workflow timed out after 3 s"),
            (WorkflowFailure::Terminated(Some("no stock".into())), "terminated: no stock"),
            (WorkflowFailure::Terminated(None), "terminated"),
            (WorkflowFailure::BudgetExceeded(excess(Budget::Tokens)), "1.75 tokens are used, and the workflow allows 1.50"),
            (WorkflowFailure::BudgetExceeded(excess(Budget::CostUsd)), "1.75 US dollars are spent, and the workflow allows 1.50"),
        ];
        for (failure, words) in table {
            assert_eq!(workflow_failure(&failure), words);
        }
        let spent = |cause| StallReason::AttemptsExhausted(NodeExhausted::new("a", 2, cause));
        #[rustfmt::skip]
        let table = [
            (spent(NodeFailure::AttemptFailed("boom".into())), "node `a` failed at attempt 2 (boom), and its policy asks for a person"),
            (spent(NodeFailure::LeaseExpired), "node `a` failed at attempt 2 (exhausted 2 attempts: lease expired), and its policy asks for a person"),
            (StallReason::BudgetExceeded(excess(Budget::Tokens)), "1.75 tokens are used, and the workflow allows 1.50, and the workflow asks for a person"),
        ];
        for (reason, words) in table {
            assert_eq!(stall(&reason), words);
        }
    }
}
