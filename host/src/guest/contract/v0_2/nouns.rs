//! The types of version 0.2, generated from `wit/`, and what each of its nouns is in the
//! model.

use bumpalo::Bump;

use super::super::convert::{
    FromGuest, Lend, Listed, ToGuest, all_from_guest, choices, records, variants,
};
use super::super::malformed::Malformed;
use crate::guest::Newer;
use crate::model;

mod generated {
    wasmtime::component::bindgen!({ world: "scheduler", path: "../wit" });
}

/// The types once more, in the form in which they hold borrowed texts. That of a fact
/// is needed; the macro goes wrong over types that no function takes.
mod borrowed {
    wasmtime::component::bindgen!({
        inline: "
            package refrain:lending;
            world lending {
                use refrain:scheduler/types@0.2.0.{fact, event, work-order, outcome, workflow-summary, scheduler-error, explanation, inspection, snapshot, description};
                export lend: func(facts: list<fact>);
                export others: func(a: event, b: work-order, c: outcome, d: workflow-summary, e: scheduler-error);
                export more: func(a: explanation, b: inspection, c: snapshot, d: description);
            }
        ",
        path: "../wit",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

pub(super) use borrowed::refrain::scheduler::types as lent;
pub(super) use generated::exports::refrain::scheduler::decisions;
pub(super) use generated::refrain::scheduler::types as wit;
pub(super) use generated::{Scheduler, SchedulerPre};

records! { model, wit, lent:
    WorkflowStarted<'a> {
        format, execution_id, workflow_id, workflow_version, workflow_digest, guest_digest,
        initial_input, limits, seed, tenant, simulated, key, forked_from, parent, labels, priority,
        by,
    }
    ParentOrigin<'a> { execution_id, node_id, attempt, iteration, sequence, root, depth }
    Label<'a> { name, value }
    Limits { max_concurrent_nodes, max_dispatch_per_tick }
    ForkOrigin<'a> { execution_id, sequence, head }
    WorkflowCompleted<'a> { final_state }
    WorkflowFailed<'a> { cause, final_state }
    WorkflowCancelled<'a> { reason, final_state }
    NodeScheduled<'a> { node_id, queue, attempt, item_digest }
    NodeStarted<'a> { node_id, worker_id, attempt }
    NodeCompleted<'a> {
        node_id, attempt, fence, output, state_patch, duration_ms, chosen_target, gen_ai,
        telemetry, edited_by,
    }
    GenAi<'a> { system, model, input_tokens, output_tokens, finish_reason }
    NodeSettled<'a> { node_id, output, state_patch, chosen_target }
    NodeFailed<'a> { node_id, attempt, fence, error, error_class, retryable, retry_after_ms }
    LeaseExpired<'a> { node_id, attempt, fence }
    NodeReleased<'a> { node_id, attempt, fence, by }
    NodeTimedOut<'a> { node_id, attempt, timeout_ms }
    NodeExhausted<'a> { node_id, attempts, cause }
    NodeSkipped<'a> { node_id, reason }
    NodeCancelled<'a> { node_id, reason }
    RetryScheduled<'a> { node_id, attempt, delay_ms, item_digest }
    InterruptRaised<'a> { node_id, reason, expires_at }
    ApprovalReceived<'a> { node_id, user_id, decision, comment, state_patch, by }
    TimerCreated<'a> { node_id, fire_at, correlation_key }
    TimerFired<'a> { node_id, correlation_key }
    ExternalEventReceived<'a> { correlation_key, payload, event_id, by }
    MapExpanded<'a> { node_id, count }
    ChildRequested<'a> { node_id, attempt, iteration, workflow }
    WorkflowName<'a> { workflow_id, version }
    ChildStarted<'a> { node_id, attempt, iteration, child_id, workflow_digest }
    ChildRefused<'a> { node_id, attempt, iteration, code }
    ChildEnded<'a> {
        node_id, attempt, iteration, child_id, status, sequence, head, output, error,
    }
    CancelRequested<'a> { reason, by }
    OperatorNote<'a> { reason, by }
    NodeRequest<'a> { node_id, reason, by }
    Stalled<'a> { reason }
    HostStalled<'a> { reason }
    GuestChanged<'a> { guest_digest, by }
    ExecutionForked<'a> { by }
    BudgetExcess<'a> { budget, allowed, spent }
    Rejection<'a> { user_id, comment }
    MissedEvent<'a> { correlation_key, timeout_ms }
    FailedInstances<'a> { count, nodes }
}

