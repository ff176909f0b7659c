//! Watching executions: what is new in their logs since the last look.
//!
//! A watch reads the database through a connection of its own. It reads logs
//! only when somebody has committed something, and only those that have grown:
//! a look costs what is new, however many executions are watched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use refrain::LogClock;
use refrain::id::ExecutionId;
use refrain::model::{Event, EventKind, Status};
use refrain::store::{
    ExecutionRecord, Reader, SeenUpTo, SqliteStore, Store, StoreError, StoredEvent, Timestamp,
    ended,
};

use super::damage;
use super::judgement::waits_for_children_alone;
use super::leaf;
use super::list;
use super::seen::{ChildOf, Seen};
use super::time;
use super::why_ended::Written;

/// A watch on some executions.
pub(super) struct Watch {
    store: SqliteStore,
    clock: LogClock,
    version: Option<u64>,
    /// Up to where the events of all executions have been seen.
    seen_up_to: SeenUpTo,
    /// Whether those are watched too that start meanwhile.
    is_of_all: bool,
    /// Those that cannot be read or are set aside.
    damaged: BTreeSet<ExecutionId>,
    /// Those that are watched no longer since the last look.
    forgotten: BTreeSet<ExecutionId>,
    seen: BTreeMap<ExecutionId, Seen>,
}

/// So many workflows are looked into for how wide the names of their nodes are.
const WORKFLOWS_MAX: usize = 20;

/// A child that is to be watched.
struct NewChild {
    id: ExecutionId,
    of: ChildOf,
    /// Whether it was started before its parent was watched.
    is_past: bool,
}

impl Watch {
    /// Watch these executions, and their children for their sake.
    pub(super) fn new(
        store: SqliteStore,
        records: impl IntoIterator<Item = ExecutionRecord>,
    ) -> Self {
        let seen = records
            .into_iter()
            .map(|record| (record.id, Seen::nothing(record, store.is_simulated())))
            .collect();
        Self {
            store,
            clock: LogClock::system(),
            version: None,
            seen_up_to: SeenUpTo::NOTHING_YET,
            is_of_all: false,
            damaged: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            seen,
        }
    }

    /// Watch all executions that have not ended, and those that start meanwhile. Answers
    /// also whether all can be read; those that cannot are named.
    pub(super) fn of_all(mut store: SqliteStore) -> anyhow::Result<(Self, bool)> {
        // Asked before they are listed, so that none that starts falls in between.
        let (_, seen_up_to) = store.changed_since(SeenUpTo::NOTHING_YET)?;
        let (mut records, whole) = damage::named(list::all(&mut store)?);
        records.retain(|record| !ended(record.status));
        let watch = Self {
            seen_up_to,
            is_of_all: true,
            ..Self::new(store, records)
        };
        Ok((watch, whole))
    }

    /// The texts of the workflows of the first that are watched.
    pub(super) fn workflows(&mut self) -> Result<Vec<String>, StoreError> {
        let mut texts = Vec::new();
        for seen in self.seen.values().take(WORKFLOWS_MAX) {
            let of = &seen.record;
            let found = self
                .store
                .workflow(&of.tenant, &of.workflow_id, &of.workflow_version);
            match found {
                // What is damaged is told by those who need it.
                Err(error) if error.is_of_one() => {}
                found => texts.extend(found?.map(|workflow| workflow.text)),
            }
        }
        Ok(texts)
    }

    /// Whether they are simulated.
    pub(super) fn is_simulated(&self) -> bool {
        self.store.is_simulated()
    }

    /// Watch this one no longer: what was seen of it.
    pub(super) fn forget(&mut self, id: ExecutionId) -> Option<Seen> {
        self.damaged.remove(&id);
        self.forgotten.insert(id);
        self.seen.remove(&id)
    }

    /// All of them have just been started here: nothing happened before.
    pub(super) fn are_new(&mut self) {
        self.seen.values_mut().for_each(Seen::is_new);
    }

