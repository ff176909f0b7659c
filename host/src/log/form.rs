//! The one table of event kinds and their fields.
//!
//! Both written forms of an event come from it: a form says how to write and
//! read a text, a number, a time (`field.rs`), and the table says which of them
//! an event has, under which names and in which order. Names and
//! order are for ever: they are hashed. A field that comes later is optional,
//! stands last among those of its mark, and is `Late`: it leaves no byte where
//! it is missing. A name in brackets is the one that the JSON form has for a
//! field, where JamJet's logs have another.
//!
//! Each field is marked. *Plain* are those that are never personal: places in
//! the log, times, ids of nodes, numbers, codes, and digests of what is not
//! personal. *Erasable* are all that a person, a program or a workflow's state
//! may have put there. Both are hashed, but the erasable ones with a salt, so
//! that they can be erased for good and the chain still verifies (law 4). A
//! field inside a record has the mark of the record's field.
//!
//! A kind or field that joins the model and is missing here does not compile.

mod described;
mod marks;
mod values;

use std::borrow::Borrow;

pub use described::{FieldForm, KindForm, PartForm};
use marks::{marked, name};
pub use values::{CHOICES, CODES, RECORDS};

use crate::log::field::{
    Choice, Codec, Count, Erasable, Flag, Flattened, Json, Late, List, Maybe, Number, Record, Sha,
    Sink, Source, Text, Time, Variant,
};
use crate::model::{
    ApprovalDecision, ApprovalReceived, CancelReason, CancelRequested, ChildEnded, ChildRefusal,
    ChildRefused, ChildRequested, ChildStarted, Event, EventKind, ExecutionForked,
    ExternalEventReceived, ForkOrigin, GenAi, GuestChanged, HostStalled, InterruptRaised, Label,
    LeaseExpired, Limits, MapExpanded, NodeCancelled, NodeCompleted, NodeExhausted, NodeFailed,
    NodeFailure, NodeReleased, NodeRequest, NodeScheduled, NodeSettled, NodeSkipped, NodeStarted,
    NodeTimedOut, OperatorNote, ParentOrigin, RetryScheduled, SkipReason, StallReason, Stalled,
    Status, TimerCreated, TimerFired, WorkflowCancelled, WorkflowCompleted, WorkflowFailed,
    WorkflowFailure, WorkflowName, WorkflowStarted,
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

/// The name of what a pattern binds; the macro repeats it once for each record.
macro_rules! bound {
    ($name:ident $record:ident) => {
        $name
    };
}

macro_rules! event_kinds {
    ($( $variant:ident $( ( $record:ident { $( $field:ident $( [$json:literal] )?: $mark:ident $codec:ty ),* $(,)? } ) )? = $name:literal, )*) => {
        /// The names of all event kinds, in the model's order.
        pub const KIND_NAMES: &[&str] = &[$( $name ),*];

        /// All event kinds with their fields, in the model's order.
        pub const KINDS: &[KindForm] = &[$( KindForm::new($name, &[$( $(
            FieldForm::new(name!($field $($json)?), stringify!($mark), stringify!($codec)),
        )* )?]) ),*];

        /// The name of an event's kind, one of [`KIND_NAMES`].
        #[must_use]
        pub fn kind_name(kind: &EventKind) -> &'static str {
            match kind {
                $( EventKind::$variant { .. } => $name, )*
            }
        }

        /// Write what happened: the kind's name, then its fields.
        pub(super) fn write_kind(kind: &EventKind, sink: &mut impl Sink) {
            sink.choice("type", kind_name(kind));
            match kind {
                $( EventKind::$variant $( (bound!(record $record)) )? => { $(
                    // Large records are boxed, and this is the same for them.
                    let $record { $( $field ),* } = Borrow::borrow(record);
                    $( <marked!($mark $codec)>::write(name!($field $($json)?), $field, sink); )*
                )? } )*
            }
        }

        fn read_kind<S: Source>(source: &mut S) -> Result<EventKind, S::Error> {
            match KIND_NAMES[source.kind("type", KIND_NAMES)?] {
                $( $name => Ok(EventKind::$variant $( ($record {
                    $( $field: <marked!($mark $codec)>::read(name!($field $($json)?), source)? ),*
                }.into()) )?), )*
                other => unreachable!("the table has no kind {other:?}"),
            }
        }
    };
}

