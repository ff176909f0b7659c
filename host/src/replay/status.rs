//! The status that a log gives its execution, without its guest.

use crate::model::{Event, EventKind, Origin, Status};

/// The status of an execution after these events, the first ones of its log.
///
/// This is a reading of the log, for people. The status that counts is the guest's.
#[must_use]
pub fn status_of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Status {
    let mut standing = Standing::default();
    for event in events {
        standing.apply(event);
    }
    standing.status()
}

/// What a log says of the status, event by event.
#[derive(Debug, Default)]
pub struct Standing {
    ended: Option<Status>,
    paused: bool,
    stalled_by_host: bool,
    stalled_by_policy: Option<StalledOn>,
}

/// What a policy stalled an execution on.
#[derive(Debug)]
enum StalledOn {
    Node(String),
    Budget,
}

impl Standing {
    /// Takes the next event.
    pub fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::WorkflowCompleted(_) => self.ended = Some(Status::Completed),
            EventKind::WorkflowFailed(_) => self.ended = Some(Status::Failed),
            EventKind::WorkflowCancelled(_) => self.ended = Some(Status::Cancelled),
            EventKind::ExecutionPaused(_) => self.paused = true,
            EventKind::ExecutionUnpaused(_) => self.paused = false,
            EventKind::HostStalled(_) => self.stalled_by_host = true,
            EventKind::Stalled(it) => {
                let node = it.node_id().map(str::to_owned);
                let on = node.map_or(StalledOn::Budget, StalledOn::Node);
                self.stalled_by_policy = Some(on);
            }
            EventKind::StallLifted(_) if self.stalled_by_host => self.stalled_by_host = false,
            EventKind::StallLifted(_) | EventKind::CancelRequested(_) => {
                self.stalled_by_policy = None;
            }
            EventKind::RetryRequested(it) | EventKind::SkipRequested(it) => {
                if matches!(&self.stalled_by_policy, Some(StalledOn::Node(id)) if *id == it.node_id)
                {
                    self.stalled_by_policy = None;
                }
            }
            // While a policy's stall stands, nothing is decided.
            _ if event.origin == Origin::Decision => self.stalled_by_policy = None,
            _ => {}
        }
    }

    /// The status behind the last event that was taken.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.ended {
            Some(ended) => ended,
            None if self.stalled_by_host || self.stalled_by_policy.is_some() => Status::Stalled,
            None if self.paused => Status::Paused,
            None => Status::Running,
        }
    }
}
