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
    let note = |reason: Option<String>| OperatorNote { reason };
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
            queue_type: "tool".into(),
            attempt: 1,
            item_digest: DIGEST,
        }),
        Kind::NodeStarted(NodeStarted {
            node_id: node(),
            worker_id: "w".into(),
            attempt: u32::MAX,
            fence: 4,
        }),
        completed("null", "{}", None, None),
        completed(
            "{\n  \"pretty\": true\n}",
            " {}",
            text("b"),
            Some(telemetry()),
        ),
        completed(
            "not json",
            "{}",
            None,
            Some(Telemetry {
                cost_usd: text("0.10"),
                ..no_telemetry()
            }),
        ),
        failed(None),
        failed(text("io_error")),
        Kind::NodeTimedOut(NodeTimedOut {
            node_id: node(),
            attempt: 2,
        }),
        Kind::RetryScheduled(RetryScheduled {
            node_id: node(),
            attempt: 2,
            delay_ms: 1500,
            item_digest: DIGEST,
        }),
        Kind::NodeExhausted(NodeExhausted {
            node_id: node(),
            attempts: 3,
            error: "line\nbreak\u{0}".into(),
        }),
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
        }),
        Kind::CancelRequested(CancelRequested {
            reason: text("enough"),
        }),
        Kind::ExecutionPaused(note(text("lunch"))),
        Kind::ExecutionUnpaused(note(None)),
        Kind::RetryRequested(NodeRequest {
            node_id: node(),
            reason: None,
        }),
        Kind::SkipRequested(NodeRequest {
            node_id: node(),
            reason: text("why not"),
        }),
        Kind::Stalled(Stalled {
            reason: "out of fuel".into(),
            node_id: None,
        }),
        Kind::Stalled(Stalled {
            reason: "policy".into(),
            node_id: Some(node()),
        }),
        Kind::StallLifted(note(None)),
        Kind::GuestChanged(GuestChanged {
            guest_digest: DIGEST,
        }),
        Kind::WorkflowTimedOut,
        Kind::WorkflowCompleted(WorkflowCompleted {
            final_state: PAYLOAD.into(),
        }),
        Kind::WorkflowFailed(WorkflowFailed {
            error: "node(s) failed terminally: a".into(),
        }),
        Kind::WorkflowCancelled(WorkflowCancelled { reason: None }),
    ]
}

fn started(key: Option<String>, forked_from: Option<ForkOrigin>) -> EventKind {
    EventKind::WorkflowStarted(WorkflowStarted {
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
        key,
        forked_from,
    })
}

fn completed(
    output: &str,
    patch: &str,
    chosen_target: Option<String>,
    telemetry: Option<Telemetry>,
) -> EventKind {
    EventKind::NodeCompleted(NodeCompleted {
        node_id: "a".into(),
        attempt: 1,
        fence: 4,
        output: output.into(),
        state_patch: patch.into(),
        duration_ms: 12,
        chosen_target,
        telemetry,
    })
}

fn no_telemetry() -> Telemetry {
    Telemetry {
        gen_ai_system: None,
        gen_ai_model: None,
        input_tokens: None,
        output_tokens: None,
        finish_reason: None,
        cost_usd: None,
        provenance: None,
    }
}

fn telemetry() -> Telemetry {
    Telemetry {
        gen_ai_system: Some("anthropic".into()),
        gen_ai_model: Some("m".into()),
        input_tokens: Some(10),
        output_tokens: Some(u64::MAX),
        finish_reason: Some("stop".into()),
        cost_usd: Some("0.0100".into()),
        provenance: Some(r#"{"verified":true}"#.into()),
    }
}

fn failed(class: Option<String>) -> EventKind {
    EventKind::NodeFailed(NodeFailed {
        node_id: "a".into(),
        attempt: 1,
        fence: 4,
        error: "boom".into(),
        retryable: class.is_none(),
        class,
    })
}

fn interrupt(expires_at: Option<u64>) -> EventKind {
    EventKind::InterruptRaised(InterruptRaised {
        node_id: "a".into(),
        reason: "look at this".into(),
        state_for_review: "{}".into(),
        expires_at,
    })
}

fn approval(decision: ApprovalDecision, state_patch: Option<String>) -> EventKind {
    EventKind::ApprovalReceived(ApprovalReceived {
        node_id: "a".into(),
        user_id: "ada".into(),
        decision,
        comment: state_patch.clone(),
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
