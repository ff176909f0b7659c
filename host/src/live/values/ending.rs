//! How an execution ended, as its log says.

use crate::model::{EventKind, Status};
use crate::render;

/// How an execution ended, as its terminal event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::live) struct Ending {
    pub(in crate::live) status: Status,
    /// `None` where the event does not hold it: then the guest knows it.
    pub(in crate::live) final_state: Option<String>,
    pub(in crate::live) error: Option<String>,
}

impl Ending {
    /// What the last event of an execution with this status says.
    pub(in crate::live) fn of(status: Status, last: Option<EventKind>) -> Self {
        let (final_state, error) = match last {
            Some(EventKind::WorkflowCompleted(it)) => (Some(it.final_state), None),
            Some(EventKind::WorkflowFailed(it)) => {
                let error = render::workflow_failure(&it.cause);
                (Some(it.final_state), Some(error))
            }
            Some(EventKind::WorkflowCancelled(it)) => (Some(it.final_state), it.reason),
            _ => (None, None),
        };
        Self {
            status,
            final_state,
            error,
        }
    }
}
