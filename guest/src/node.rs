//! One node's transition table.
//!
//! What may happen to a node, and what becomes of it, stands in [`Step::leads`]
//! and nowhere else. The table knows states only: attempts, fences and
//! deadlines are checked by the caller that takes the step.

use core::fmt;

use crate::contract::NodeState;

/// What can happen to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its incoming edges let it run (rule R3).
    Reach,
    /// Its first attempt was ordered (rule R5).
    Schedule,
    /// A further attempt was ordered (rule R11; from ready: rule R20).
    Retry,
    /// A worker claimed its work item.
    Start,
    /// Its worker answered with a result.
    Complete,
    /// The guest settled it itself (rule R6).
    Settle,
    /// Its worker gave it back (rule R25).
    Release,
    /// Its attempt failed, or its lease expired.
    Fail,
    /// Its attempt ran out of time (rule R14).
    TimeOut,
    /// It failed for good.
    Exhaust,
    /// It began to wait (rule R19).
    Wait,
    /// What it waits for has come: a time, an external event, a person.
    Receive,
    /// The execution was stalled on it (rule R11).
    Stall,
    /// It asked for a child (rule R22).
    Request,
    /// Its child failed, cannot be started, or ran out of time.
    LoseChild,
    /// An operator asked for a retry (rule R20).
    Reopen,
    /// Its execution is a fork, which begins anew what was under way (law 11); or its
    /// next iteration is to begin (rule R23).
    BeginAnew,
    /// All its incoming edges are dead, or it is a finalizer of another ending.
    PassOver,
    /// An operator's wish that it does not run was carried out.
    Skip,
    /// It was stopped.
    Cancel,
}

impl Step {
    /// Every step, for tests and tools that print the table.
    pub const ALL: [Self; 20] = [
        Self::Reach,
        Self::Schedule,
        Self::Retry,
        Self::Start,
        Self::Complete,
        Self::Settle,
        Self::Release,
        Self::Fail,
        Self::TimeOut,
        Self::Exhaust,
        Self::Wait,
        Self::Receive,
        Self::Stall,
        Self::Request,
        Self::LoseChild,
        Self::Reopen,
        Self::BeginAnew,
        Self::PassOver,
        Self::Skip,
        Self::Cancel,
    ];

    /// The state that this step leads to from `state`; none where it may not
    /// happen.
    #[must_use]
    #[rustfmt::skip]
    pub const fn leads(self, state: NodeState) -> Option<NodeState> {
        use NodeState::{BackingOff, Cancelled, Completed, Failed, Failing, Pending, Ready, Running, Scheduled, Skipped, Waiting};
        Some(match (state, self) {
            (Pending,    Self::Reach)    => Ready,
            (Pending,    Self::PassOver) => Skipped,
            (Pending,    Self::Skip)     => Skipped,

            (Ready,      Self::Schedule) => Scheduled,
            (Ready,      Self::Retry)    => BackingOff,
            (Ready,      Self::Wait)     => Waiting,
            (Ready,      Self::Request)  => Waiting,
            (Ready,      Self::Settle)   => Completed,
            (Ready,      Self::Exhaust)  => Failed,
            (Ready,      Self::PassOver) => Skipped,
            (Ready,      Self::Skip)     => Skipped,

            (Scheduled,  Self::Start)    => Running,
            (Scheduled,  Self::Cancel)   => Cancelled,

            (Running,    Self::Complete) => Completed,
            (Running,    Self::Release)  => Scheduled,
            (Running,    Self::Fail)     => Failing,
            (Running,    Self::TimeOut)  => Failing,
            (Running,    Self::BeginAnew) => Scheduled,
            (Running,    Self::Cancel)   => Cancelled,

            (Failing,    Self::Retry)    => BackingOff,
            (Failing,    Self::Request)  => Waiting,
            (Failing,    Self::Exhaust)  => Failed,
            (Failing,    Self::Stall)    => Failing,
            (Failing,    Self::Reopen)   => Ready,
            (Failing,    Self::Skip)     => Skipped,
            (Failing,    Self::Cancel)   => Cancelled,

            (BackingOff, Self::Start)    => Running,
            (BackingOff, Self::Cancel)   => Cancelled,

            (Waiting,    Self::Receive)  => Waiting,
            (Waiting,    Self::BeginAnew) => Ready,
            (Waiting,    Self::LoseChild) => Failing,
            (Waiting,    Self::Settle)   => Completed,
            (Waiting,    Self::Exhaust)  => Failed,
            (Waiting,    Self::Cancel)   => Cancelled,

            (Failed,     Self::Reopen)   => Ready,
            (Failed,     Self::Skip)     => Skipped,

            // An instance that was stopped, of a map that is retried (rule R21).
            (Cancelled,  Self::Reopen)   => Ready,

            (Pending | Ready | Scheduled | Running | Failing | BackingOff | Waiting
                | Completed | Failed | Skipped | Cancelled, _) => return None,
        })
    }
}

