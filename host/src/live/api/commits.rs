//! Notifications of commits, for readers of the store.

use crate::error::EngineError;
use std::fmt;

use crate::live::runtime::commit_news::Committed;
use crate::live::runtime::inbox::Inbox;

/// The commits to an engine's store, by this engine or another one. It does not keep
/// the engine alive.
#[derive(Clone)]
pub struct Commits {
    committed: Committed,
    inbox: Inbox,
}

impl fmt::Debug for Commits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commits").finish_non_exhaustive()
    }
}

impl Commits {
    pub(crate) fn new(committed: Committed, inbox: Inbox) -> Self {
        Self { committed, inbox }
    }

    /// Wait until something has been committed, or an execution set aside, since
    /// this was asked before. Commits of other engines are told of when this one
    /// notices them.
    ///
    /// # Errors
    /// [`EngineError::ShutDown`] and [`EngineError::Died`]: there is nobody to
    /// tell of any. [`EngineError::Store`]: the store is gone, or damaged so that
    /// no engine can go on with it, and none can follow.
    pub async fn next(&mut self) -> Result<(), EngineError> {
        self.can_follow()?;
        match self.committed.changed().await {
            Ok(()) => self.can_follow(),
            Err(_) => Err(self.inbox.ended().await),
        }
    }

    fn can_follow(&self) -> Result<(), EngineError> {
        self.committed.borrow().clone().map_or(Ok(()), Err)
    }
}
