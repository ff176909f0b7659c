//! The one table of event kinds and their fields.
//!
//! Both written forms of an event come from it: a form says how to write and
//! read a text, a number, a time (`field.rs`), and the table says which of them
//! an event has, under which names and in which order. Names and
//! order are for ever: they are hashed. An event that needs a further field
//! becomes a new kind.
//!
//! A kind or field that joins the contract and is missing here does not
//! compile.

use crate::log::field::{
    Choice, Codec, Count, Fields, Flag, Flattened, Json, Maybe, Named, Number, Record, Sha, Sink,
    Source, Text, Time,
};
use crate::model::{
    ApprovalDecision, ApprovalReceived, CancelReason, CancelRequested, Event, EventKind,
    ExternalEventReceived, ForkOrigin, GuestChanged, InterruptRaised, Limits, NodeCancelled,
    NodeCompleted, NodeExhausted, NodeFailed, NodeRequest, NodeScheduled, NodeSkipped, NodeStarted,
    NodeTimedOut, OperatorNote, Origin, RetryScheduled, SkipReason, Stalled, Telemetry,
    TimerCreated, TimerFired, WorkflowCancelled, WorkflowCompleted, WorkflowFailed,
    WorkflowStarted,
};

/// Write where the event stands: sequence, time and origin.
pub(super) fn write_place(event: &Event, sink: &mut impl Sink) {
    Number::write("sequence", &event.sequence, sink);
    Time::write("at", &event.at, sink);
    Choice::write("origin", &event.origin, sink);
}

/// Read a whole event: [`write_place`], then [`write_kind`].
pub(super) fn read_event<S: Source>(source: &mut S) -> Result<Event, S::Error> {
    Ok(Event {
        sequence: Number::read("sequence", source)?,
        at: Time::read("at", source)?,
        origin: Choice::read("origin", source)?,
        kind: read_kind(source)?,
    })
}

macro_rules! event_kinds {
    ($( $variant:ident $( ( $record:ident { $( $field:ident: $codec:ty ),* $(,)? } ) )? = $name:literal, )*) => {
        /// The names of all event kinds, in the contract's order.
        pub const KIND_NAMES: &[&str] = &[$( $name ),*];

        /// The name of an event's kind.
        pub(super) fn kind_name(kind: &EventKind) -> &'static str {
            match kind {
                $( EventKind::$variant $( ($record { .. }) )? => $name, )*
            }
        }

        /// Write what happened: the kind's name, then its fields.
        pub(super) fn write_kind(kind: &EventKind, sink: &mut impl Sink) {
            sink.choice("type", kind_name(kind));
            match kind {
                $( EventKind::$variant $( ($record { $( $field ),* }) )? => {
                    $( $( <$codec>::write(stringify!($field), $field, sink); )* )?
                } )*
            }
        }

        fn read_kind<S: Source>(source: &mut S) -> Result<EventKind, S::Error> {
            match KIND_NAMES[source.choice("type", KIND_NAMES)?] {
                $( $name => Ok(EventKind::$variant $( ($record {
                    $( $field: <$codec>::read(stringify!($field), source)? ),*
                }) )?), )*
                other => unreachable!("the table has no kind {other:?}"),
            }
        }
    };
}

