//! That something was committed, told to everyone who waits for it.

use tokio::sync::watch;

use crate::error::EngineError;

/// The engine's end: what it tells everyone who waits for commits.
pub(crate) struct CommitNews(watch::Sender<Option<EngineError>>);

/// What is heard of it: a change is a commit, and the value is why none will
/// follow, as long as none can.
pub(crate) type Committed = watch::Receiver<Option<EngineError>>;

impl CommitNews {
    /// Both ends.
    pub(crate) fn channel() -> (Self, Committed) {
        let (news, committed) = watch::channel(None);
        (Self(news), committed)
    }

    /// Something was committed, by whomever.
    pub(in crate::live) fn committed(&self) {
        self.0.send_replace(None);
    }

    /// What was opened is no longer there: nothing will be committed.
    pub(in crate::live) fn store_is_gone(&self, error: &EngineError) {
        self.0.send_replace(Some(error.clone()));
    }
}
