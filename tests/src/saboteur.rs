//! A store as a wrong host writes to it.
//!
//! All that a host does to the world is the turns that it commits, and what it
//! answers. So a host that is wrong in what it writes is a right one over a
//! store that changes its turns on the way. What is changed is chained anew by
//! [`rechained`], so that not the chain but the law in question finds it.

use std::sync::{Arc, Mutex, PoisonError};

use refrain::model::{Event, EventKind, Origin};
use refrain::store::{
    CommitError, DueWake, ExecutionChange, ItemRecord, Many, Reader, Store, StoreError, Timestamp,
    Turn,
};

use rusqlite::Connection;

use crate::chained::chained;
use crate::checkers::TurnSeen;

/// What a wrong host does.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// It writes a turn otherwise. None: it leaves this one as it is.
    Write(fn(&Turn, &mut dyn Store) -> Option<Result<(), CommitError>>),
    /// It changes the database file behind the store's back, after a turn.
    /// False: there was nothing to change yet.
    Behind(fn(&Connection) -> bool),
    /// It never finds what is to be done.
    Overlook(Sight),
    /// Of what may be claimed it finds the newest first.
    NewestFirst,
}

/// What is to be found by those who look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Items that may be claimed.
    Items,
    /// Items that may be claimed, in turns in which someone was woken: as if
    /// what a timeout frees were nobody's.
    ItemsBesideWakes,
    /// Leases that are over.
    Leases,
    /// Executions whose wake is due.
    Wakes,
}

/// What a [`Saboteur`] has done so far; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Doings(Arc<Mutex<Done>>);

#[derive(Debug, Default)]
struct Done {
    deed: bool,
    turns: Vec<TurnSeen>,
}

impl Doings {
    /// Whether the deed was done.
    #[must_use]
    pub fn deed(&self) -> bool {
        self.with(|done| done.deed)
    }

    /// The turns that were written since this was last asked.
    #[must_use]
    pub fn turns(&self) -> Vec<TurnSeen> {
        self.with(|done| std::mem::take(&mut done.turns))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Done) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// More than there is of anything.
const ALL: usize = 100_000;

/// Whether it is done again and again.
fn is_lasting(deed: Deed) -> bool {
    matches!(deed, Deed::Overlook(_) | Deed::NewestFirst)
}

/// A store whose turns are changed on the way to it: once.
pub struct Saboteur {
    inner: Box<dyn Store>,
    deed: Option<Deed>,
    doings: Doings,
    /// 1 from the deed on.
    done: u64,
    /// Whether someone was woken in this turn; none: there is no turn.
    woken: Option<bool>,
}

impl Saboteur {
    /// `inner`, to which this is done once, at the first turn that it suits.
    #[must_use]
    pub fn new(inner: Box<dyn Store>, deed: Option<Deed>, doings: &Doings) -> Self {
        Self {
            inner,
            deed: deed.filter(|deed| is_lasting(*deed) || !doings.deed()),
            doings: doings.clone(),
            done: 0,
            woken: None,
        }
    }

    fn did_it(&mut self) {
        self.deed = None;
        self.done = 1;
        self.doings.with(|done| done.deed = true);
    }

    /// What was found, but for what is overlooked.
    fn seen<T>(&self, sight: Sight, found: Many<T>) -> Many<T> {
        if !matches!(self.deed, Some(Deed::Overlook(hidden)) if hidden == sight) {
            return found;
        }
        if !found.found.is_empty() {
            self.doings.with(|done| done.deed = true);
        }
        Many::whole(Vec::new())
    }

    /// The same, the newest first, where that is the deed.
    fn turned(
        &mut self,
        question: (&str, &str, Timestamp),
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let (tenant, queue, now) = question;
        if !matches!(self.deed, Some(Deed::NewestFirst)) {
            return self.inner.claimable(tenant, queue, now, max);
        }
        let mut all = self.inner.claimable(tenant, queue, now, ALL)?;
        if all.found.len() > max {
            self.doings.with(|done| done.deed = true);
        }
        all.found.reverse();
        all.found.truncate(max);
        Ok(all)
    }

