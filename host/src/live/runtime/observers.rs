//! Everybody who waits to hear of the store: for the end of an execution, for what
//! comes next in its log, or for any commit. They register from their own tasks, and
//! the event loop tells them, each of what concerns it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use super::commit_news::{CommitNews, Committed};
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::RECENT_ENDS_MAX;
use crate::live::values::ending::Ending;

/// How an execution ended; `None` where the store has to be asked.
pub(in crate::live) type EndNews = Result<Option<Ending>, EngineError>;

/// Waits for the end of an execution.
type Watcher = oneshot::Sender<EndNews>;

/// A moment in the life of an engine: of all ends that came since, it can tell
/// whether that of an execution may be among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) struct EndsSeen(u64);

/// Everybody who waits to hear of the store.
pub(in crate::live) struct Observers(Mutex<State>);

struct State {
    /// Notified of commits, this engine's and those of others that it noticed; `None`
    /// once the engine has come to its end.
    commits: Option<CommitNews>,
    watchers: HashMap<ExecutionId, Vec<Watcher>>,
    ends: Ends,
    /// Those who follow the log of an execution. A change is news of it, and the value
    /// is why none will follow.
    followed: HashMap<ExecutionId, watch::Sender<Option<EngineError>>>,
    /// The store is no longer there, and all of them were told.
    gone: Option<EngineError>,
}

impl Observers {
    /// No observer waits yet. The second value is notified of commits.
    pub(in crate::live) fn new() -> (Arc<Self>, Committed) {
        let (commits, committed) = CommitNews::channel();
        let state = State {
            commits: Some(commits),
            watchers: HashMap::new(),
            ends: Ends::default(),
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

    /// The present moment.
    pub(in crate::live) fn ends_seen(&self) -> EndsSeen {
        self.state().ends.seen()
    }

    /// Whether an execution that ran at this moment may have ended since. Asked after
    /// [`Observers::watch`], which hears of what comes later.
    pub(in crate::live) fn may_have_ended(&self, id: ExecutionId, then: EndsSeen) -> bool {
        self.state().ends.may_hold(id, then)
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
            // There will be no news any more.
            (None, None) => watch::channel(gone).1,
        };
        Follow {
            observers: Arc::clone(self),
            id,
            news,
        }
    }

    // ---- for the event loop -----------------------------------------------------

    /// Others have committed something of these executions.
    pub(in crate::live) fn others_committed(&self, executions: &[ExecutionId]) {
        self.state().ends.missed();
        self.committed(executions);
    }

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
        let mut state = self.state();
        state.ends.missed();
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

    /// The execution has ended. `ending`: how, where that is at hand.
    pub(in crate::live) fn ended(&self, id: ExecutionId, ending: Option<Ending>) {
        let mut state = self.state();
        state.ends.push(id);
        let mut watchers = state.watchers.remove(&id).unwrap_or_default();
        drop(state);
        let last = watchers.pop();
        // A caller that has gone away does not want to know.
        for watcher in watchers {
            let _ = watcher.send(Ok(ending.clone()));
        }
        if let Some(watcher) = last {
            let _ = watcher.send(Ok(ending));
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

/// The ends that came lately.
#[derive(Debug, Default)]
struct Ends {
    /// How often executions may have ended that are not among the recent ones.
    missed: u64,
    /// Those that have ended since.
    recent: HashSet<ExecutionId>,
}

impl Ends {
    fn seen(&self) -> EndsSeen {
        EndsSeen(self.missed)
    }

    fn may_hold(&self, id: ExecutionId, then: EndsSeen) -> bool {
        then != self.seen() || self.recent.contains(&id)
    }

    fn push(&mut self, id: ExecutionId) {
        if self.recent.len() >= RECENT_ENDS_MAX {
            self.missed();
        }
        self.recent.insert(id);
    }

    /// Any execution may have ended.
    fn missed(&mut self) {
        self.missed += 1;
        self.recent.clear();
    }
}

/// A caller that waits for the end of an execution.
pub(in crate::live) struct EndWatch {
    observers: Arc<Observers>,
    id: ExecutionId,
    /// Dropped without an answer if the engine has come to its end.
    pub(in crate::live) ended: oneshot::Receiver<EndNews>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> ExecutionId {
        ExecutionId::from_bytes(n.to_be_bytes())
    }

    #[test]
    fn of_recent_ends_it_is_known_whose_they_are() {
        let (observers, _committed) = Observers::new();
        let then = observers.ends_seen();
        observers.ended(id(1), None);
        assert!(observers.may_have_ended(id(1), then));
        assert!(!observers.may_have_ended(id(2), then));
    }

    #[test]
    fn what_others_commit_may_end_any() {
        let (observers, _committed) = Observers::new();
        let then = observers.ends_seen();
        observers.others_committed(&[id(1)]);
        assert!(observers.may_have_ended(id(2), then));
        let then = observers.ends_seen();
        assert!(!observers.may_have_ended(id(2), then));
        observers.any_committed();
        assert!(observers.may_have_ended(id(2), then));
    }

    #[test]
    fn of_more_ends_than_are_remembered_any_may_be_one() {
        let (observers, _committed) = Observers::new();
        let then = observers.ends_seen();
        for n in 0..RECENT_ENDS_MAX {
            observers.ended(id(n as u128), None);
        }
        let never = id(u128::MAX);
        assert!(!observers.may_have_ended(never, then));
        observers.ended(id(u128::MAX - 1), None);
        assert!(observers.may_have_ended(never, then));
    }
}
