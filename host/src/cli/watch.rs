//! Watching executions: what is new in their logs since the last look.
//!
//! A watch reads the database through a connection of its own, and reads logs
//! only when somebody has committed something.

use std::collections::BTreeMap;

use refrain::LogClock;
use refrain::id::ExecutionId;
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::store::{
    ExecutionRecord, ItemRecord, Store, StoreError, StoredEvent, Timestamp, ended,
};

use super::damage;
use super::database::Database;
use super::ending::Ending;
use super::nodes::Nodes;
use super::sentence::Sentences;
use super::text::Text;
use super::time;

/// A watch on some executions.
pub(super) struct Watch<S> {
    store: S,
    clock: LogClock,
    version: Option<u64>,
    seen: BTreeMap<ExecutionId, Seen>,
}

/// What was seen of one execution.
pub(super) struct Seen {
    pub(super) record: ExecutionRecord,
    pub(super) nodes: Nodes,
    pub(super) ending: Ending,
    /// Its unsettled work and dead letters; none once it has ended.
    pub(super) items: Vec<ItemRecord>,
    /// What of it cannot be read, if anything: it is not looked at any further.
    pub(super) damage: Option<String>,
    events: u64,
}

impl<S: Store> Watch<S> {
    /// Watch these executions.
    pub(super) fn new(store: S, records: impl IntoIterator<Item = ExecutionRecord>) -> Self {
        let seen = records
            .into_iter()
            .map(|record| (record.id, Seen::nothing(record)))
            .collect();
        Self {
            store,
            clock: LogClock::system(),
            version: None,
            seen,
        }
    }

    /// The executions, as they were when last looked at.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.seen.values()
    }

    /// What time it is for this execution, by the log.
    pub(super) fn now(&self, seen: &Seen) -> Timestamp {
        time::of_execution(&seen.record, self.clock.now())
    }

    /// The same, to be completed.
    pub(super) fn seen_mut(&mut self) -> impl Iterator<Item = &mut Seen> {
        self.seen.values_mut()
    }

    /// Look again: `told` is called with each new event. Whether anything in
    /// the database was new.
    pub(super) fn look(
        &mut self,
        mut told: impl FnMut(&Seen, &StoredEvent),
    ) -> Result<bool, StoreError> {
        let version = self.store.version()?;
        if self.version == Some(version) {
            return Ok(false);
        }
        self.clock.look(&mut self.store)?;
        for seen in self.seen.values_mut().filter(|seen| !seen.ended()) {
            seen.damage = match seen.look(&mut self.store, &mut told) {
                Ok(()) => None,
                // One that is damaged does not stop the others.
                Err(error) if error.is_of_one() => Some(error.to_string()),
                Err(error) => return Err(error),
            };
        }
        self.version = Some(version);
        Ok(true)
    }
}

impl Seen {
    fn nothing(record: ExecutionRecord) -> Self {
        let (nodes, ending) = (Nodes::default(), Ending::default());
        Self {
            record,
            nodes,
            ending,
            items: Vec::new(),
            damage: None,
            events: 0,
        }
    }

    /// How sentences about it are to be read.
    pub(super) fn sentences<'a>(&'a self, database: &'a Database) -> Sentences<'a> {
        Sentences {
            database,
            names: self.nodes.names(),
        }
    }

    /// Whether it has ended for good, and its end has been read.
    pub(super) fn ended(&self) -> bool {
        ended(self.record.status) && self.events >= self.record.head.sequence
    }

    /// Whether it is set aside, or must be.
    pub(super) fn is_damaged(&self) -> bool {
        self.damage.is_some() || self.record.tampering.is_some()
    }

    /// Why it is set aside, or must be.
    pub(super) fn why_damaged(&self, database: &Database) -> Option<Text> {
        damage::why_set_aside(&self.record, database)
            .or_else(|| self.damage.as_deref().map(Text::word))
    }

    fn look(
        &mut self,
        store: &mut impl Store,
        told: &mut impl FnMut(&Self, &StoredEvent),
    ) -> Result<(), StoreError> {
        // The record comes first, so that the events are never behind it.
        let Some(record) = store.execution(self.record.id)? else {
            return Ok(());
        };
        self.record = record;
        self.read_on(store, told)?;
        self.items = match self.ended() {
            true => Vec::new(),
            false => store.items(self.record.id)?.all()?,
        };
        Ok(())
    }

    fn read_on(
        &mut self,
        store: &mut impl Store,
        told: &mut impl FnMut(&Self, &StoredEvent),
    ) -> Result<(), StoreError> {
        loop {
            let page = store.events(self.record.id, self.events + 1, EVENTS_PAGE_MAX)?;
            if page.is_empty() {
                return Ok(());
            }
            for stored in &page {
                self.events = stored.event.sequence;
                self.nodes.apply(&stored.event);
                self.ending.apply(&stored.event);
                told(self, stored);
            }
        }
    }
}
