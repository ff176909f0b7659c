//! Questions about an execution's status.

use crate::model::Status;

/// Whether an execution of this status has ended, so that nothing more can happen.
#[must_use]
pub fn ended(status: Status) -> bool {
    match status {
        Status::Running | Status::Paused | Status::Stalled => false,
        Status::Completed | Status::Failed | Status::Cancelled => true,
    }
}
