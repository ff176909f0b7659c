//! Events of each code for which a node or an execution fails.

use crate::model::*;

pub(super) fn excess() -> BudgetExcess {
    BudgetExcess {
        budget: Budget::CostUsd,
        allowed: "1.50".into(),
        spent: "1.75".into(),
    }
}

/// Each code for which a node or an execution fails.
pub(super) fn failures() -> Vec<EventKind> {
    let text = |text: &str| Some(text.to_owned());
    let of_nodes = vec![
        NodeFailure::Timeout(1_500),
        NodeFailure::LeaseExpired,
        NodeFailure::Rejected(Rejection {
            user_id: "ada".into(),
            comment: text("too dear"),
        }),
        NodeFailure::ApprovalTimeout(60_000),
        NodeFailure::EventTimeout(MissedEvent {
            correlation_key: "k".into(),
            timeout_ms: 5_000,
        }),
        NodeFailure::LimitExceeded(None),
        NodeFailure::LimitExceeded(text("ten rounds")),
        NodeFailure::InstancesFailed(FailedInstances {
            count: 2,
            nodes: vec!["a[0]".into(), "a[1]".into()],
        }),
        NodeFailure::NotAList,
        NodeFailure::TooManyItems(7),
        NodeFailure::TooLarge("/kind/url".into()),
        NodeFailure::UnresolvedExpression("/kind/url".into()),
        NodeFailure::ChildFailed(text("boom")),
        NodeFailure::ChildCancelled,
        NodeFailure::ChildRefused(ChildRefusal::TooDeep),
        NodeFailure::RepeatLimit(3),
    ];
    let of_executions = vec![
        WorkflowFailure::NodesFailed(Vec::new()),
        WorkflowFailure::Timeout(3_000),
        WorkflowFailure::Terminated(text("no stock")),
        WorkflowFailure::BudgetExceeded(excess()),
    ];
    let nodes = of_nodes
        .into_iter()
        .map(|cause| EventKind::NodeExhausted(NodeExhausted::new("a", 1, cause)));
    let executions = of_executions
        .into_iter()
        .map(|cause| EventKind::WorkflowFailed(WorkflowFailed::new(cause, "{}")));
    nodes.chain(executions).collect()
}
