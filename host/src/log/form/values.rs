//! What stands in the fields of events: records, and codes with their data. Their names
//! and order are for ever, as those of the events are.

use super::described::{FieldForm, KindForm, PartForm};
use super::marks::{marked, name};
use crate::log::field::{
    Choice, Codec, Coded, Count, Erasable, Fields, Json, Maybe, Named, Number, Sha, Sink, Source,
    Text, Texts, Variant,
};
use crate::model::{
    ApprovalDecision, Budget, BudgetExcess, CancelReason, ChildRefusal, FailedInstances,
    ForkOrigin, GenAi, Label, Limits, MissedEvent, NodeExhausted, NodeFailure, Origin,
    ParentOrigin, Rejection, SkipReason, StallReason, Status, WorkflowFailure, WorkflowName,
};

macro_rules! records {
    ($( $record:ident { $( $field:ident $( [$json:literal] )?: $codec:ty, )* } )*) => {
        /// The records that stand in fields.
        pub const RECORDS: &[PartForm] = &[$( PartForm::new(stringify!($record), &[
            KindForm::new(stringify!($record), &[$(
                FieldForm::new(name!($field $($json)?), "", stringify!($codec)),
            )*]),
        ]) ),*];

        $( impl Fields for $record {
            fn write(&self, sink: &mut impl Sink) {
                let $record { $( $field ),* } = self;
                $( <$codec>::write(name!($field $($json)?), $field, sink); )*
            }
            fn read<S: Source>(source: &mut S) -> Result<Self, S::Error> {
                Ok($record { $( $field: <$codec>::read(name!($field $($json)?), source)? ),* })
            }
        } )*
    };
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
    ParentOrigin {
        execution_id: Text,
        node_id: Text,
        attempt: Count,
        iteration: Count,
        sequence: Number,
        root: Text,
        depth: Count,
    }
    Label {
        name: Text,
        value: Text,
    }
    GenAi {
        system["gen_ai_system"]: Maybe<Text>,
        model["gen_ai_model"]: Maybe<Text>,
        input_tokens: Maybe<Number>,
        output_tokens: Maybe<Number>,
        finish_reason: Maybe<Text>,
    }
    WorkflowName {
        workflow_id: Text,
        version: Text,
    }
}

/// Codes with their data. The code's name stands in the field that holds the
/// value; the data stand next to it, as fields of the event, each with its mark.
macro_rules! variants {
    ($( $choice:ident { $(
        $case:ident
            $( ( $value:ident: $mark:ident $codec:ty ) )?
            $( : $record:ident { $( $field:ident: $field_mark:ident $field_codec:ty ),* $(,)? } )?
            = $name:literal,
    )* } )*) => {
        /// The codes that stand in fields, with their data.
        pub const CODES: &[PartForm] = &[$( PartForm::new(stringify!($choice), &[$(
            KindForm::new($name, &[
                $( FieldForm::new(stringify!($value), stringify!($mark), stringify!($codec)), )?
                $( $( FieldForm::new(
                    stringify!($field),
                    stringify!($field_mark),
                    stringify!($field_codec),
                ), )* )?
            ]),
        )*]) ),*];

        $( impl Coded for $choice {
            const NAMES: &'static [&'static str] = &[$( $name ),*];

            fn write(&self, name: &'static str, sink: &mut impl Sink) {
                match self { $(
                    $choice::$case $( ($value) )? $( ($record { $( $field ),* }) )? => {
                        sink.choice(name, $name);
                        $( <marked!($mark $codec)>::write(stringify!($value), $value, sink); )?
                        $( $( <marked!($field_mark $field_codec)>::write(stringify!($field), $field, sink); )* )?
                    }
                )* }
            }

            fn read<S: Source>(name: &str, source: &mut S) -> Result<Self, S::Error> {
                match name {
                    $( $name => Ok($choice::$case
                        $( (<marked!($mark $codec)>::read(stringify!($value), source)?) )?
                        $( ($record { $( $field: <marked!($field_mark $field_codec)>::read(stringify!($field), source)? ),* }) )?
                    ), )*
                    other => unreachable!("the table has no code {other:?}"),
                }
            }
        } )*
    };
}

