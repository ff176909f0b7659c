//! Everybody who waits to hear of the store: for the end of an execution, for what
//! comes next in its log, or for any commit. They register from their own tasks, and
//! the event loop tells them, each of what concerns it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use super::commit_news::{CommitNews, Committed};
use crate::error::EngineError;
use crate::id::ExecutionId;

/// Waits for the end of an execution.
type Watcher = oneshot::Sender<Result<(), EngineError>>;

/// Everybody who waits to hear of the store.
pub(in crate::live) struct Observers(Mutex<State>);

struct State {
    /// Notified of commits, this engine's and those of others that it noticed; `None`
    /// once the engine has come to its end.
    commits: Option<CommitNews>,
    watchers: HashMap<ExecutionId, Vec<Watcher>>,
    /// Those who follow the log of an execution. A change is news of it, and the value
    /// is why none will follow.
    followed: HashMap<ExecutionId, watch::Sender<Option<EngineError>>>,
    /// The store is no longer there, and all of them were told.
    gone: Option<EngineError>,
}

impl Observers {
    /// Nobody waits yet. What is answered besides hears of commits.
    pub(in crate::live) fn new() -> (Arc<Self>, Committed) {
        let (commits, committed) = CommitNews::channel();
        let state = State {
            commits: Some(commits),
            watchers: HashMap::new(),
            followed: HashMap::new(),
            gone: None,
        };
        (Arc::new(Self(Mutex::new(state))), committed)
    }

    // ---- for those who wait -----------------------------------------------------

    /// Waits for the end of an execution. One that has ended before is not told of:
    /// the caller looks at it after this.
    pub(in crate::live) fn watch(self: &Arc<Self>, id: ExecutionId) -> EndWatch {
        let (watcher, ended) = oneshot::channel();
        let mut state = self.state();
        // After the engine's end, nobody is told.
        if state.commits.is_some() {
            state.watchers.entry(id).or_default().push(watcher);
        }
        EndWatch {
            observers: Arc::clone(self),
            id,
            ended,
        }
    }

    /// Follows the log of an execution.
    pub(in crate::live) fn follow(self: &Arc<Self>, id: ExecutionId) -> Follow {
        let mut state = self.state();
        let gone = state.gone.clone();
        let news = match (&state.commits, state.followed.get(&id)) {
            (_, Some(sender)) => sender.subscribe(),
            (Some(_), None) => {
                let (sender, news) = watch::channel(gone);
                state.followed.insert(id, sender);
                news
            }
            // Nobody is left to tell of any.
            (None, None) => watch::channel(gone).1,
        };
        Follow {
            observers: Arc::clone(self),
            id,
            news,
        }
    }

    // ---- for the event loop -----------------------------------------------------

    /// Something of these executions was committed.
    pub(in crate::live) fn committed(&self, executions: &[ExecutionId]) {
        let state = self.state();
        if let Some(commits) = &state.commits {
            commits.committed();
        }
        if state.followed.is_empty() {
            return;
        }
        for sender in executions.iter().filter_map(|id| state.followed.get(id)) {
            sender.send_replace(None);
        }
    }

    /// Something was committed, or set aside, and any execution may be concerned.
    pub(in crate::live) fn any_committed(&self) {
        let state = self.state();
        if let Some(commits) = &state.commits {
            commits.committed();
        }
        for sender in state.followed.values() {
            sender.send_replace(None);
        }
    }

    /// The executions that are watched.
    pub(in crate::live) fn watched(&self) -> Vec<ExecutionId> {
        let mut watched: Vec<_> = self.state().watchers.keys().copied().collect();
        watched.sort_unstable();
        watched
    }

    /// The execution has ended.
    pub(in crate::live) fn ended(&self, id: ExecutionId) {
        let watchers = self.state().watchers.remove(&id);
        for watcher in watchers.into_iter().flatten() {
            // A caller that has gone away does not want to know.
            let _ = watcher.send(Ok(()));
        }
    }

    /// The ends that are watched for will never come.
    pub(in crate::live) fn fail(&self, error: &EngineError) {
        let watchers = std::mem::take(&mut self.state().watchers);
        for watcher in watchers.into_values().flatten() {
            // A caller that has gone away does not want to know.
            let _ = watcher.send(Err(error.clone()));
        }
    }

    /// What was opened is no longer there: nobody waits for what cannot come.
    pub(in crate::live) fn store_is_gone(&self, error: &EngineError) {
        self.fail(error);
        let mut state = self.state();
        if let Some(commits) = &state.commits {
            commits.store_is_gone(error);
        }
        for sender in state.followed.values() {
            sender.send_replace(Some(error.clone()));
        }
        state.gone = Some(error.clone());
    }

    /// The store is there. If it was gone, there is something to look at again.
    pub(in crate::live) fn store_is_there(&self) {
        let was_gone = self.state().gone.take().is_some();
        if was_gone {
            self.any_committed();
        }
    }

    /// Whether the store is no longer there.
    pub(in crate::live) fn is_store_gone(&self) -> bool {
        self.state().gone.is_some()
    }

    /// The engine has come to its end: everybody who waits hears that nobody will tell
    /// of anything.
    pub(in crate::live) fn close(&self) {
        let mut state = self.state();
        state.commits = None;
        state.watchers.clear();
        state.followed.clear();
    }

    /// Nothing that panics is called while the state is changed.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that waits for the end of an execution.
pub(in crate::live) struct EndWatch {
    observers: Arc<Observers>,
    id: ExecutionId,
    /// Dropped without an answer if the engine has come to its end.
    pub(in crate::live) ended: oneshot::Receiver<Result<(), EngineError>>,
}

impl Drop for EndWatch {
    /// A caller that asks now and then, and gives up in between, leaves nothing behind.
    fn drop(&mut self) {
        self.ended.close();
        let mut state = self.observers.state();
        if let Some(watchers) = state.watchers.get_mut(&self.id) {
            watchers.retain(|watcher| !watcher.is_closed());
            if watchers.is_empty() {
                state.watchers.remove(&self.id);
            }
        }
    }
}

/// A caller that follows the log of an execution.
pub(in crate::live) struct Follow {
    observers: Arc<Observers>,
    id: ExecutionId,
    news: Committed,
}

impl Follow {
    /// What was committed so far counts as heard of.
    pub(in crate::live) fn mark_seen(&mut self) {
        self.news.mark_unchanged();
    }

    /// Waits for news since it was marked. `None`: the engine has come to its end.
    pub(in crate::live) async fn next(&mut self) -> Option<Result<(), EngineError>> {
        if let Some(gone) = self.news.borrow().clone() {
            return Some(Err(gone));
        }
        self.news.changed().await.ok()?;
        let gone = self.news.borrow().clone();
        Some(gone.map_or(Ok(()), Err))
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let mut state = self.observers.state();
        // This one still counts.
        let is_last = |sender: &watch::Sender<_>| sender.receiver_count() <= 1;
        if state.followed.get(&self.id).is_some_and(is_last) {
            state.followed.remove(&self.id);
        }
    }
}
