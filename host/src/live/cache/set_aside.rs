//! One that is damaged does not stop the others.
//!
//! Whatever cannot be believed (a row that cannot be read, a log that its chain
//! does not bear out) concerns one execution. It is named, and set aside:
//! what belongs to it is left alone, and everything else goes on. All readers of
//! many come here with what they found.
//!
//! A log that was tampered with is marked in the store, so that every process
//! knows, and nothing is appended to it. The mark is lifted where the log holds
//! when it is checked anew. Other damage is remembered until somebody else
//! commits: perhaps it has been mended then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::store::{Many, StoreError, Tampering};
use crate::trouble::Troubles;

/// What an engine has set aside.
#[derive(Debug, Default)]
pub(crate) struct SetAside {
    executions: BTreeMap<ExecutionId, Arc<StoreError>>,
    /// Logs found to be tampered with of which the store does not know yet.
    pub(in crate::live) unmarked: BTreeMap<ExecutionId, Tampering>,
    /// What was said already.
    said: Troubles,
    /// The version of the store that all this is of.
    version: Option<u64>,
    /// Something was set aside since this was asked.
    has_news: bool,
}

/// An error that may be the damage of one execution alone.
pub(in crate::live) trait Damage: Sized {
    /// The damage, if it is of one execution alone; else the error.
    fn of_one(self) -> Result<Arc<StoreError>, Self>;
}

impl Damage for StoreError {
    fn of_one(self) -> Result<Arc<StoreError>, Self> {
        if self.is_of_one() {
            return Ok(Arc::new(self));
        }
        Err(self)
    }
}

impl Damage for EngineError {
    fn of_one(self) -> Result<Arc<StoreError>, Self> {
        match self {
            Self::Store(error) if error.is_of_one() => Ok(error),
            error => Err(error),
        }
    }
}

impl SetAside {
    /// The store is of this version. What was damaged in another one may have
    /// been mended.
    pub(crate) fn as_of(&mut self, version: u64) {
        if self.version != Some(version) {
            self.executions.clear();
            self.version = Some(version);
        }
    }

    /// Why this execution is set aside, if it is.
    pub(crate) fn why(&self, id: ExecutionId) -> Option<EngineError> {
        let error = self.executions.get(&id)?;
        Some(EngineError::Store(Arc::clone(error)))
    }

    pub(crate) fn holds(&self, id: ExecutionId) -> bool {
        self.executions.contains_key(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.executions.is_empty()
    }

    /// Set an execution aside. Says whether that is news.
    pub(crate) fn add(&mut self, id: ExecutionId, error: &Arc<StoreError>) -> bool {
        self.say(&format!("{id} is set aside: {error}"));
        let is_news = self.executions.insert(id, Arc::clone(error)).is_none();
        self.has_news |= is_news;
        is_news
    }

    /// Goes on without this execution if what is stored of it is damaged: `None`,
    /// and it is set aside. Any other error stays one.
    pub(in crate::live) fn others_go_on<T, E: Damage>(
        &mut self,
        id: ExecutionId,
        done: Result<T, E>,
    ) -> Result<Option<T>, E> {
        match done.map_err(Damage::of_one) {
            Ok(done) => Ok(Some(done)),
            // It is not damaged, and comes into another turn.
            Err(Ok(contended)) if matches!(*contended, StoreError::Contended { .. }) => Ok(None),
            Err(Ok(damage)) => {
                self.add(id, &damage);
                Ok(None)
            }
            Err(Err(error)) => Err(error),
        }
    }

    /// Whether anything was set aside since this was asked before.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// All that are set aside, and why.
    pub(crate) fn all(&self) -> BTreeMap<ExecutionId, Arc<StoreError>> {
        self.executions.clone()
    }

    /// Set an execution aside whose log was tampered with; the next turn that is
    /// written marks it.
    pub(in crate::live) fn mark(
        &mut self,
        id: ExecutionId,
        tampering: Tampering,
        error: &Arc<StoreError>,
    ) {
        self.unmarked.insert(id, tampering);
        self.add(id, error);
    }

    /// Look at this execution anew.
    pub(in crate::live) fn forget(&mut self, id: ExecutionId) {
        self.executions.remove(&id);
        self.unmarked.remove(&id);
    }

    /// The turn is written, and the marks with it, but for those of executions that were
    /// left out of it.
    pub(crate) fn marked(&mut self, is_left_out: impl Fn(ExecutionId) -> bool) {
        self.unmarked.retain(|id, _| is_left_out(*id));
    }

    /// Name what a question could not read, and go on with what it could.
    pub(crate) fn named<T>(&mut self, many: Many<T>) -> Vec<T> {
        for damaged in many.damaged {
            self.say(&damaged.to_string());
        }
        many.found
    }

    /// Say something, once and then now and then: the same damage is met turn
    /// after turn.
    pub(crate) fn say(&mut self, what: &str) {
        if let Some(told) = self.said.says(what) {
            tracing::error!("{told}");
        }
    }

    /// This is the time, by the monotonic clock.
    pub(crate) fn at(&mut self, now: Duration) {
        self.said.at(now);
    }
}