variants! {
    WorkflowFailure {
        NodesFailed(nodes: plain Texts) = "nodes_failed",
        Timeout(timeout_ms: plain Number) = "timeout",
        Terminated(reason: erasable Maybe<Text>) = "terminated",
        BudgetExceeded: BudgetExcess {
            budget: plain Choice<Budget>,
            allowed: plain Json,
            spent: plain Json,
        } = "budget_exceeded",
    }
    NodeFailure {
        AttemptFailed(error: erasable Text) = "attempt_failed",
        Timeout(timeout_ms: plain Number) = "timeout",
        LeaseExpired = "lease_expired",
        Rejected: Rejection {
            user_id: erasable Text,
            comment: erasable Maybe<Text>,
        } = "rejected",
        ApprovalTimeout(timeout_ms: plain Number) = "approval_timeout",
        EventTimeout: MissedEvent {
            correlation_key: erasable Text,
            timeout_ms: plain Number,
        } = "event_timeout",
        LimitExceeded(description: erasable Maybe<Text>) = "limit_exceeded",
        InstancesFailed: FailedInstances {
            count: plain Count,
            nodes: plain Texts,
        } = "instances_failed",
        NotAList = "not_a_list",
        TooManyItems(count: plain Count) = "too_many_items",
        TooLarge(pointer: erasable Text) = "too_large",
        UnresolvedExpression(pointer: erasable Text) = "unresolved_expression",
        ChildFailed(error: erasable Maybe<Text>) = "child_failed",
        ChildCancelled = "child_cancelled",
        ChildRefused(code: plain Choice<ChildRefusal>) = "child_refused",
        RepeatLimit(count: plain Count) = "repeat_limit",
    }
    StallReason {
        AttemptsExhausted: NodeExhausted {
            node_id: plain Text,
            attempts: plain Count,
            cause: plain Variant<NodeFailure>,
        } = "attempts_exhausted",
        BudgetExceeded: BudgetExcess {
            budget: plain Choice<Budget>,
            allowed: plain Json,
            spent: plain Json,
        } = "budget_exceeded",
    }
}

macro_rules! choices {
    ($( $choice:ident { $( $value:ident = $name:literal, )* } )*) => {
        /// The names that stand in fields, one of each of these.
        pub const CHOICES: &[PartForm] = &[$( PartForm::new(stringify!($choice), &[
            $( KindForm::new($name, &[]), )*
        ]) ),*];

        $( impl Named for $choice {
            const VALUES: &'static [Self] = &[$( $choice::$value ),*];
            const NAMES: &'static [&'static str] = &[$( $name ),*];
            fn name(self) -> &'static str {
                match self { $( $choice::$value => $name, )* }
            }
        } )*
    };
}

choices! {
    Origin { Fact = "fact", Decision = "decision", }
    SkipReason {
        Unreached = "unreached",
        ByOperator = "by_operator",
        RunOn = "run_on",
        NotNeeded = "not_needed",
    }
    CancelReason {
        CancelRequested = "cancel_requested",
        WorkflowTimedOut = "workflow_timed_out",
        ByOperator = "by_operator",
        JoinSatisfied = "join_satisfied",
        MapSettled = "map_settled",
        Terminated = "terminated",
        BudgetExceeded = "budget_exceeded",
    }
    ApprovalDecision { Approved = "approved", Rejected = "rejected", }
    Budget { Tokens = "tokens", CostUsd = "cost_usd", }
    ChildRefusal {
        UnknownWorkflow = "unknown_workflow",
        TooDeep = "too_deep",
        TooMany = "too_many",
    }
    Status {
        Running = "running",
        Paused = "paused",
        Stalled = "stalled",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}