records! { model, wit:
    Event { sequence, at, origin, kind }
    ChildOrder { name, workflow, input }
    ChildName { node_id, attempt, iteration }
    Snapshot { guest_digest, sequence, head, state }
    ItemName { node_id, attempt }
    Refusal { index, code, message }
    Fault { pointer, message, remedy }
    WorkflowSummary { workflow_id, version, nodes, edges, queues, ignored, unreachable }
    IllegalEvent { sequence, code, reason }
    Reason { cause, remedies }
    Predecessor { node_id, state }
    FailedPredecessor { node_id, cause }
    OtherTarget { node_id, chosen_target }
    FalseCondition { node_id, condition, seen }
    SeenValue { path, value }
    Activity { under_way, ready }
    OrderedAttempt { attempt, queue, since }
    RunningAttempt { attempt, worker_id, since }
    AttemptFailure { attempt, max_attempts, cause, error_class }
    Usage { used, allowed }
    Completion { at, worker_id, attempt, chosen_target }
    Inspection { state, hash }
    Description { name, version }
}

choices! { model, wit, lent:
    SkipReason { Unreached, ByOperator, RunOn, NotNeeded }
    ChildRefusal { UnknownWorkflow, TooDeep, TooMany }
    CancelReason {
        CancelRequested, WorkflowTimedOut, ByOperator, JoinSatisfied, MapSettled, Terminated,
        BudgetExceeded,
    }
    ApprovalDecision { Approved, Rejected }
    Status { Running, Paused, Stalled, Completed, Failed, Cancelled }
    Budget { Tokens, CostUsd }
}

choices! { model, wit:
    Origin { Fact, Decision }
    RefusalCode {
        OutOfOrder, WrongAuthor, WrongStart, Ended, Ending, LogFull, Held, NotHeld, Repeated,
        UnknownNode, WrongState, Stale, TooEarly, NoRoom, Malformed, TooLarge, UnknownTarget,
        Unfounded, Unsupported,
    }
    StallAuthor { Policy, Host }
    NodeState {
        Pending, Ready, Scheduled, Running, Failing, BackingOff, Waiting, Completed, Failed,
        Skipped, Cancelled,
    }
    NextStep { Dispatch, Settle, Skip, JudgeFailure, SkipByOperator }
}

variants! { model, wit, lent:
    EventKind {
        WorkflowStarted, WorkflowCompleted, WorkflowFailed, WorkflowCancelled, NodeScheduled,
        NodeStarted, NodeCompleted, NodeSettled, NodeFailed, LeaseExpired, NodeReleased,
        NodeTimedOut, NodeExhausted, NodeSkipped, NodeCancelled, RetryScheduled, InterruptRaised, ApprovalReceived, TimerCreated, TimerFired,
        ExternalEventReceived, MapExpanded, ChildRequested, ChildStarted, ChildRefused, ChildEnded,
        CancelRequested, ExecutionPaused, ExecutionUnpaused, RetryRequested, SkipRequested,
        Stalled, HostStalled, StallLifted, GuestChanged, ExecutionForked; WorkflowTimedOut
    }
    WorkflowFailure { NodesFailed, Timeout, Terminated, BudgetExceeded; }
    NodeFailure { AttemptFailed, Timeout, Rejected, ApprovalTimeout, EventTimeout, LimitExceeded, InstancesFailed, TooManyItems, TooLarge, UnresolvedExpression, ChildFailed, ChildRefused, RepeatLimit; LeaseExpired, NotAList, ChildCancelled }
    StallReason { AttemptsExhausted, BudgetExceeded; }
}