    fn file(&self) -> Result<Connection, CommitError> {
        let place = self.inner.place();
        Connection::open(&place).map_err(|error| {
            CommitError::Unknown(StoreError::Io {
                place,
                detail: error.to_string(),
            })
        })
    }
}

/// The events of a change as they follow on one another, with the record that
/// they lead to: for after a change of them.
#[must_use]
pub fn rechained(mut change: ExecutionChange, events: Vec<Event>) -> ExecutionChange {
    let mut head = change.expected;
    change.events = events
        .into_iter()
        .map(|event| {
            let sequence = head.sequence + 1;
            let stored = chained(&head, Event { sequence, ..event });
            head = stored.head();
            stored
        })
        .collect();
    change.record.head = head;
    if let Some(last) = change.events.last() {
        change.record.last_at = last.event.at;
    }
    change
}

/// A fact, as it would be the next of this change.
#[must_use]
pub fn fact(change: &ExecutionChange, kind: EventKind) -> Event {
    Event {
        sequence: change.record.head.sequence + 1,
        at: change.record.last_at,
        origin: Origin::Fact,
        kind,
    }
}

impl Store for Saboteur {
    fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        self.woken = None;
        let written = match self.deed {
            Some(Deed::Write(write)) => write(turn, self.inner.as_mut()),
            Some(Deed::Behind(_) | Deed::Overlook(_) | Deed::NewestFirst) | None => None,
        };
        match written {
            Some(written) => {
                self.did_it();
                written?;
            }
            None => self.inner.commit(turn)?,
        }
        if let Some(Deed::Behind(change)) = self.deed
            && change(&self.file()?)
        {
            self.did_it();
        }
        self.doings.with(|done| done.turns.push(turn.into()));
        Ok(())
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.woken = Some(false);
        self.inner.begin()
    }

    fn rollback(&mut self) {
        self.woken = None;
        self.inner.rollback();
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        // A wrong host goes on from what it wrote, and not from what it should
        // have written: so it looks anew.
        Ok(self.inner.version()? + self.done)
    }

    refrain::delegate_store!(inner: purge, reopen, watched_file);
}

impl Reader for Saboteur {
    fn claimable(
        &mut self,
        tenant: &str,
        queue: &str,
        now: Timestamp,
        max: usize,
    ) -> Result<Many<ItemRecord>, StoreError> {
        let found = self.turned((tenant, queue, now), max)?;
        let found = self.seen(Sight::Items, found);
        Ok(match self.woken {
            Some(true) => self.seen(Sight::ItemsBesideWakes, found),
            _ => found,
        })
    }

    fn expired(&mut self, now: Timestamp, max: usize) -> Result<Many<ItemRecord>, StoreError> {
        let found = self.inner.expired(now, max)?;
        Ok(self.seen(Sight::Leases, found))
    }

    fn due(
        &mut self,
        now: Timestamp,
        after: Option<DueWake>,
        max: usize,
    ) -> Result<Many<DueWake>, StoreError> {
        let found = self.inner.due(now, after, max)?;
        if let Some(woken) = &mut self.woken {
            *woken |= !found.found.is_empty();
        }
        Ok(self.seen(Sight::Wakes, found))
    }

    refrain::delegate_store!(inner: place, is_simulated, reader, begin_reading, end_reading);
    refrain::delegate_store!(inner: execution, list, labels, output, last_begun, changed_since, raw_events, items, item);
    refrain::delegate_store!(inner: dead_letters, claimed_by, waiting_queues, lease_holders, next_due, last_at, last_reading);
    refrain::delegate_store!(inner: workflow, component, snapshot, child, children, owed_children, descendants, has_children);
}
