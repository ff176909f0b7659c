//! What a node, or an instance of one, is between two events.

use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::contract::{ApprovalDecision, CancelReason, NodeFailure, NodeState, SkipReason};
use crate::node::Step;
use crate::time::{Millis, Timestamp};
use crate::workflow::Plan;
use crate::workflow::plan::Kind;

/// One node of an execution. There are as many as the workflow has nodes, for
/// each execution at hand, so what few nodes have stands elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Where it is.
    pub state: NodeState,
    /// How often the last attempt was given back (rule R25).
    pub releases: u8,
    /// Its incoming edges that are not settled.
    pub unsettled: u32,
    /// Its incoming edges that are live. The start node has one from outside.
    pub live: u32,
    /// The last attempt that was ordered; 0: none.
    pub attempt: u32,
    /// The last attempt that there can be.
    pub max_attempts: u32,
    /// The fence of the running attempt.
    pub fence: u64,
    /// When time alone ends what it does: an attempt, a wait, an approval.
    /// Only while running or waiting.
    pub deadline: Option<Timestamp>,
    /// When the ordered attempt may be claimed.
    pub not_before: Option<Timestamp>,
    /// When the last attempt was ordered.
    pub scheduled_at: Option<Timestamp>,
    /// When the last attempt, or the wait, began.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
    /// Who does, or did, the last attempt.
    pub worker_id: Option<String>,
    /// The last failure.
    pub failure: Option<Box<Failure>>,
    /// What has come of what it waited for.
    pub wait_result: Option<Box<WaitResult>>,
    /// The target that was chosen.
    pub chosen_target: Option<String>,
    /// Why it did not run, or was stopped.
    pub dismissal: Option<Dismissal>,
}

impl NodeRecord {
    /// That of a node of the plan, before anything has happened to it.
    pub(super) fn new(plan: &Plan, index: usize) -> Self {
        let node = &plan.nodes[index];
        Self {
            state: NodeState::Pending,
            unsettled: u32::try_from(node.incoming.len()).unwrap_or(u32::MAX),
            live: 0,
            ..Self::fresh(node.retry.max_attempts)
        }
    }

    /// That of an instance to which nothing has happened: it waits for its turn.
    pub(super) fn fresh(max_attempts: u32) -> Self {
        Self {
            state: NodeState::Ready,
            releases: 0,
            unsettled: 0,
            live: 1,
            attempt: 0,
            max_attempts,
            fence: 0,
            deadline: None,
            not_before: None,
            scheduled_at: None,
            started_at: None,
            ended_at: None,
            worker_id: None,
            failure: None,
            wait_result: None,
            chosen_target: None,
            dismissal: None,
        }
    }

    /// Take a step that was checked. A deadline outlives it only while the
    /// node waits.
    pub(crate) fn take(&mut self, step: Step) {
        self.state = step
            .leads(self.state)
            .expect("a step is checked before it is taken");
        if self.state != NodeState::Waiting {
            self.deadline = None;
        }
    }

    /// Whether the node failed for good, and an edge handled that (rule R26).
    pub(crate) fn is_handled(&self) -> bool {
        let failure = self.failure.as_deref();
        self.state == NodeState::Failed && failure.is_some_and(|failure| failure.is_handled)
    }
}

/// The child of a node, or of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildRecord {
    /// Which iteration it is, from 0 (rule R23).
    pub iteration: u32,
    /// The child of the last attempt, once it was started.
    pub child_id: Option<String>,
    /// What the iteration before came to, JSON. None in the first one.
    pub last: Option<Box<str>>,
}

/// How an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Why.
    pub cause: NodeFailure,
    /// The class of the error.
    pub class: Option<String>,
    /// Whether a further attempt may help.
    pub retryable: bool,
    /// How long not to try again, where the other side asked for that.
    pub retry_after: Option<Millis>,
    /// An edge handled it (rule R26): it fails the execution no more.
    pub is_handled: bool,
}

impl Failure {
    /// Whether nobody answered: the lease expired (rule R13).
    #[must_use]
    pub fn is_lease_expired(&self) -> bool {
        self.cause == NodeFailure::LeaseExpired
    }

    /// The class of the error as conditions see it: the worker's, else the code of
    /// the cause.
    #[must_use]
    pub fn class_seen(&self) -> Option<&str> {
        match &self.cause {
            NodeFailure::AttemptFailed(_) => self.class.as_deref(),
            cause => Some(cause.code()),
        }
    }

    /// What the worker said, where one did.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.cause {
            NodeFailure::AttemptFailed(error) => Some(error),
            _ => None,
        }
    }
}

/// What has come of what a node waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitResult {
    /// The time (rule R19).
    Time,
    /// The external event, with its payload.
    ExternalEvent(String),
    /// A person's decision.
    Approval {
        /// Who decided.
        user_id: String,
        /// What was decided.
        decision: ApprovalDecision,
        /// What they had to say.
        comment: Option<String>,
        /// The patch they gave, a JSON object.
        state_patch: Option<String>,
    },
}

/// Why a node did not run, or was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dismissal {
    /// It was skipped.
    Skipped(SkipReason),
    /// It was cancelled.
    Cancelled(CancelReason),
}

/// Whether so many of the node's incoming edges are dead that it will not run (rules R9
/// and R24). `record` is that of a pending node of this kind, which is no finalizer.
#[must_use]
pub fn is_out_of_reach(record: &NodeRecord, kind: &Kind) -> bool {
    match kind {
        Kind::Join(join) if let Some(needed) = join.needed() => {
            record.live.saturating_add(record.unsettled) < needed
        }
        _ => record.unsettled == 0 && record.live == 0,
    }
}

/// Whether a node of this kind takes part only at the end (rule R16).
#[must_use]
pub fn is_finalizer(kind: &Kind) -> bool {
    matches!(kind, Kind::Work(work) if work.finalizer.is_some())
}
