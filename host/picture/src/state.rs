//! The states of nodes, as pictures tell them apart.

/// The state of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Not all incoming edges are settled.
    Pending,
    /// Could run now, but a limit, a pause or a stall holds it back.
    Ready,
    /// Its work item waits for a worker.
    Scheduled,
    /// A worker holds its work item.
    Running,
    /// The last attempt failed, and what follows is not decided yet.
    Failing,
    /// A further attempt is ordered; its work item waits.
    BackingOff,
    /// Waits for a time, an external event or a person.
    Waiting,
    /// Done.
    Completed,
    /// Failed for good.
    Failed,
    /// Will not run.
    Skipped,
    /// Stopped.
    Cancelled,
}

impl State {
    /// Its name, in snake_case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Failing => "failing",
            Self::BackingOff => "backing_off",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}