event_kinds! {
    WorkflowStarted(WorkflowStarted {
        format: plain Count,
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
        parent: plain Maybe<Record<ParentOrigin>>,
        labels: erasable List<Label>,
        priority: plain Count,
        by: erasable Maybe<Text>,
    }) = "workflow_started",
    WorkflowCompleted(WorkflowCompleted { final_state: erasable Json }) = "workflow_completed",
    WorkflowFailed(WorkflowFailed {
        cause: plain Variant<WorkflowFailure>,
        final_state: erasable Json,
    }) = "workflow_failed",
    WorkflowCancelled(WorkflowCancelled {
        reason: erasable Maybe<Text>,
        final_state: erasable Json,
    }) = "workflow_cancelled",
    WorkflowTimedOut = "workflow_timed_out",
    NodeScheduled(NodeScheduled {
        node_id: plain Text,
        queue["queue_type"]: plain Text,
        attempt: plain Count,
        item_digest: erasable Sha,
    }) = "node_scheduled",
    NodeStarted(NodeStarted {
        node_id: plain Text,
        worker_id: erasable Text,
        attempt: plain Count,
    }) = "node_started",
    NodeCompleted(NodeCompleted {
        node_id: plain Text,
        attempt: plain Count,
        fence: plain Number,
        output: erasable Json,
        state_patch: erasable Json,
        duration_ms: plain Number,
        chosen_target: plain Maybe<Text>,
        gen_ai: erasable Flattened<GenAi>,
        telemetry: erasable Maybe<Json>,
        edited_by: erasable Late<Text>,
    }) = "node_completed",
    NodeSettled(NodeSettled {
        node_id: plain Text,
        output: erasable Json,
        state_patch: erasable Json,
        chosen_target: plain Maybe<Text>,
    }) = "node_settled",
    NodeFailed(NodeFailed {
        node_id: plain Text,
        attempt: plain Count,
        fence: plain Number,
        error: erasable Text,
        error_class: plain Maybe<Text>,
        retryable: plain Flag,
        retry_after_ms: plain Late<Number>,
    }) = "node_failed",
    LeaseExpired(LeaseExpired {
        node_id: plain Text,
        attempt: plain Count,
        fence: plain Number,
    }) = "lease_expired",
    NodeReleased(NodeReleased {
        node_id: plain Text,
        attempt: plain Count,
        fence: plain Number,
        by: erasable Maybe<Text>,
    }) = "node_released",
    NodeTimedOut(NodeTimedOut {
        node_id: plain Text,
        attempt: plain Count,
        timeout_ms: plain Number,
    }) = "node_timed_out",
    NodeExhausted(NodeExhausted {
        node_id: plain Text,
        attempts: plain Count,
        cause: plain Variant<NodeFailure>,
    }) = "node_exhausted",
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
        expires_at: plain Maybe<Time>,
    }) = "interrupt_raised",
    ApprovalReceived(ApprovalReceived {
        node_id: plain Text,
        user_id: erasable Text,
        decision: plain Choice<ApprovalDecision>,
        comment: erasable Maybe<Text>,
        state_patch: erasable Maybe<Json>,
        by: erasable Maybe<Text>,
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
        event_id: erasable Maybe<Text>,
        by: erasable Maybe<Text>,
    }) = "external_event_received",
    MapExpanded(MapExpanded { node_id: plain Text, count: plain Count }) = "map_expanded",
    ChildRequested(ChildRequested {
        node_id: plain Text,
        attempt: plain Count,
        iteration: plain Count,
        workflow: plain Maybe<Record<WorkflowName>>,
    }) = "child_requested",
    ChildStarted(ChildStarted {
        node_id: plain Text,
        attempt: plain Count,
        iteration: plain Count,
        child_id: plain Text,
        workflow_digest: plain Sha,
    }) = "child_started",
    ChildRefused(ChildRefused {
        node_id: plain Text,
        attempt: plain Count,
        iteration: plain Count,
        code: plain Choice<ChildRefusal>,
    }) = "child_refused",
    ChildEnded(ChildEnded {
        node_id: plain Text,
        attempt: plain Count,
        iteration: plain Count,
        child_id: plain Text,
        status: plain Choice<Status>,
        sequence["child_sequence"]: plain Number,
        head: plain Sha,
        output: erasable Maybe<Json>,
        error: erasable Maybe<Text>,
    }) = "child_ended",
    CancelRequested(CancelRequested {
        reason: erasable Maybe<Text>,
        by: erasable Maybe<Text>,
    }) = "cancel_requested",
    ExecutionPaused(OperatorNote {
        reason: erasable Maybe<Text>,
        by: erasable Maybe<Text>,
    }) = "execution_paused",
    ExecutionUnpaused(OperatorNote {
        reason: erasable Maybe<Text>,
        by: erasable Maybe<Text>,
    }) = "execution_unpaused",
    RetryRequested(NodeRequest {
        node_id: plain Text,
        reason: erasable Maybe<Text>,
        by: erasable Maybe<Text>,
    }) = "retry_requested",
    SkipRequested(NodeRequest {
        node_id: plain Text,
        reason: erasable Maybe<Text>,
        by: erasable Maybe<Text>,
    }) = "skip_requested",
    Stalled(Stalled { reason: plain Variant<StallReason> }) = "stalled",
    HostStalled(HostStalled { reason: erasable Text }) = "host_stalled",
    StallLifted(OperatorNote {
        reason: erasable Maybe<Text>,
        by: erasable Maybe<Text>,
    }) = "stall_lifted",
    GuestChanged(GuestChanged { guest_digest: plain Sha, by: erasable Maybe<Text> }) = "guest_changed",
    ExecutionForked(ExecutionForked { by: erasable Maybe<Text> }) = "execution_forked",
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

