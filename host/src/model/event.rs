//! Events: the entries of a log.

use serde::{Deserialize, Serialize};

use super::{
    ApprovalReceived, CancelRequested, ChildEnded, ChildRefused, ChildRequested, ChildStarted,
    ExecutionForked, ExternalEventReceived, GuestChanged, HostStalled, InterruptRaised,
    LeaseExpired, MapExpanded, NodeCancelled, NodeCompleted, NodeExhausted, NodeFailed,
    NodeReleased, NodeRequest, NodeScheduled, NodeSettled, NodeSkipped, NodeStarted, NodeTimedOut,
    OperatorNote, RetryScheduled, Stalled, TimerCreated, TimerFired, Timestamp, WorkflowCancelled,
    WorkflowCompleted, WorkflowFailed, WorkflowStarted,
};

/// One numbered, immutable entry of an execution's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// The position in the log: 1, 2, 3 and so on, without gaps.
    pub sequence: u64,
    /// The clock reading of the turn that wrote the event; never less than
    /// that of the event before it.
    pub at: Timestamp,
    /// Who authored it.
    pub origin: Origin,
    /// What happened.
    pub kind: EventKind,
}

/// Who authored an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// The world: a worker, an operator, a caller; appended by the host.
    Fact,
    /// The guest, which concluded it from the events before it and the clock.
    Decision,
}

/// What happened. Names are in the past tense.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EventKind {
    /// Fact, always event 1: binds all that a replay needs from outside.
    WorkflowStarted(Box<WorkflowStarted>),
    /// Decision, terminal: no node failed.
    WorkflowCompleted(WorkflowCompleted),
    /// Decision, terminal: a node failed for good, or time ran out.
    WorkflowFailed(WorkflowFailed),
    /// Decision, terminal: a cancel request was carried out.
    WorkflowCancelled(WorkflowCancelled),
    /// Decision: the workflow's own timeout passed; what is in flight is
    /// cancelled and the execution will end as failed.
    WorkflowTimedOut,
    /// Decision: a node was dispatched; its work item is ordered.
    NodeScheduled(NodeScheduled),
    /// Fact: a worker claimed the node's work item.
    NodeStarted(NodeStarted),
    /// Fact: a worker completed the node.
    NodeCompleted(NodeCompleted),
    /// Decision: the guest settled the node itself, without a worker.
    NodeSettled(NodeSettled),
    /// Fact: a worker's attempt failed.
    NodeFailed(NodeFailed),
    /// Fact: the lease of an attempt's worker expired; the worker is presumed
    /// dead.
    LeaseExpired(LeaseExpired),
    /// Fact: a worker gave its work item back.
    NodeReleased(NodeReleased),
    /// Decision: an attempt ran longer than the node's timeout. Its work item
    /// is cancelled; what follows is a retry or exhaustion.
    NodeTimedOut(NodeTimedOut),
    /// Decision: the node failed for good. If it had a work item, that is a
    /// dead letter now.
    NodeExhausted(NodeExhausted),
    /// Decision: the node will not run.
    NodeSkipped(NodeSkipped),
    /// Decision: an in-flight or waiting node was stopped.
    NodeCancelled(NodeCancelled),
    /// Decision: a further attempt is ordered, not before a delay.
    RetryScheduled(RetryScheduled),
    /// Decision: the node waits for a person.
    InterruptRaised(InterruptRaised),
    /// Fact: a person decided.
    ApprovalReceived(ApprovalReceived),
    /// Decision: the node waits until a time, or for an external event, or for
    /// whichever comes first.
    TimerCreated(TimerCreated),
    /// Decision: the time of a wait has come.
    TimerFired(TimerFired),
    /// Fact: an external event arrived, perhaps before anyone waits for it.
    ExternalEventReceived(ExternalEventReceived),
    /// Decision: the elements of a map are fixed.
    MapExpanded(MapExpanded),
    /// Decision: a node asks for a child execution.
    ChildRequested(ChildRequested),
    /// Fact: the child was started.
    ChildStarted(ChildStarted),
    /// Fact: the child cannot be started, and never will be.
    ChildRefused(ChildRefused),
    /// Fact: the child has ended.
    ChildEnded(ChildEnded),
    /// Fact: someone asked for the execution to be cancelled.
    CancelRequested(CancelRequested),
    /// Fact: the execution was paused by an operator.
    ExecutionPaused(OperatorNote),
    /// Fact: the pause was lifted by an operator.
    ExecutionUnpaused(OperatorNote),
    /// Fact: an operator asked for a failed or stalled node to be retried.
    RetryRequested(NodeRequest),
    /// Fact: an operator asked for a node to be skipped (or, if it is in
    /// flight, cancelled); it then counts as completed.
    SkipRequested(NodeRequest),
    /// Decision: a policy asked for the execution to stand still until an
    /// operator acts.
    Stalled(Stalled),
    /// Fact: the host saw the guest fail, and holds the execution until an
    /// operator lifts that.
    HostStalled(HostStalled),
    /// Fact: an operator lifted the host's stall.
    StallLifted(OperatorNote),
    /// Fact: from here on the execution belongs to another guest.
    GuestChanged(GuestChanged),
    /// Fact: the execution was forked, and what follows is its own.
    ExecutionForked(ExecutionForked),
}

impl EventKind {
    /// Whether an event of this kind ends its execution: nothing follows on it (law 6).
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::WorkflowCompleted(_) | Self::WorkflowFailed(_) | Self::WorkflowCancelled(_)
        )
    }
}

const _: () = assert!(
    size_of::<EventKind>() <= 176,
    "events are moved again and again on their way into a log: what is large and rare is boxed"
);
