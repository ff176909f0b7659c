//! The rule or the law that stands behind a decision, or behind what a guest says of a
//! node. A reader finds it by its number in the documents.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::model::{
    CancelReason, EventKind, ReasonCause, SkipReason, StallReason, instance_of, undone_by,
};

/// A scheduling rule, or a law, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// A law: `law 4`.
    Law(u8),
    /// A scheduling rule: `R12`.
    Scheduling(u8),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Law(number) => write!(f, "law {number}"),
            Self::Scheduling(number) => write!(f, "R{number}"),
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Rule {
    /// The rule by which this was decided. `None` for a fact, which nobody decides.
    pub(super) fn of_decision(kind: &EventKind) -> Option<Self> {
        let number = match kind {
            EventKind::NodeScheduled(it) => run(&it.node_id).unwrap_or(2),
            EventKind::NodeSettled(_) => 6,
            EventKind::NodeTimedOut(_) | EventKind::WorkflowTimedOut => 14,
            EventKind::NodeExhausted(_) | EventKind::RetryScheduled(_) => 12,
            EventKind::NodeSkipped(it) => match it.reason {
                SkipReason::Unreached => 9,
                SkipReason::ByOperator => 20,
                SkipReason::RunOn => 16,
                SkipReason::NotNeeded => 24,
            },
            EventKind::NodeCancelled(it) => cancelled(it.reason),
            EventKind::InterruptRaised(_)
            | EventKind::TimerCreated(_)
            | EventKind::TimerFired(_) => 19,
            EventKind::MapExpanded(_) => 21,
            EventKind::ChildRequested(it) if it.iteration > 0 => 23,
            EventKind::ChildRequested(_) => 22,
            EventKind::Stalled(it) => stalled(&it.reason),
            EventKind::WorkflowCompleted(_) | EventKind::WorkflowFailed(_) => 16,
            EventKind::WorkflowCancelled(_) => 17,
            EventKind::WorkflowStarted(_)
            | EventKind::NodeStarted(_)
            | EventKind::NodeCompleted(_)
            | EventKind::NodeFailed(_)
            | EventKind::LeaseExpired(_)
            | EventKind::NodeReleased(_)
            | EventKind::ApprovalReceived(_)
            | EventKind::ExternalEventReceived(_)
            | EventKind::ChildStarted(_)
            | EventKind::ChildRefused(_)
            | EventKind::ChildEnded(_)
            | EventKind::CancelRequested(_)
            | EventKind::ExecutionPaused(_)
            | EventKind::ExecutionUnpaused(_)
            | EventKind::RetryRequested(_)
            | EventKind::SkipRequested(_)
            | EventKind::HostStalled(_)
            | EventKind::StallLifted(_)
            | EventKind::GuestChanged(_)
            | EventKind::ExecutionForked(_) => return None,
        };
        Some(Self::Scheduling(number))
    }

    /// The rule that has a node where a guest says that it is.
    pub(super) fn of_cause(cause: &ReasonCause) -> Option<Self> {
        let number = match cause {
            ReasonCause::UnmetPredecessor(_) | ReasonCause::MorePredecessors(_) => 3,
            ReasonCause::FailedPredecessor(_) => 15,
            ReasonCause::SkippedPredecessor(_)
            | ReasonCause::DeadEdge(_)
            | ReasonCause::MoreDeadEdges(_)
            | ReasonCause::NoEdge => 9,
            ReasonCause::OtherTarget(_)
            | ReasonCause::NoTarget(_)
            | ReasonCause::FalseCondition(_) => 7,
            ReasonCause::NotAtTheEnd(_)
            | ReasonCause::EarlierFinalizers(_)
            | ReasonCause::OtherEnding => 16,
            ReasonCause::WaitsForWorker(_) | ReasonCause::WorkerAtWork(_) => 5,
            ReasonCause::NotBefore(_) | ReasonCause::FailedForGood(_) => 12,
            ReasonCause::TimesOut(_) | ReasonCause::OutOfTime => 14,
            ReasonCause::LastFailure(_) => 11,
            ReasonCause::NoRoom(_) => 4,
            ReasonCause::WaitsForApproval(_)
            | ReasonCause::WaitsForEvent(_)
            | ReasonCause::WaitEnds(_) => 19,
            ReasonCause::NextStep(_) => 2,
            ReasonCause::SkippedOnceLifted | ReasonCause::SkippedByOperator => 20,
            ReasonCause::WasStopped(reason) => cancelled(*reason),
            ReasonCause::NotNeeded => 24,
            ReasonCause::StalledByPolicy(reason) => stalled(reason),
            ReasonCause::Paused => 18,
            ReasonCause::BeingCancelled => 17,
            ReasonCause::StalledByHost(_) => return Some(Self::Law(9)),
            ReasonCause::HasEnded(_) => return Some(Self::Law(6)),
            ReasonCause::WasCompleted(_) => return None,
        };
        Some(Self::Scheduling(number))
    }
}

/// The rule of the runs of a node that are not its own.
fn run(id: &str) -> Option<u8> {
    let undoes = undone_by(id).map(|_| 27);
    undoes.or_else(|| instance_of(id).map(|_| 21))
}

fn cancelled(reason: CancelReason) -> u8 {
    match reason {
        CancelReason::CancelRequested => 17,
        CancelReason::WorkflowTimedOut => 14,
        CancelReason::ByOperator => 20,
        CancelReason::MapSettled => 21,
        CancelReason::JoinSatisfied | CancelReason::Terminated => 24,
        CancelReason::BudgetExceeded => 28,
    }
}

fn stalled(reason: &StallReason) -> u8 {
    match reason {
        StallReason::AttemptsExhausted(_) => 12,
        StallReason::BudgetExceeded(_) => 28,
    }
}
