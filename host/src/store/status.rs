//! The names of the statuses, and what follows from them.

use crate::contract::Status;

const ALL: [Status; 6] = [
    Status::Running,
    Status::Paused,
    Status::Stalled,
    Status::Completed,
    Status::Failed,
    Status::Cancelled,
];

/// The name of a status, as it is stored, printed and typed.
#[must_use]
pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Stalled => "stalled",
        Status::Completed => "completed",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    }
}

/// The status of this name.
#[must_use]
pub fn parse_status(name: &str) -> Option<Status> {
    ALL.into_iter().find(|status| status_name(*status) == name)
}

/// Whether nothing more can happen.
#[must_use]
pub fn ended(status: Status) -> bool {
    match status {
        Status::Running | Status::Paused | Status::Stalled => false,
        Status::Completed | Status::Failed | Status::Cancelled => true,
    }
}

/// Whether time alone could change what the guest decides.
pub(super) fn wakes(status: Status) -> bool {
    match status {
        Status::Running | Status::Paused => true,
        Status::Stalled | Status::Completed | Status::Failed | Status::Cancelled => false,
    }
}

/// Whether its items may be claimed.
pub(super) fn claims(status: Status) -> bool {
    status == Status::Running
}
