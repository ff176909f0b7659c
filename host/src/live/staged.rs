//! One execution as an open turn sees it: what is stored, and on top of it
//! what the turn has staged. Nothing in here reaches the store.

use std::collections::BTreeMap;

use crate::contract::{Event, EventKind, Status, WorkItem};
use crate::limits::{EVENTS_PAGE_BYTES_MAX, EVENTS_PAGE_MAX};
use crate::log::chain;
use crate::store::{
    ExecutionChange, ExecutionRecord, Head, ItemChange, ItemRecord, ItemState, Lease, Store,
    StoreError, StoredEvent, Timestamp,
};

/// Events that are fetched from the store at once. A page's bytes are counted
/// after each such step, so no more than this many of the largest events are
/// in memory.
const STEP: u32 = 64;

/// What happened to work items, and how they are afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items {
    /// Each item that changed, by node; none: it is gone.
    after: BTreeMap<String, Option<ItemRecord>>,
    changes: Vec<ItemChange>,
}

impl Items {
    /// The item is ordered, in place of a dead letter of the same node.
    pub(crate) fn enqueue(&mut self, item: WorkItem, at: Timestamp) {
        let record = ItemRecord {
            item: item.clone(),
            enqueued_at: at,
            state: ItemState::Waiting,
        };
        self.after.insert(item.node_id.clone(), Some(record));
        let lease = None;
        self.changes.push(ItemChange::Enqueue { item, at, lease });
    }

    /// The item is claimed, or its claim renewed.
    pub(crate) fn lease(&mut self, mut record: ItemRecord, lease: Lease) {
        let node_id = record.item.node_id.clone();
        record.state = ItemState::Leased(lease.clone());
        self.after.insert(node_id.clone(), Some(record));
        self.changes.push(ItemChange::Lease { node_id, lease });
    }

    /// The item leaves the queue.
    pub(crate) fn remove(&mut self, node_id: &str) {
        self.after.insert(node_id.to_owned(), None);
        self.changes.push(ItemChange::Remove {
            node_id: node_id.to_owned(),
        });
    }

    /// The item's attempt failed, and it is a dead letter from here on, unless
    /// a further attempt is ordered.
    pub(crate) fn bury(&mut self, mut record: ItemRecord, error: &str, at: Timestamp) {
        record.state = ItemState::Dead {
            error: error.to_owned(),
            since: at,
        };
        let node_id = record.item.node_id.clone();
        self.changes.push(ItemChange::Bury {
            node_id: node_id.clone(),
            item: record.item.clone(),
            enqueued_at: record.enqueued_at,
            error: error.to_owned(),
            at,
        });
        self.after.insert(node_id, Some(record));
    }

    /// The node's item, if it changed here.
    pub(crate) fn changed(&self, node_id: &str) -> Option<Option<&ItemRecord>> {
        self.after.get(node_id).map(Option::as_ref)
    }

    /// All items that changed and are still there.
    pub(crate) fn changed_present(&self) -> impl Iterator<Item = &ItemRecord> {
        self.after.values().flatten()
    }

    /// How many items changed.
    pub(crate) fn changed_count(&self) -> usize {
        self.after.len()
    }

    fn extend(&mut self, later: Items) {
        self.after.extend(later.after);
        self.changes.extend(later.changes);
    }
}

/// An execution within a turn.
pub(crate) struct Staged {
    /// The head that the turn builds on.
    expected: Head,
    /// What it was before the turn; none: it is new.
    pub(crate) status_before: Option<Status>,
    /// What it is now.
    pub(crate) record: ExecutionRecord,
    /// Stalled by the host, because its guest failed; it is not ticked until
    /// an operator lifts that.
    pub(crate) held: bool,
    events: Vec<StoredEvent>,
    items: Items,
}

impl Staged {
    /// An execution that is stored.
    pub(crate) fn stored(record: ExecutionRecord, held: bool) -> Self {
        let status_before = Some(record.status);
        Self {
            expected: record.head,
            status_before,
            record,
            held,
            events: Vec::new(),
            items: Items::default(),
        }
    }

    /// An execution that begins in this turn.
    pub(crate) fn new(record: ExecutionRecord) -> Self {
        Self {
            expected: Head::default(),
            status_before: None,
            record,
            held: false,
            events: Vec::new(),
            items: Items::default(),
        }
    }

