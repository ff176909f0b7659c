//! What was seen of one execution that is watched.

use std::collections::BTreeSet;

use refrain::id::ExecutionId;
use refrain::limits::EVENTS_PAGE_MAX;
use refrain::model::{Event, EventKind, instance_of};
use refrain::replay::nodes::Nodes;
use refrain::store::{
    ExecutionRecord, ItemRecord, Reader, SqliteStore, StoreError, StoredEvent, Timestamp, ended,
};

use super::damage;
use super::database::Database;
use super::ending::Ending;
use super::text::Text;
use super::unresolved;
use super::why_ended::Written;

/// What was seen of one execution.
pub(super) struct Seen {
    pub(super) record: ExecutionRecord,
    pub(super) simulated: bool,
    pub(super) nodes: Nodes,
    pub(super) ending: Ending,
    /// Its unsettled work and dead letters; none once it has ended.
    pub(super) items: Vec<ItemRecord>,
    /// Its place among those that are watched, if it is watched for its parent's sake.
    pub(super) child_of: Option<ChildOf>,
    /// Its children that were started, and whose end has not been told to it.
    pub(super) children: BTreeSet<ExecutionId>,
    /// When the last end of a child was told to it.
    pub(super) told_of_child_at: Option<Timestamp>,
    /// What of it cannot be read, if anything: it is not looked at any further.
    pub(super) damage: Option<String>,
    /// Why the engine has set it aside: what can be read may not be written.
    pub(super) set_aside: Option<String>,
    /// The last event of what happened before it was watched.
    before: u64,
    events: u64,
    /// Its workflow's text, once that was needed.
    written: Option<Written>,
}

/// Whose child it is.
pub(super) struct ChildOf {
    /// The watched execution that it comes from.
    pub(super) root: ExecutionId,
    /// When that began.
    pub(super) root_began_at: Timestamp,
    /// The way from there to its nodes: each node that started a child, with a slash.
    pub(super) way: String,
}

impl Seen {
    /// Nothing yet.
    pub(super) fn nothing(record: ExecutionRecord, simulated: bool) -> Self {
        let (nodes, ending) = (Nodes::default(), Ending::default());
        Self {
            before: record.head.sequence,
            record,
            simulated,
            nodes,
            ending,
            items: Vec::new(),
            child_of: None,
            children: BTreeSet::new(),
            told_of_child_at: None,
            damage: None,
            set_aside: None,
            events: 0,
            written: None,
        }
    }

    /// All that is told of it happened while it, or its parent, was watched.
    pub(super) fn is_new(&mut self) {
        self.before = 0;
    }

    /// Whether this event stood in its log before it was watched.
    pub(super) fn is_past(&self, event: &Event) -> bool {
        event.sequence <= self.before
    }

    /// What stands before the names of its nodes: the way to it from the execution that is
    /// watched.
    pub(super) fn way(&self) -> &str {
        self.child_of.as_ref().map_or("", |of| &of.way)
    }

    /// The execution for whose sake it is watched, or itself.
    pub(super) fn root(&self) -> ExecutionId {
        let of = self.child_of.as_ref();
        of.map_or(self.record.id, |of| of.root)
    }

    /// When the execution began for whose sake it is watched, or itself.
    pub(super) fn root_began_at(&self) -> Timestamp {
        let of_root = self.child_of.as_ref().map(|of| of.root_began_at);
        of_root.unwrap_or(self.record.started_at)
    }

    /// Whether it waits for children.
    pub(super) fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    /// Whether it has ended for good, and its end has been read.
    pub(super) fn ended(&self) -> bool {
        ended(self.record.status) && self.events >= self.record.head.sequence
    }

    /// Whether it is set aside, or must be.
    pub(super) fn is_damaged(&self) -> bool {
        self.why().is_some() || self.record.tampering.is_some()
    }

    /// What of it is damaged, in a sentence.
    pub(super) fn why(&self) -> Option<&str> {
        self.damage.as_deref().or(self.set_aside.as_deref())
    }

    /// Why it is set aside, or must be.
    pub(super) fn why_damaged(&self, database: &Database) -> Option<Text> {
        damage::why_set_aside(&self.record, database).or_else(|| self.why().map(Text::word))
    }

    /// Reads what is new of it: `told` is called with each new event.
    pub(super) fn look(
        &mut self,
        store: &mut SqliteStore,
        told: &mut impl FnMut(&Self, &StoredEvent),
    ) -> Result<(), StoreError> {
        // The record comes first, so that the events are never behind it.
        let Some(record) = store.execution(self.record.id)? else {
            return Ok(());
        };
        self.record = record;
        self.read_on(store, told)?;
        self.items = if self.ended() {
            Vec::new()
        } else {
            store.items(self.record.id)?.all()?
        };
        Ok(())
    }

    fn follow_children(&mut self, event: &Event) {
        match &event.kind {
            EventKind::ChildStarted(it) => self
                .children
                .extend(it.child_id.parse::<ExecutionId>().ok()),
            EventKind::ChildEnded(it) => {
                let id: Option<ExecutionId> = it.child_id.parse().ok();
                id.map(|id| self.children.remove(&id));
                self.told_of_child_at = Some(event.at);
            }
            _ => {}
        }
    }

    fn read_on(
        &mut self,
        store: &mut SqliteStore,
        told: &mut impl FnMut(&Self, &StoredEvent),
    ) -> Result<(), StoreError> {
        // No further than the record: a log that grows while it is read would keep
        // the program here, and what follows is read at the next look.
        while self.events < self.record.head.sequence {
            let page = store.events(self.record.id, self.events + 1, EVENTS_PAGE_MAX)?;
            if page.is_empty() {
                break;
            }
            for stored in &page {
                self.events = stored.event.sequence;
                self.follow_children(&stored.event);
                self.nodes.apply(&stored.event);
                self.ending.apply(&stored.event);
                let (record, nodes, written) = (&self.record, &mut self.nodes, &mut self.written);
                unresolved::tell_of(store, record, &stored.event, nodes, written)?;
                told(self, stored);
            }
        }
        Ok(())
    }
}

impl ChildOf {
    /// Whether it is the child of an element of a map, or comes from one.
    pub(super) fn is_instance(&self) -> bool {
        self.way.split('/').any(|node| instance_of(node).is_some())
    }
}