#[cfg(test)]
mod tests {
    use super::{CODES, KINDS};

    /// The fields that a person, a program or a workflow may have put something into.
    const ERASABLE: &[&str] = &[
        "by",
        "comment",
        "correlation_key",
        "edited_by",
        "error",
        "event_id",
        "final_state",
        "gen_ai",
        "initial_input",
        "item_digest",
        "key",
        "labels",
        "output",
        "payload",
        "reason",
        "state_patch",
        "telemetry",
        "user_id",
        "worker_id",
    ];

    /// What the text of law 4 lists, field by field: an edit of the table that
    /// makes something personal plain is noticed here.
    #[test]
    fn law4_the_erasable_fields_are_those_that_may_be_personal() {
        // A code of the guest's, where other kinds have a person's words.
        let codes = ["node_skipped", "node_cancelled", "stalled"];
        for kind in KINDS {
            for field in kind.fields {
                let is_code = field.name == "reason" && codes.contains(&kind.name);
                let personal = ERASABLE.contains(&field.name) && !is_code;
                assert_eq!(field.mark == "erasable", personal, "{field:?} of {kind:?}");
            }
        }
    }

    /// The same of the data of codes. A pointer names places of a workflow.
    #[test]
    fn law4_the_data_of_codes_are_marked_as_the_fields_of_events() {
        for code in CODES.iter().flat_map(|codes| codes.cases) {
            for field in code.fields {
                let personal = ERASABLE.contains(&field.name)
                    || ["description", "pointer"].contains(&field.name);
                assert_eq!(field.mark == "erasable", personal, "{field:?} of {code:?}");
            }
        }
    }
}