    /// The executions, as they were when last looked at.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.seen.values().filter(|seen| seen.child_of.is_none())
    }

    /// The children of an execution that have not ended, and theirs, where they are watched
    /// for its sake.
    pub(super) fn children(&self, seen: &Seen) -> Vec<&Seen> {
        let mut all: Vec<&Seen> = Vec::new();
        let mut next = 0;
        let mut parent = seen;
        loop {
            let children = parent.children.iter().filter_map(|id| self.seen.get(id));
            all.extend(children.filter(|child| child.child_of.is_some() && !child.ended()));
            match all.get(next) {
                Some(child) => parent = child,
                None => return all,
            }
            next += 1;
        }
    }

    /// Whether an execution that runs stands still because children of it, or theirs, are
    /// stalled: nothing else brings it further.
    pub(super) fn stands_still(&self, seen: &Seen) -> bool {
        let (mut left, mut is_stalled) = (vec![seen], false);
        while let Some(seen) = left.pop() {
            match seen.record.status {
                Status::Stalled => is_stalled = true,
                _ if !waits_for_children_alone(seen, self.now(seen)) => return false,
                _ => {
                    let children = seen.children.iter().map(|id| self.seen.get(id));
                    for child in children {
                        match child.filter(|it| !it.ended() && !it.is_damaged()) {
                            Some(child) => left.push(child),
                            None => return false,
                        }
                    }
                }
            }
        }
        is_stalled
    }

    /// Whether a child of it, or one of theirs, is stalled.
    pub(super) fn has_stalled_child(&self, seen: &Seen) -> bool {
        let children = self.children(seen);
        let is_stalled = |it: &&Seen| it.record.status == Status::Stalled;
        children.iter().any(is_stalled)
    }

    /// Finds out for what nodes failed that failed for their children.
    pub(super) fn look_below(&mut self) -> Result<(), StoreError> {
        for seen in self.seen.values_mut().filter(|it| it.child_of.is_none()) {
            leaf::tell(&mut self.store, seen.record.id, &mut seen.nodes)?;
        }
        Ok(())
    }

    /// The workflow of this execution.
    pub(super) fn written(&mut self, record: &ExecutionRecord) -> Result<Written, StoreError> {
        Written::of(&mut self.store, record)
    }

    /// What time it is for this execution, by the log.
    pub(super) fn now(&self, seen: &Seen) -> Timestamp {
        time::of_execution(&seen.record, seen.simulated, self.clock.now())
    }

    /// What time it is, by the log.
    pub(super) fn time(&self) -> Timestamp {
        self.clock.now()
    }

    /// One of them.
    pub(super) fn one(&self, id: ExecutionId) -> Option<&Seen> {
        self.seen.get(&id)
    }

    /// The engine has set these aside. Answers which of them are watched.
    pub(super) fn set_aside(
        &mut self,
        ids: &BTreeMap<ExecutionId, Arc<StoreError>>,
    ) -> Vec<ExecutionId> {
        let mut watched = Vec::new();
        for (id, why) in ids {
            if let Some(seen) = self.seen.get_mut(id).filter(|seen| !seen.ended()) {
                seen.set_aside = Some(why.to_string());
                watched.push(*id);
            }
        }
        watched
    }

    /// Look again: `told` is called with each new event. Answers which of the
    /// executions may be another than before; at the first look, all.
    pub(super) fn look(
        &mut self,
        mut told: impl FnMut(&Seen, &StoredEvent),
    ) -> Result<Vec<ExecutionId>, StoreError> {
        let version = self.store.version()?;
        if self.version == Some(version) {
            return Ok(Vec::new());
        }
        self.clock.look(&mut self.store)?;
        // Asked before the logs are read, so that nothing falls in between.
        let (mut changed, seen_up_to) = self.store.changed_since(self.seen_up_to)?;
        // The end of one can have been read before it is among what has changed.
        let forgotten = std::mem::take(&mut self.forgotten);
        if let Some(changed) = &mut changed {
            changed.retain(|id| !forgotten.contains(id));
        }
        self.begin_to_watch(changed.as_deref().unwrap_or_default())?;
        let is_first = self.version.is_none();
        let mut new = match changed {
            Some(changed) if !is_first => changed,
            _ => self.seen.keys().copied().collect(),
        };
        // What is damaged may be mended, and nothing is appended then.
        new.extend(&self.damaged);
        new.retain(|id| self.seen.get(id).is_some_and(|seen| !seen.ended()));
        let mut place = 0;
        while let Some(id) = new.get(place).copied() {
            place += 1;
            let Some(seen) = self.seen.get_mut(&id) else {
                continue;
            };
            let mut children = Vec::new();
            let mut told = |seen: &Seen, stored: &StoredEvent| {
                children.extend(new_child(seen, &stored.event));
                told(seen, stored);
            };
            seen.damage = match seen.look(&mut self.store, &mut told) {
                Ok(()) => None,
                // One that is damaged does not stop the others.
                Err(error) if error.is_of_one() => Some(error.to_string()),
                Err(error) => return Err(error),
            };
            match seen.is_damaged() {
                true => self.damaged.insert(id),
                false => self.damaged.remove(&id),
            };
            if !self.is_of_all {
                new.extend(self.begin_to_follow(children)?);
            }
        }
        self.seen_up_to = seen_up_to;
        self.version = Some(version);
        Ok(new)
    }
}

