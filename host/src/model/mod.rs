//! The nouns of the scheduler, in the host's own types: events, work items,
//! outcomes, explanations.
//!
//! A guest has types of its own, one set for each version of the contract in
//! `wit/`, and wasmtime links by exact types. So nothing but the adapters in
//! `guest/contract` names those; everything else, users of this crate included,
//! works with these. A noun that joins a later version joins here, and an older
//! version's adapter says that its guests cannot know it.
//!
//! Records that can grow cannot be written as literals outside of this crate:
//! they have a `new` for what they cannot be without, or a default, and public
//! fields for the rest.
//!
//! Payloads that belong to users (inputs, outputs, patches) are JSON text, kept
//! verbatim.

mod timestamp;
mod digest;
mod workflow;
mod started;
mod refusal;
mod outcome;
mod instance;
mod child;
mod failure;
mod ended;
mod node;
mod wait;
mod operator;
mod event;
mod work_item;
mod explanation;
mod snapshot;

pub use child::{
    ChildEnded, ChildName, ChildOrder, ChildRefusal, ChildRefused, ChildRequested, ChildStarted,
    MapExpanded, WorkflowName,
};
pub use digest::{Digest, NoDigest, hex, parse_hex};
pub use ended::{WorkflowCancelled, WorkflowCompleted, WorkflowFailed};
pub use event::{Event, EventKind, Origin};
pub use explanation::{
    Activity, AttemptFailure, Completion, Explanation, FailedPredecessor, FalseCondition,
    Inspection, NextStep, NodeState, OrderedAttempt, OtherTarget, Predecessor, Reason, ReasonCause,
    Remedy, RunningAttempt, Seen, SeenValue, Usage,
};
pub use failure::{
    Budget, BudgetExcess, FailedInstances, MissedEvent, NodeExhausted, NodeFailure, Rejection,
    StallReason, WorkflowFailure,
};
pub use instance::{instance_of, is_node, node_of_run, undone_by};
pub use node::{
    CancelReason, GenAi, LeaseExpired, NodeCancelled, NodeCompleted, NodeFailed, NodeReleased,
    NodeScheduled, NodeSettled, NodeSkipped, NodeStarted, NodeTimedOut, RetryScheduled, SkipReason,
};
pub use operator::{
    CancelRequested, ExecutionForked, GuestChanged, HostStalled, NodeRequest, OperatorNote, Stalled,
};
pub use outcome::{Outcome, StallAuthor, Status};
pub use refusal::{IllegalEvent, Refusal, RefusalCode, SchedulerError, StorageError};
pub use snapshot::Snapshot;
pub use started::{FORMAT_VERSION, ForkOrigin, Label, Limits, ParentOrigin, WorkflowStarted};
pub use timestamp::Timestamp;
pub use wait::{
    ApprovalDecision, ApprovalReceived, ExternalEventReceived, InterruptRaised, TimerCreated,
    TimerFired,
};
pub use work_item::{ItemName, WorkItem, WorkOrder};
pub use workflow::{Description, Fault, WorkflowSummary};
