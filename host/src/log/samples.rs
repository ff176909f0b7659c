//! Events for tests: every kind, with its options there and not there.

use crate::log::{ErasedEvent, Head, StoredEvent, canonical, chain};
use crate::model::*;

/// The digest of nothing, `e3b0c442…`.
const DIGEST: Digest = Digest([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// A payload with everything that a careless form would not keep.
const PAYLOAD: &str = r#"{"b":1.50,"a":[1e3, null],"ü\u00fc":"\"x\" \\ \ud83d\ude00","n":123456789012345678901234567890}"#;

/// One event of each kind and more, numbered from 1.
pub(super) fn events() -> Vec<Event> {
    kinds()
        .into_iter()
        .zip(1..)
        .map(|(kind, sequence)| Event {
            sequence,
            at: 1_767_225_600_000 + sequence * 1001,
            origin: if sequence % 2 == 0 {
                Origin::Decision
            } else {
                Origin::Fact
            },
            kind,
        })
        .collect()
}

/// The same, chained.
pub(super) fn log() -> Vec<StoredEvent> {
    let mut head = Head::default();
    let mut log = Vec::new();
    for event in events() {
        let salt = [event.sequence as u8; 16];
        let stored = chain::follow(&head, event, salt);
        head = stored.head();
        log.push(stored);
    }
    log
}

/// The same event, erased.
pub(super) fn erased(stored: &StoredEvent) -> ErasedEvent {
    let bytes = canonical::write(&stored.event);
    ErasedEvent {
        event: canonical::read_erased(&bytes.plain).expect("it is an event"),
        commitment: chain::commitment(&stored.salt, &bytes.erasable),
        hash: stored.hash,
    }
}

fn kinds() -> Vec<EventKind> {
    use EventKind as Kind;
    let node = || "a \"quoted\" node".to_owned();
    let text = |text: &str| Some(text.to_owned());
    let note = |reason: Option<String>| OperatorNote {
        by: reason.clone(),
        reason,
    };
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
    .into_iter()
    .chain(children())
    .chain(failures())
    .collect()
}

fn excess() -> BudgetExcess {
    BudgetExcess {
        budget: Budget::CostUsd,
        allowed: "1.50".into(),
        spent: "1.75".into(),
    }
}

/// Each code for which a node or an execution fails.
fn failures() -> Vec<EventKind> {
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

fn children() -> Vec<EventKind> {
    use EventKind as Kind;
    let node_id = || "resize[3]".to_owned();
    let (attempt, iteration) = (1, u32::MAX);
    let child_id = || "exec_00000000000000000000000000000002".to_owned();
    let requested = |workflow| {
        Kind::ChildRequested(ChildRequested {
            node_id: node_id(),
            attempt,
            iteration,
            workflow,
        })
    };
    let refused = |code| {
        Kind::ChildRefused(ChildRefused {
            node_id: node_id(),
            attempt,
            iteration,
            code,
        })
    };
    let ended = |status, output: Option<&str>, error: Option<&str>| {
        Kind::ChildEnded(ChildEnded {
            node_id: node_id(),
            attempt,
            iteration,
            child_id: child_id(),
            status,
            sequence: u64::MAX,
            head: DIGEST,
            output: output.map(str::to_owned),
            error: error.map(str::to_owned),
        })
    };
    vec![
        Kind::MapExpanded(MapExpanded {
            node_id: "resize".into(),
            count: 4,
        }),
        requested(None),
        requested(Some(WorkflowName {
            workflow_id: "w".into(),
            version: "1.0.0".into(),
        })),
        Kind::ChildStarted(ChildStarted {
            node_id: node_id(),
            attempt,
            iteration,
            child_id: child_id(),
            workflow_digest: DIGEST,
        }),
        refused(ChildRefusal::UnknownWorkflow),
        refused(ChildRefusal::TooDeep),
        refused(ChildRefusal::TooMany),
        ended(Status::Completed, Some(PAYLOAD), None),
        ended(Status::Failed, None, Some("boom")),
        ended(Status::Cancelled, None, None),
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

#[test]
fn every_kind_has_a_sample() {
    let kinds = kinds();
    for name in super::KIND_NAMES {
        assert!(
            kinds
                .iter()
                .any(|kind| super::form::kind_name(kind) == *name),
            "add a sample of the new kind {name} to samples.rs"
        );
    }
}
