//! Each kind of event, with its options there and not there.

use super::children::children;
use super::codes::{excess, failures};
use super::values::{DIGEST, PAYLOAD};
use crate::model::*;

/// All of them, in an order that tests know.
pub(super) fn kinds() -> Vec<EventKind> {
    let all = [
        attempts(),
        stops(),
        waits(),
        operations(),
        endings(),
        children(),
        failures(),
    ];
    all.into_iter().flatten().collect()
}

/// A start, and what becomes of attempts.
fn attempts() -> Vec<EventKind> {
    use EventKind as Kind;
    let node = || "a \"quoted\" node".to_owned();
    let text = |text: &str| Some(text.to_owned());
    vec![
        started(None, None),
        started(
            text("key-1"),
            Some(ForkOrigin {
                execution_id: "exec_0".into(),
                sequence: u64::MAX,
                head: DIGEST,
            }),
        ),
        Kind::NodeScheduled(NodeScheduled {
            node_id: node(),
            queue: "tool".into(),
            attempt: 1,
            item_digest: DIGEST,
        }),
        Kind::NodeStarted(NodeStarted {
            node_id: node(),
            worker_id: "w".into(),
            attempt: u32::MAX,
        }),
        completed("null", "{}", None, None),
        completed("{\n  \"pretty\": true\n}", " {}", text("b"), Some(called())),
        completed(
            "not json",
            "{}",
            None,
            Some(GenAi {
                finish_reason: text(""),
                ..GenAi::default()
            }),
        ),
        failed(None),
        failed(text("io_error")),
        Kind::NodeTimedOut(NodeTimedOut {
            node_id: node(),
            attempt: 2,
            timeout_ms: 1_500,
        }),
        Kind::RetryScheduled(RetryScheduled {
            node_id: node(),
            attempt: 2,
            delay_ms: 1500,
            item_digest: DIGEST,
        }),
        Kind::NodeExhausted(NodeExhausted::new(
            node(),
            3,
            NodeFailure::AttemptFailed("line\nbreak\u{0}".into()),
        )),
    ]
}

/// Nodes that are skipped or cancelled.
fn stops() -> Vec<EventKind> {
    use EventKind as Kind;
    let node = || "a \"quoted\" node".to_owned();
    vec![
        Kind::NodeSkipped(NodeSkipped {
            node_id: node(),
            reason: SkipReason::Unreached,
        }),
        Kind::NodeSkipped(NodeSkipped {
            node_id: node(),
            reason: SkipReason::ByOperator,
        }),
        Kind::NodeSkipped(NodeSkipped {
            node_id: node(),
            reason: SkipReason::RunOn,
        }),
        Kind::NodeCancelled(NodeCancelled {
            node_id: node(),
            reason: CancelReason::CancelRequested,
        }),
        Kind::NodeCancelled(NodeCancelled {
            node_id: node(),
            reason: CancelReason::WorkflowTimedOut,
        }),
        Kind::NodeCancelled(NodeCancelled {
            node_id: node(),
            reason: CancelReason::ByOperator,
        }),
    ]
}

/// What people, time and other programs are waited for.
fn waits() -> Vec<EventKind> {
    use EventKind as Kind;
    let node = || "a \"quoted\" node".to_owned();
    let text = |text: &str| Some(text.to_owned());
    vec![
        interrupt(None),
        interrupt(Some(u64::MAX)),
        approval(ApprovalDecision::Approved, None),
        approval(ApprovalDecision::Rejected, text("null")),
        Kind::TimerCreated(TimerCreated {
            node_id: node(),
            fire_at: Some(0),
            correlation_key: None,
        }),
        Kind::TimerCreated(TimerCreated {
            node_id: node(),
            fire_at: None,
            correlation_key: text("k"),
        }),
        Kind::TimerFired(TimerFired {
            node_id: node(),
            correlation_key: text(""),
        }),
        Kind::ExternalEventReceived(ExternalEventReceived {
            correlation_key: "k".into(),
            payload: PAYLOAD.into(),
            event_id: None,
            by: None,
        }),
    ]
}

/// What operators do, and stalls.
fn operations() -> Vec<EventKind> {
    use EventKind as Kind;
    let node = || "a \"quoted\" node".to_owned();
    let text = |text: &str| Some(text.to_owned());
    let note = |reason: Option<String>| OperatorNote {
        by: reason.clone(),
        reason,
    };
    vec![
        Kind::CancelRequested(CancelRequested {
            reason: text("enough"),
            by: text("ada"),
        }),
        Kind::ExecutionPaused(note(text("lunch"))),
        Kind::ExecutionUnpaused(note(None)),
        Kind::RetryRequested(NodeRequest {
            node_id: node(),
            reason: None,
            by: text("ada"),
        }),
        Kind::SkipRequested(NodeRequest {
            node_id: node(),
            reason: text("why not"),
            by: None,
        }),
        Kind::HostStalled(HostStalled {
            reason: "out of fuel".into(),
        }),
        Kind::Stalled(Stalled::new(StallReason::BudgetExceeded(excess()))),
        Kind::Stalled(Stalled::new(StallReason::AttemptsExhausted(
            NodeExhausted::new(node(), 3, NodeFailure::LeaseExpired),
        ))),
        Kind::StallLifted(note(None)),
        Kind::GuestChanged(GuestChanged {
            guest_digest: DIGEST,
            by: text("ada"),
        }),
        Kind::ExecutionForked(ExecutionForked { by: None }),
    ]
}

