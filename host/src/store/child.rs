//! Children of executions, and what one execution is owed by another (law 3).

use serde::{Deserialize, Serialize};

use crate::id::ExecutionId;
use crate::model::{EventKind, Status, WorkflowName};
use crate::render::workflow_failure;

/// A child of an execution, and what is owed between both. It is kept as long as the
/// store has the child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildRecord {
    /// The child. Its id follows from the rest ([`ExecutionId::of_child`]).
    pub child: ExecutionId,
    /// The execution that asked for it.
    pub parent: ExecutionId,
    /// The execution at the top of the tree.
    pub root: ExecutionId,
    /// The node of the parent, or the instance of one.
    pub node_id: String,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// Its iteration, from 0.
    pub iteration: u32,
    /// The parent's event that asks for it.
    pub sequence: u64,
    /// What is owed.
    pub state: ChildState,
}

/// What is owed between a child and its parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildState {
    /// The child is to be started: the order.
    Requested {
        /// Its workflow. `None` if its parent's node has it written in place.
        workflow: Option<WorkflowName>,
        /// Its input, JSON.
        input: String,
    },
    /// It was started, and its parent waits for its end.
    Awaited,
    /// It has ended, and its parent is to be told.
    Ended,
    /// Its parent waits no more, and it is to be cancelled.
    Cancelled,
    /// Nothing is owed.
    Settled,
}

impl ChildRecord {
    /// Whether something is owed.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        match self.state {
            ChildState::Requested { .. } | ChildState::Ended | ChildState::Cancelled => true,
            ChildState::Awaited | ChildState::Settled => false,
        }
    }
}

/// What a turn does to a child's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChildChange {
    /// It is kept, and replaces the one before.
    Keep(ChildRecord),
    /// There is no such child: it could not be started, or nobody waits for it any more.
    Drop(ExecutionId),
}

/// How a child ended, as its parent is told (rule R22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChildEnd {
    pub(crate) status: Status,
    /// Its final state, where it completed.
    pub(crate) output: Option<String>,
    /// Why it failed, where it did.
    pub(crate) error: Option<String>,
}

impl ChildEnd {
    /// What follows from the last event of a child. `None` if that ends no execution.
    pub(crate) fn of(last: &EventKind) -> Option<Self> {
        let (status, output, error) = match last {
            EventKind::WorkflowCompleted(it) => {
                (Status::Completed, Some(it.final_state.clone()), None)
            }
            EventKind::WorkflowFailed(it) => {
                (Status::Failed, None, Some(workflow_failure(&it.cause)))
            }
            EventKind::WorkflowCancelled(_) => (Status::Cancelled, None, None),
            _ => return None,
        };
        Some(Self {
            status,
            output,
            error,
        })
    }
}