/// What the step does to a node, after "cannot".
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reach => "become ready",
            Self::Schedule => "be scheduled",
            Self::Retry => "be scheduled again",
            Self::Start => "be started",
            Self::Complete => "be completed by a worker",
            Self::Settle => "be settled without a worker",
            Self::Release => "be given back",
            Self::Fail => "fail",
            Self::TimeOut => "time out",
            Self::Exhaust => "fail for good",
            Self::Wait => "begin to wait",
            Self::Receive => "be given what it waits for",
            Self::Stall => "stall its execution",
            Self::Request => "ask for a child",
            Self::LoseChild => "lose its child",
            Self::Reopen => "be retried",
            Self::BeginAnew => "begin anew",
            Self::PassOver | Self::Skip => "be skipped",
            Self::Cancel => "be cancelled",
        })
    }
}

/// The state's name, as in `inspect` and in sentences.
#[must_use]
pub const fn name(state: NodeState) -> &'static str {
    match state {
        NodeState::Pending => "pending",
        NodeState::Ready => "ready",
        NodeState::Scheduled => "scheduled",
        NodeState::Running => "running",
        NodeState::Failing => "failing",
        NodeState::BackingOff => "backing_off",
        NodeState::Waiting => "waiting",
        NodeState::Completed => "completed",
        NodeState::Failed => "failed",
        NodeState::Skipped => "skipped",
        NodeState::Cancelled => "cancelled",
    }
}

/// Whether the node has an unsettled work item (rule R4).
#[must_use]
pub const fn is_in_flight(state: NodeState) -> bool {
    matches!(
        state,
        NodeState::Scheduled | NodeState::Running | NodeState::BackingOff
    )
}

/// Whether something about the node is under way: it is in flight, waits, or
/// what follows its failure is not decided. This is what a cancel stops.
#[must_use]
pub const fn is_active(state: NodeState) -> bool {
    is_in_flight(state) || matches!(state, NodeState::Failing | NodeState::Waiting)
}

/// Whether the node has come to its end (a failed one may be reopened).
#[must_use]
pub const fn is_settled(state: NodeState) -> bool {
    matches!(
        state,
        NodeState::Completed | NodeState::Failed | NodeState::Skipped | NodeState::Cancelled
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [NodeState; 11] = [
        NodeState::Pending,
        NodeState::Ready,
        NodeState::Scheduled,
        NodeState::Running,
        NodeState::Failing,
        NodeState::BackingOff,
        NodeState::Waiting,
        NodeState::Completed,
        NodeState::Failed,
        NodeState::Skipped,
        NodeState::Cancelled,
    ];

    #[test]
    fn law6_nothing_leaves_an_end_but_what_an_operator_asks_for() {
        for state in STATES.into_iter().filter(|state| is_settled(*state)) {
            for step in Step::ALL {
                let asked_for = match step {
                    Step::Reopen => matches!(state, NodeState::Failed | NodeState::Cancelled),
                    Step::Skip => state == NodeState::Failed,
                    _ => false,
                };
                assert_eq!(
                    step.leads(state).is_some(),
                    asked_for,
                    "{} {step:?}",
                    name(state)
                );
            }
        }
    }

    #[test]
    fn r17_whatever_is_active_can_be_cancelled_and_nothing_else() {
        for state in STATES {
            assert_eq!(
                Step::Cancel.leads(state).is_some(),
                is_active(state),
                "{}",
                name(state)
            );
        }
    }

    #[test]
    fn every_step_can_happen_and_every_state_can_be_reached() {
        for step in Step::ALL {
            assert!(
                STATES.iter().any(|state| step.leads(*state).is_some()),
                "{step:?} never happens"
            );
        }
        for target in STATES
            .into_iter()
            .filter(|state| *state != NodeState::Pending)
        {
            let reached = STATES.iter().any(|from| {
                Step::ALL
                    .iter()
                    .any(|step| step.leads(*from) == Some(target))
            });
            assert!(reached, "nothing leads to {}", name(target));
        }
    }
}