event_kinds! {
    WorkflowStarted(WorkflowStarted {
        execution_id: Text,
        workflow_id: Text,
        workflow_version: Text,
        workflow_digest: Sha,
        guest_digest: Sha,
        initial_input: Json,
        limits: Record<Limits>,
        seed: Number,
        tenant: Text,
        simulated: Flag,
        key: Maybe<Text>,
        forked_from: Maybe<Record<ForkOrigin>>,
    }) = "workflow_started",
    WorkflowCompleted(WorkflowCompleted { final_state: Json }) = "workflow_completed",
    WorkflowFailed(WorkflowFailed { error: Text }) = "workflow_failed",
    WorkflowCancelled(WorkflowCancelled { reason: Maybe<Text> }) = "workflow_cancelled",
    WorkflowTimedOut = "workflow_timed_out",
    NodeScheduled(NodeScheduled {
        node_id: Text,
        queue_type: Text,
        attempt: Count,
        item_digest: Sha,
    }) = "node_scheduled",
    NodeStarted(NodeStarted {
        node_id: Text,
        worker_id: Text,
        attempt: Count,
        fence: Number,
    }) = "node_started",
    NodeCompleted(NodeCompleted {
        node_id: Text,
        attempt: Count,
        fence: Number,
        output: Json,
        state_patch: Json,
        duration_ms: Number,
        chosen_target: Maybe<Text>,
        telemetry: Flattened<Telemetry>,
    }) = "node_completed",
    NodeFailed(NodeFailed {
        node_id: Text,
        attempt: Count,
        fence: Number,
        error: Text,
        class: Maybe<Text>,
        retryable: Flag,
    }) = "node_failed",
    NodeTimedOut(NodeTimedOut { node_id: Text, attempt: Count }) = "node_timed_out",
    NodeExhausted(NodeExhausted { node_id: Text, attempts: Count, error: Text }) = "node_exhausted",
    NodeSkipped(NodeSkipped { node_id: Text, reason: Choice<SkipReason> }) = "node_skipped",
    NodeCancelled(NodeCancelled { node_id: Text, reason: Choice<CancelReason> }) = "node_cancelled",
    RetryScheduled(RetryScheduled {
        node_id: Text,
        attempt: Count,
        delay_ms: Number,
        item_digest: Sha,
    }) = "retry_scheduled",
    InterruptRaised(InterruptRaised {
        node_id: Text,
        reason: Text,
        state_for_review: Json,
        expires_at: Maybe<Time>,
    }) = "interrupt_raised",
    ApprovalReceived(ApprovalReceived {
        node_id: Text,
        user_id: Text,
        decision: Choice<ApprovalDecision>,
        comment: Maybe<Text>,
        state_patch: Maybe<Json>,
    }) = "approval_received",
    TimerCreated(TimerCreated {
        node_id: Text,
        fire_at: Maybe<Time>,
        correlation_key: Maybe<Text>,
    }) = "timer_created",
    TimerFired(TimerFired { node_id: Text, correlation_key: Maybe<Text> }) = "timer_fired",
    ExternalEventReceived(ExternalEventReceived {
        correlation_key: Text,
        payload: Json,
    }) = "external_event_received",
    CancelRequested(CancelRequested { reason: Maybe<Text> }) = "cancel_requested",
    ExecutionPaused(OperatorNote { reason: Maybe<Text> }) = "execution_paused",
    ExecutionUnpaused(OperatorNote { reason: Maybe<Text> }) = "execution_unpaused",
    RetryRequested(NodeRequest { node_id: Text, reason: Maybe<Text> }) = "retry_requested",
    SkipRequested(NodeRequest { node_id: Text, reason: Maybe<Text> }) = "skip_requested",
    Stalled(Stalled { reason: Text, node_id: Maybe<Text> }) = "stalled",
    StallLifted(OperatorNote { reason: Maybe<Text> }) = "stall_lifted",
    GuestChanged(GuestChanged { guest_digest: Sha }) = "guest_changed",
}

macro_rules! records {
    ($( $record:ident { $( $field:ident: $codec:ty, )* } )*) => { $(
        impl Fields for $record {
            fn write(&self, sink: &mut impl Sink) {
                let $record { $( $field ),* } = self;
                $( <$codec>::write(stringify!($field), $field, sink); )*
            }
            fn read<S: Source>(source: &mut S) -> Result<Self, S::Error> {
                Ok($record { $( $field: <$codec>::read(stringify!($field), source)? ),* })
            }
        }
    )* };
}

records! {
    Limits {
        max_concurrent_nodes: Count,
        max_dispatch_per_tick: Count,
    }
    ForkOrigin {
        execution_id: Text,
        sequence: Number,
        head: Sha,
    }
    Telemetry {
        gen_ai_system: Maybe<Text>,
        gen_ai_model: Maybe<Text>,
        input_tokens: Maybe<Number>,
        output_tokens: Maybe<Number>,
        finish_reason: Maybe<Text>,
        cost_usd: Maybe<Json>,
        provenance: Maybe<Json>,
    }
}

macro_rules! choices {
    ($( $choice:ident { $( $value:ident = $name:literal, )* } )*) => { $(
        impl Named for $choice {
            const VALUES: &'static [Self] = &[$( $choice::$value ),*];
            const NAMES: &'static [&'static str] = &[$( $name ),*];
            fn name(self) -> &'static str {
                match self { $( $choice::$value => $name, )* }
            }
        }
    )* };
}

choices! {
    Origin { Fact = "fact", Decision = "decision", }
    SkipReason { Unreached = "unreached", ByOperator = "by_operator", RunOn = "run_on", }
    CancelReason {
        CancelRequested = "cancel_requested",
        WorkflowTimedOut = "workflow_timed_out",
        ByOperator = "by_operator",
    }
    ApprovalDecision { Approved = "approved", Rejected = "rejected", }
}
