//! The one table of event kinds and their fields.
//!
//! Both written forms of an event come from it: a form says how to write and
//! read a text, a number, a time (`field.rs`), and the table says which of them
//! an event has, under which names and in which order. Names and
//! order are for ever: they are hashed. An event that needs a further field
//! becomes a new kind.
//!
//! Each field is marked. *Plain* are those that are never personal: places in
//! the log, times, ids of nodes, numbers, codes, and digests of what is not
//! personal. *Erasable* are all that a person, a program or a workflow's state
//! may have put there. Both are hashed, but the erasable ones with a salt, so
//! that they can be erased for good and the chain still verifies (law 4). A
//! field inside a record has the mark of the record's field.
//!
//! A kind or field that joins the model and is missing here does not compile.

use crate::log::field::{
    Choice, Codec, Count, Erasable, Fields, Flag, Flattened, Json, Maybe, Named, Number, Record,
    Sha, Sink, Source, Text, Time,
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

/// How a field with this mark is written and read.
macro_rules! marked {
    (plain $codec:ty) => { $codec };
    (erasable $codec:ty) => { Erasable<$codec> };
}

macro_rules! event_kinds {
    ($( $variant:ident $( ( $record:ident { $( $field:ident: $mark:ident $codec:ty ),* $(,)? } ) )? = $name:literal, )*) => {
        /// The names of all event kinds, in the model's order.
        pub const KIND_NAMES: &[&str] = &[$( $name ),*];

        /// The fields of each kind and their marks, in the order of
        /// [`KIND_NAMES`].
        #[cfg(test)]
        pub(super) const MARKS: &[&[(&str, &str)]] = &[$(
            &[$( $( (stringify!($field), stringify!($mark)) ),* )?],
        )*];

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
                    $( $( <marked!($mark $codec)>::write(stringify!($field), $field, sink); )* )?
                } )*
            }
        }

        fn read_kind<S: Source>(source: &mut S) -> Result<EventKind, S::Error> {
            match KIND_NAMES[source.kind("type", KIND_NAMES)?] {
                $( $name => Ok(EventKind::$variant $( ($record {
                    $( $field: <marked!($mark $codec)>::read(stringify!($field), source)? ),*
                }) )?), )*
                other => unreachable!("the table has no kind {other:?}"),
            }
        }
    };
}

