//! Hearing of commits, for whoever looks at the store besides the engine.

use tokio::sync::watch;

use crate::error::EngineError;

use super::link::Link;

/// The commits to an engine's store, by whomever. It does not keep the engine
/// alive.
#[derive(Clone)]
pub struct Commits {
    committed: watch::Receiver<u64>,
    link: Link,
}

impl Commits {
    pub(crate) fn new(committed: watch::Receiver<u64>, link: Link) -> Self {
        Self { committed, link }
    }

    /// What was committed so far counts as heard of.
    pub(crate) fn heard(&mut self) {
        self.committed.mark_unchanged();
    }

    /// Wait until something has been committed since this was asked before.
    /// Commits of other engines are told of when this one notices them.
    ///
    /// # Errors
    /// [`EngineError::ShutDown`] and [`EngineError::Died`]: there is nobody to
    /// tell of any.
    pub async fn next(&mut self) -> Result<(), EngineError> {
        match self.committed.changed().await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.link.ended().await),
        }
    }
}