/// Ends, and kinds that joined later.
fn endings() -> Vec<EventKind> {
    use EventKind as Kind;
    let node = || "a \"quoted\" node".to_owned();
    let text = |text: &str| Some(text.to_owned());
    vec![
        Kind::WorkflowTimedOut,
        Kind::WorkflowCompleted(WorkflowCompleted {
            final_state: PAYLOAD.into(),
        }),
        Kind::WorkflowFailed(WorkflowFailed::new(
            WorkflowFailure::NodesFailed(vec!["a".into(), "b \"c\"".into()]),
            "{}",
        )),
        Kind::WorkflowCancelled(WorkflowCancelled {
            reason: None,
            final_state: " {}".into(),
        }),
        Kind::NodeSettled(NodeSettled {
            node_id: node(),
            output: "null".into(),
            state_patch: PAYLOAD.into(),
            chosen_target: text("end"),
        }),
        Kind::LeaseExpired(LeaseExpired::new(node(), 2, 9)),
        Kind::NodeReleased(NodeReleased {
            by: text("w"),
            ..NodeReleased::new(node(), 2, 9)
        }),
        Kind::ExternalEventReceived(ExternalEventReceived {
            event_id: text("evt_1"),
            by: text("a webhook"),
            ..ExternalEventReceived::new("k", "1")
        }),
    ]
}

fn started(key: Option<String>, forked_from: Option<ForkOrigin>) -> EventKind {
    EventKind::WorkflowStarted(Box::new(WorkflowStarted {
        format: FORMAT_VERSION,
        execution_id: "exec_00000000000000000000000000000001".into(),
        workflow_id: "claims".into(),
        workflow_version: "1.0.0".into(),
        workflow_digest: DIGEST,
        guest_digest: DIGEST,
        initial_input: PAYLOAD.into(),
        limits: Limits {
            max_concurrent_nodes: 16,
            max_dispatch_per_tick: 8,
        },
        seed: u64::MAX,
        tenant: "default".into(),
        simulated: key.is_some(),
        labels: key
            .iter()
            .flat_map(|_| [label("team", "claims"), label("", "")])
            .collect(),
        parent: key.as_ref().map(|_| ParentOrigin {
            execution_id: "exec_0".into(),
            node_id: "resize[3]".into(),
            attempt: 1,
            iteration: 0,
            sequence: 7,
            root: "exec_0".into(),
            depth: 1,
        }),
        priority: 5,
        by: key.clone(),
        key,
        forked_from,
    }))
}

fn label(name: &str, value: &str) -> Label {
    Label {
        name: name.into(),
        value: value.into(),
    }
}

fn completed(
    output: &str,
    patch: &str,
    chosen_target: Option<String>,
    gen_ai: Option<GenAi>,
) -> EventKind {
    EventKind::NodeCompleted(NodeCompleted {
        node_id: "a".into(),
        attempt: 1,
        fence: 4,
        output: output.into(),
        state_patch: patch.into(),
        duration_ms: 12,
        telemetry: chosen_target
            .as_ref()
            .map(|_| r#"{"cost_usd":0.0100,"verified":true}"#.to_owned()),
        edited_by: chosen_target.as_ref().map(|_| "ada".to_owned()),
        chosen_target,
        gen_ai: gen_ai.map(Box::new),
    })
}

fn called() -> GenAi {
    GenAi {
        system: Some("anthropic".into()),
        model: Some("m".into()),
        input_tokens: Some(10),
        output_tokens: Some(u64::MAX),
        finish_reason: Some("stop".into()),
    }
}

fn failed(error_class: Option<String>) -> EventKind {
    EventKind::NodeFailed(NodeFailed {
        node_id: "a".into(),
        attempt: 1,
        fence: 4,
        error: "boom".into(),
        retryable: error_class.is_none(),
        retry_after_ms: error_class.as_ref().map(|_| 30_000),
        error_class,
    })
}

fn interrupt(expires_at: Option<u64>) -> EventKind {
    EventKind::InterruptRaised(InterruptRaised {
        node_id: "a".into(),
        reason: "look at this".into(),
        expires_at,
    })
}

fn approval(decision: ApprovalDecision, state_patch: Option<String>) -> EventKind {
    EventKind::ApprovalReceived(ApprovalReceived {
        node_id: "a".into(),
        user_id: "ada".into(),
        decision,
        comment: state_patch.clone(),
        by: state_patch.clone(),
        state_patch,
    })
}
