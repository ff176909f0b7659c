//! Everybody who waits to hear of the store: watchers of executions, and
//! subscribers to commits.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::error::EngineError;
use crate::id::ExecutionId;

use super::commit_news::CommitNews;

/// Waits for the end of an execution.
pub(in crate::live) type Watcher = oneshot::Sender<Result<(), EngineError>>;

/// Everybody who waits to hear of the store.
pub(crate) struct Observers {
    /// Notified of commits, this engine's and those of others that it noticed.
    commits: CommitNews,
    watchers: BTreeMap<ExecutionId, Vec<Watcher>>,
    /// The store is no longer there, and all of them were told.
    gone: bool,
}

impl Observers {
    pub(in crate::live) fn new(commits: CommitNews) -> Self {
        Self {
            commits,
            watchers: BTreeMap::new(),
            gone: false,
        }
    }

    /// Something was committed, by whomever.
    pub(in crate::live) fn committed(&self) {
        self.commits.committed();
    }

    /// Adds a watcher of an execution that has not ended.
    pub(in crate::live) fn watch(&mut self, id: ExecutionId, watcher: Watcher) {
        let watchers = self.watchers.entry(id).or_default();
        // A caller that asks now and then, and gives up in between, leaves nothing
        // behind.
        watchers.retain(|watcher| !watcher.is_closed());
        watchers.push(watcher);
    }

    /// The executions that are watched.
    pub(in crate::live) fn watched(&self) -> Vec<ExecutionId> {
        self.watchers.keys().copied().collect()
    }

    /// The execution has ended.
    pub(in crate::live) fn ended(&mut self, id: ExecutionId) {
        for watcher in self.watchers.remove(&id).into_iter().flatten() {
            // A caller that has gone away does not want to know.
            let _ = watcher.send(Ok(()));
        }
    }

    /// The ends that are watched for will never come.
    pub(in crate::live) fn fail(&mut self, error: &EngineError) {
        for watcher in std::mem::take(&mut self.watchers).into_values().flatten() {
            // A caller that has gone away does not want to know.
            let _ = watcher.send(Err(error.clone()));
        }
    }

    /// What was opened is no longer there: nobody waits for what cannot come.
    pub(in crate::live) fn store_is_gone(&mut self, error: &EngineError) {
        self.fail(error);
        self.commits.store_is_gone(error);
        self.gone = true;
    }

    /// The store is there. If it was gone, there is something to look at again.
    pub(in crate::live) fn store_is_there(&mut self) {
        if std::mem::take(&mut self.gone) {
            self.committed();
        }
    }

    /// Whether the store is no longer there.
    pub(in crate::live) fn is_store_gone(&self) -> bool {
        self.gone
    }
}