variants! { model, wit:
    StorageError { Conflict, Refused, Failed; }
    ReasonCause { UnmetPredecessor, FailedPredecessor, MorePredecessors, SkippedPredecessor, OtherTarget, NoTarget, FalseCondition, DeadEdge, MoreDeadEdges, NotAtTheEnd, EarlierFinalizers, WaitsForWorker, WorkerAtWork, NotBefore, TimesOut, LastFailure, NoRoom, WaitsForApproval, WaitsForEvent, WaitEnds, NextStep, WasCompleted, FailedForGood, WasStopped, StalledByPolicy, StalledByHost, HasEnded; NoEdge, OtherEnding, SkippedOnceLifted, SkippedByOperator, NotNeeded, Paused, BeingCancelled, OutOfTime }
    Seen { Value, TooLong; Missing }
    Remedy { Approve, Signal, Retry, Skip, StartWorker; Lift, Unpause, Cancel }
    WorkOrder { Enqueue, Cancel, StartChild, CancelChild; }
}

impl Listed for wit::Label {}

impl Listed for wit::SeenValue {}

impl Listed for wit::Remedy {}

/// Without the execution, which a guest does not name: the call that it was made in does.
impl FromGuest<model::WorkItem> for wit::WorkItem {
    fn into_model(self) -> Result<model::WorkItem, Malformed> {
        Ok(model::WorkItem {
            execution_id: String::new(),
            node_id: self.node_id,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            queue: self.queue,
            tenant: self.tenant,
            priority: self.priority,
            not_before: self.not_before,
            payload: self.payload,
        })
    }
}

impl ToGuest<wit::WorkItem> for model::WorkItem {
    fn to_guest(self) -> Result<wit::WorkItem, Newer> {
        Ok(wit::WorkItem {
            node_id: self.node_id,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            queue: self.queue,
            tenant: self.tenant,
            priority: self.priority,
            not_before: self.not_before,
            payload: self.payload,
        })
    }
}

impl FromGuest<model::Digest> for wit::ItemDigest {
    fn into_model(self) -> Result<model::Digest, Malformed> {
        let Self { a, b, c, d } = self;
        Ok(model::Digest::from_numbers([a, b, c, d]))
    }
}

impl ToGuest<wit::ItemDigest> for model::Digest {
    fn to_guest(self) -> Result<wit::ItemDigest, Newer> {
        let [a, b, c, d] = self.numbers();
        Ok(wit::ItemDigest { a, b, c, d })
    }
}

impl<'a> Lend<'a, lent::ItemDigest> for model::Digest {
    fn lend(&'a self, _: &'a Bump) -> Result<lent::ItemDigest, Newer> {
        let [a, b, c, d] = self.numbers();
        Ok(lent::ItemDigest { a, b, c, d })
    }
}

impl FromGuest<model::SchedulerError> for wit::SchedulerError {
    fn into_model(self) -> Result<model::SchedulerError, Malformed> {
        use model::SchedulerError as Ours;
        Ok(match self {
            Self::Illegal(event) => Ours::Illegal(event.into_model()?),
            Self::InvalidWorkflow(faults) => Ours::InvalidWorkflow(all_from_guest(faults)?),
            Self::Storage(error) => Ours::Storage(error.into_model()?),
            Self::Queue(reason) => Ours::Queue(reason),
            Self::BadSnapshot(reason) => Ours::BadSnapshot(reason),
            Self::UnknownNode(node) => Ours::UnknownNode(node),
        })
    }
}

impl FromGuest<model::Explanation> for wit::Explanation {
    fn into_model(self) -> Result<model::Explanation, Malformed> {
        Ok(model::Explanation {
            node_id: self.node_id,
            state: self.state.into_model()?,
            reasons: all_from_guest(self.reasons)?,
        })
    }
}

impl FromGuest<model::Outcome> for wit::Outcome {
    fn into_model(self) -> Result<model::Outcome, Malformed> {
        Ok(model::Outcome {
            status: self.status.into_model()?,
            last_sequence: self.last_sequence,
            next_wake: self.next_wake,
            more: self.more,
            refused: all_from_guest(self.refused)?,
            stalled_by: self.stalled_by.into_model()?,
        })
    }
}