impl Watch {
    /// Watches children for the sake of those that started them. Answers which are new.
    fn begin_to_follow(&mut self, children: Vec<NewChild>) -> Result<Vec<ExecutionId>, StoreError> {
        let simulated = self.is_simulated();
        let mut new = Vec::new();
        for NewChild { id, of, is_past } in children {
            let record = match self.store.execution(id) {
                // It is named by those who list executions.
                Err(error) if error.is_of_one() => continue,
                record => record?,
            };
            let Some(record) = record.filter(|it| it.tampering.is_none()) else {
                continue;
            };
            // Of elements of a map, and of the past, those that go on are enough.
            let goes_on = !ended(record.status);
            if self.seen.contains_key(&id) || !(goes_on || (!is_past && !of.is_instance())) {
                continue;
            }
            let mut seen = Seen::nothing(record, simulated);
            if !is_past {
                seen.is_new();
            }
            seen.child_of = Some(of);
            self.seen.insert(id, seen);
            new.push(id);
        }
        Ok(new)
    }

    /// Watches those of these that are new, if all are to be watched.
    fn begin_to_watch(&mut self, changed: &[ExecutionId]) -> Result<(), StoreError> {
        if !self.is_of_all {
            return Ok(());
        }
        let simulated = self.is_simulated();
        for id in changed {
            if self.seen.contains_key(id) {
                continue;
            }
            let record = match self.store.execution(*id) {
                // It is named by those who list executions.
                Err(error) if error.is_of_one() => continue,
                record => record?,
            };
            if let Some(record) = record.filter(|it| it.tampering.is_none()) {
                let mut seen = Seen::nothing(record, simulated);
                // All that is told of it happened while others were watched.
                seen.is_new();
                self.seen.insert(*id, seen);
            }
        }
        Ok(())
    }
}

/// The child that was started with this event of an execution.
fn new_child(seen: &Seen, event: &Event) -> Option<NewChild> {
    let EventKind::ChildStarted(it) = &event.kind else {
        return None;
    };
    let of = ChildOf {
        root: seen.root(),
        root_began_at: seen.root_began_at(),
        way: format!("{}{}/", seen.way(), it.node_id),
    };
    Some(NewChild {
        id: it.child_id.parse().ok()?,
        of,
        is_past: seen.is_past(event),
    })
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::cli::waiting_world::WaitingWorld;

    /// Each event that is told makes the log grow by one more.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_that_grows_while_it_is_read_keeps_nobody() -> anyhow::Result<()> {
        let world = WaitingWorld::begin().await?;
        let execution = world.execution.clone();
        let record = execution.record().await?;
        let store = SqliteStore::open_read_only(&world.file)?;
        let handle = Handle::current();
        let (told, first, second) = tokio::task::spawn_blocking(move || {
            let mut watch = Watch::new(store, [record]);
            let mut told = 0;
            let mut look = |watch: &mut Watch| {
                let before = told;
                watch.look(|_, _| {
                    told += 1;
                    let paused = match told % 2 {
                        1 => handle.block_on(execution.pause(None)),
                        _ => handle.block_on(execution.unpause(None)),
                    };
                    paused.expect("an execution that waits is paused and goes on");
                    assert!(told < 100, "the look goes on for as long as the log grows");
                })?;
                Ok::<u64, StoreError>(told - before)
            };
            let (first, second) = (look(&mut watch)?, look(&mut watch)?);
            Ok::<_, StoreError>((told, first, second))
        })
        .await??;
        // What came meanwhile is told at the next look.
        assert!(first > 0);
        assert_eq!(second, first);
        assert_eq!(told, first + second);
        world.engine.shutdown().await;
        Ok(())
    }
}
