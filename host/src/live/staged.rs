//! One execution as an open turn sees it: what is stored, and on top of it
//! what the turn has staged. Nothing in here reaches the store.

use crate::contract::{Event, EventKind, Status};
use crate::limits::{EVENTS_PAGE_BYTES_MAX, EVENTS_PAGE_MAX};
use crate::log::chain;
use crate::store::{ExecutionChange, ExecutionRecord, Head, Store, StoreError, StoredEvent};

use super::items::Items;
use super::known::{KnownExecution, Left};

/// Events that are fetched from the store at once. A page's bytes are counted
/// after each such step, so no more than this many of the largest events are
/// in memory.
const STEP: u32 = 64;

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
    pub(crate) fn stored(known: KnownExecution) -> Self {
        let KnownExecution {
            record,
            items,
            held,
        } = known;
        Self {
            expected: record.head,
            status_before: Some(record.status),
            record,
            held,
            events: Vec::new(),
            items: Items::stored(items),
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

    /// Its work items.
    pub(crate) fn items(&self) -> &Items {
        &self.items
    }

    /// Its work items, to change them.
    pub(crate) fn items_mut(&mut self) -> &mut Items {
        &mut self.items
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

    /// What the turn writes of this execution, if anything changed; and what
    /// it leaves.
    pub(crate) fn settled(self) -> (Option<ExecutionChange>, Left) {
        let (items, stored) = self.items.settled();
        let left = |record| Left {
            record,
            items: stored,
            held: self.held,
        };
        if self.events.is_empty() && items.is_empty() {
            return (None, left(Some(self.record)));
        }
        let change = ExecutionChange {
            expected: self.expected,
            events: self.events,
            record: self.record,
            items,
        };
        (Some(change), left(None))
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