event_kinds! {
    WorkflowStarted(WorkflowStarted {
        execution_id: plain Text,
        workflow_id: plain Text,
        workflow_version: plain Text,
        workflow_digest: plain Sha,
        guest_digest: plain Sha,
        initial_input: erasable Json,
        limits: plain Record<Limits>,
        seed: plain Number,
        tenant: plain Text,
        simulated: plain Flag,
        key: erasable Maybe<Text>,
        forked_from: plain Maybe<Record<ForkOrigin>>,
    }) = "workflow_started",
    WorkflowCompleted(WorkflowCompleted { final_state: erasable Json }) = "workflow_completed",
    WorkflowFailed(WorkflowFailed { error: erasable Text }) = "workflow_failed",
    WorkflowCancelled(WorkflowCancelled { reason: erasable Maybe<Text> }) = "workflow_cancelled",
    WorkflowTimedOut = "workflow_timed_out",
    NodeScheduled(NodeScheduled {
        node_id: plain Text,
        queue_type: plain Text,
        attempt: plain Count,
        item_digest: erasable Sha,
    }) = "node_scheduled",
    NodeStarted(NodeStarted {
        node_id: plain Text,
        worker_id: erasable Text,
        attempt: plain Count,
        fence: plain Number,
    }) = "node_started",
    NodeCompleted(NodeCompleted {
        node_id: plain Text,
        attempt: plain Count,
        fence: plain Number,
        output: erasable Json,
        state_patch: erasable Json,
        duration_ms: plain Number,
        chosen_target: plain Maybe<Text>,
        telemetry: erasable Flattened<Telemetry>,
    }) = "node_completed",
    NodeFailed(NodeFailed {
        node_id: plain Text,
        attempt: plain Count,
        fence: plain Number,
        error: erasable Text,
        // A code by its meaning; but workers may put any text there.
        class: erasable Maybe<Text>,
        retryable: plain Flag,
    }) = "node_failed",
    NodeTimedOut(NodeTimedOut { node_id: plain Text, attempt: plain Count }) = "node_timed_out",
    NodeExhausted(NodeExhausted { node_id: plain Text, attempts: plain Count, error: erasable Text }) = "node_exhausted",
    NodeSkipped(NodeSkipped { node_id: plain Text, reason: plain Choice<SkipReason> }) = "node_skipped",
    NodeCancelled(NodeCancelled { node_id: plain Text, reason: plain Choice<CancelReason> }) = "node_cancelled",
    RetryScheduled(RetryScheduled {
        node_id: plain Text,
        attempt: plain Count,
        delay_ms: plain Number,
        item_digest: erasable Sha,
    }) = "retry_scheduled",
    InterruptRaised(InterruptRaised {
        node_id: plain Text,
        reason: erasable Text,
        state_for_review: erasable Json,
        expires_at: plain Maybe<Time>,
    }) = "interrupt_raised",
    ApprovalReceived(ApprovalReceived {
        node_id: plain Text,
        user_id: erasable Text,
        decision: plain Choice<ApprovalDecision>,
        comment: erasable Maybe<Text>,
        state_patch: erasable Maybe<Json>,
    }) = "approval_received",
    TimerCreated(TimerCreated {
        node_id: plain Text,
        fire_at: plain Maybe<Time>,
        correlation_key: erasable Maybe<Text>,
    }) = "timer_created",
    TimerFired(TimerFired { node_id: plain Text, correlation_key: erasable Maybe<Text> }) = "timer_fired",
    ExternalEventReceived(ExternalEventReceived {
        correlation_key: erasable Text,
        payload: erasable Json,
    }) = "external_event_received",
    CancelRequested(CancelRequested { reason: erasable Maybe<Text> }) = "cancel_requested",
    ExecutionPaused(OperatorNote { reason: erasable Maybe<Text> }) = "execution_paused",
    ExecutionUnpaused(OperatorNote { reason: erasable Maybe<Text> }) = "execution_unpaused",
    RetryRequested(NodeRequest { node_id: plain Text, reason: erasable Maybe<Text> }) = "retry_requested",
    SkipRequested(NodeRequest { node_id: plain Text, reason: erasable Maybe<Text> }) = "skip_requested",
    Stalled(Stalled { reason: erasable Text, node_id: plain Maybe<Text> }) = "stalled",
    StallLifted(OperatorNote { reason: erasable Maybe<Text> }) = "stall_lifted",
    GuestChanged(GuestChanged { guest_digest: plain Sha }) = "guest_changed",
}

/// Why a kind of event is not known.
pub(super) enum Unknown {
    /// It is spelled as kinds are: a newer program has it.
    Newer,
    /// It is no kind of event.
    None,
}

/// Where this kind stands among those that are known.
pub(super) fn position(kind: &str, known: &[&str]) -> Result<usize, Unknown> {
    const LETTERS_MAX: usize = 64;
    let is_spelled_so = (1..=LETTERS_MAX).contains(&kind.len())
        && kind.bytes().all(|it| it == b'_' || it.is_ascii_lowercase());
    match known.iter().position(|it| *it == kind) {
        Some(position) => Ok(position),
        None if is_spelled_so => Err(Unknown::Newer),
        None => Err(Unknown::None),
    }
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

#[cfg(test)]
mod tests {
    use super::{KIND_NAMES, MARKS};

    /// What the text of law 4 lists, field by field: an edit of the table that
    /// makes something personal plain is noticed here.
    #[test]
    fn law4_the_erasable_fields_are_those_that_may_be_personal() {
        let erasable = [
            "class",
            "comment",
            "correlation_key",
            "error",
            "final_state",
            "initial_input",
            "item_digest",
            "key",
            "output",
            "payload",
            "reason",
            "state_for_review",
            "state_patch",
            "telemetry",
            "user_id",
            "worker_id",
        ];
        // A code of the guest's, where other kinds have a person's words.
        let codes = ["node_skipped", "node_cancelled"];
        for (kind, fields) in KIND_NAMES.iter().zip(MARKS) {
            for (field, mark) in *fields {
                let personal =
                    erasable.contains(field) && !(*field == "reason" && codes.contains(kind));
                assert_eq!(*mark == "erasable", personal, "`{field}` of {kind}");
            }
        }
    }
}