    /// Append an event that has been checked.
    pub(crate) fn push(&mut self, event: Event) {
        let stored = chain::follow(&self.record.head, event);
        self.record.head = stored.head();
        self.record.last_at = stored.event.at;
        self.events.push(stored);
    }

    /// What the turn appended.
    pub(crate) fn events(&self) -> &[StoredEvent] {
        &self.events
    }

    /// The last event, if the turn appended any.
    pub(crate) fn last_event(&self) -> Option<&Event> {
        self.events.last().map(|stored| &stored.event)
    }

    /// What the turn did to its items.
    pub(crate) fn items(&self) -> &Items {
        &self.items
    }

    /// What the turn did to its items, to do more.
    pub(crate) fn items_mut(&mut self) -> &mut Items {
        &mut self.items
    }

    /// Take over what a tick did to the items.
    pub(crate) fn settle(&mut self, later: Items) {
        self.items.extend(later);
    }

    /// The node's item, staged or stored.
    pub(crate) fn item(
        &self,
        store: &mut dyn Store,
        node_id: &str,
    ) -> Result<Option<ItemRecord>, StoreError> {
        match self.items.changed(node_id) {
            Some(item) => Ok(item.cloned()),
            None if self.status_before.is_none() => Ok(None),
            None => store.item(self.record.id, node_id),
        }
    }

    /// All items, staged and stored.
    pub(crate) fn all_items(&self, store: &mut dyn Store) -> Result<Vec<ItemRecord>, StoreError> {
        let mut items = if self.status_before.is_none() {
            Vec::new()
        } else {
            store.items(self.record.id)?
        };
        items.retain(|record| self.items.changed(&record.item.node_id).is_none());
        items.extend(self.items.changed_present().cloned());
        Ok(items)
    }

    /// A page of events from `first` on, stored and staged: at most `max` of
    /// them, and no more than [`EVENTS_PAGE_MAX`] or [`EVENTS_PAGE_BYTES_MAX`].
    pub(crate) fn page(
        &self,
        store: &mut dyn Store,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let max = max.min(EVENTS_PAGE_MAX) as usize;
        let mut page: Vec<StoredEvent> = Vec::new();
        let mut bytes = 0;
        let mut next = first.max(1);
        while page.len() < max && bytes < EVENTS_PAGE_BYTES_MAX {
            let step = self.step(store, next, STEP.min((max - page.len()) as u32))?;
            if step.is_empty() {
                break;
            }
            next += step.len() as u64;
            for stored in step {
                bytes += payload_bytes(&stored.event);
                if !page.is_empty() && bytes > EVENTS_PAGE_BYTES_MAX {
                    return Ok(page);
                }
                page.push(stored);
            }
        }
        Ok(page)
    }

    fn step(
        &self,
        store: &mut dyn Store,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        if first > self.expected.sequence {
            let skip = usize::try_from(first - self.expected.sequence - 1).unwrap_or(usize::MAX);
            return Ok(self
                .events
                .iter()
                .skip(skip)
                .take(max as usize)
                .cloned()
                .collect());
        }
        let stored_left = self.expected.sequence - first + 1;
        store.events(
            self.record.id,
            first,
            max.min(u32::try_from(stored_left).unwrap_or(u32::MAX)),
        )
    }

    /// What the turn writes of this execution; none: nothing changed.
    pub(crate) fn into_change(self) -> Option<ExecutionChange> {
        if self.events.is_empty() && self.items.changes.is_empty() {
            return None;
        }
        Some(ExecutionChange {
            expected: self.expected,
            events: self.events,
            record: self.record,
            items: self.items.changes,
        })
    }
}

/// The bytes of user payload in an event: all of an event that can be large.
fn payload_bytes(event: &Event) -> usize {
    match &event.kind {
        EventKind::WorkflowStarted(it) => it.initial_input.len(),
        EventKind::WorkflowCompleted(it) => it.final_state.len(),
        EventKind::NodeCompleted(it) => it.output.len() + it.state_patch.len(),
        EventKind::InterruptRaised(it) => it.state_for_review.len(),
        EventKind::ApprovalReceived(it) => it.state_patch.as_ref().map_or(0, String::len),
        EventKind::ExternalEventReceived(it) => it.payload.len(),
        _ => 0,
    }
}
