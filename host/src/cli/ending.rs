//! How an execution ended, or why it does not go on.

use refrain::model::{Event, EventKind};

/// What its log says of its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    /// The final state, verbatim.
    pub(super) final_state: Option<String>,
    /// Why it failed, was cancelled (where somebody said why) or is stalled.
    pub(super) error: Option<String>,
}

impl Ending {
    /// What these events say.
    pub(super) fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut ending = Self::default();
        for event in events {
            ending.apply(event);
        }
        ending
    }

    /// Take one event.
    pub(super) fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::WorkflowCompleted(completed) => {
                self.final_state = Some(completed.final_state.clone());
            }
            EventKind::WorkflowFailed(failed) => self.error = Some(failed.error.clone()),
            EventKind::WorkflowCancelled(cancelled) => self.error = cancelled.reason.clone(),
            EventKind::Stalled(stalled) => self.error = Some(stalled.reason.clone()),
            EventKind::HostStalled(stalled) => self.error = Some(stalled.reason.clone()),
            EventKind::StallLifted(_)
            | EventKind::RetryRequested(_)
            | EventKind::SkipRequested(_) => self.error = None,
            _ => {}
        }
    }
}
