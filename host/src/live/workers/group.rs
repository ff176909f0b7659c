//! A process and all that it started, which end together.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// Kills the process group of a child when it is dropped, unless it was told
/// that the child has ended.
pub(super) struct Group(Option<Pid>);

impl Group {
    /// The group that this child leads. It must have been started as the
    /// leader of a group of its own.
    pub(super) fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        )
    }

    /// The child has ended by itself: there is nothing to kill.
    pub(super) fn ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0
            && let Err(error) = kill_process_group(leader, Signal::KILL)
        {
            tracing::warn!("process group {leader:?} could not be killed: {error}");
        }
    }
}
