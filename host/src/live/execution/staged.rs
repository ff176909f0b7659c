//! One execution as an open turn sees it: what is stored, and on top of it
//! what the turn has staged. Nothing in here reaches the store.

use std::sync::Arc;

use crate::limits::{EVENTS_PAGE_BYTES_MAX, EVENTS_PAGE_MAX};
use crate::log::{ChainedEvent, effect};
use crate::model::{Event, EventKind, Outcome, Status, WorkOrder};
use crate::store::{
    ExecutionChange, ExecutionRecord, Head, ItemRecord, Reader, StoreError, StoredEvent, Timestamp,
};

use super::cached::{CacheUpdate, CachedExecution};
use super::checked::{self, Checked, StoreClaims};
use super::items::Items;
use crate::live::values::random::Salts;
use crate::order_rules::OrderRules;

/// Events that are fetched from the store at once. A page's bytes are counted
/// after each such step, so no more than this many of the largest events are
/// in memory.
const STEP: u32 = 64;

/// An execution within a turn.
#[derive(Clone)]
pub(crate) struct Staged {
    /// The head that the turn builds on.
    expected: Head,
    /// The time of that event, as the stored record names it.
    expected_at: Timestamp,
    /// What it was before the turn; none: it is new.
    pub(crate) status_before: Option<Status>,
    /// What it is now.
    pub(crate) record: ExecutionRecord,
    /// The guest that it is stored with, where the turn has handed it to another.
    guest_before: Option<Arc<str>>,
    /// Stalled by the host, because its guest failed; it is not stepped until
    /// an operator lifts that.
    pub(crate) held: bool,
    /// Owed a step: a budget cut it off, and at the time of its last event more is
    /// to be decided.
    pub(crate) owed: bool,
    /// Whether it is stored as such.
    owed_before: bool,
    /// It was stepped at the turn's time until nothing more followed.
    caught_up: bool,
    /// Why its stored snapshot is not to be used, if it is not.
    pub(crate) bad_snapshot: Option<String>,
    /// How far its stored log has been read and holds.
    checked: Option<Head>,
    /// It was set aside, and is so no longer: that is to be written.
    lifted: bool,
    salts: Salts,
    events: Vec<ChainedEvent>,
    items: Items,
    /// What it ordered about children, and nobody has taken up yet.
    pub(crate) child_orders: Vec<WorkOrder>,
    /// What its workflow lets be ordered, if the turn has asked for that.
    pub(crate) rules: Option<Arc<OrderRules>>,
}

impl Staged {
    /// An execution that is stored.
    pub(crate) fn stored(known: CachedExecution, salts: Salts) -> Self {
        let CachedExecution {
            record,
            items,
            held,
        } = known;
        let owed = record.is_owed_a_step() && !held;
        Self {
            expected: record.head,
            expected_at: record.last_at,
            status_before: Some(record.status),
            record,
            guest_before: None,
            held,
            owed,
            owed_before: owed,
            caught_up: false,
            bad_snapshot: None,
            checked: None,
            lifted: false,
            salts,
            events: Vec::new(),
            items: Items::stored(items),
            child_orders: Vec::new(),
            rules: None,
        }
    }

    /// An execution that is stored as set aside, and is so no longer.
    pub(crate) fn lifted(known: CachedExecution, salts: Salts) -> Self {
        Self {
            lifted: true,
            ..Self::stored(known, salts)
        }
    }

    /// An execution that begins in this turn.
    pub(crate) fn new(record: ExecutionRecord, salts: Salts) -> Self {
        Self {
            expected: Head::default(),
            expected_at: record.last_at,
            status_before: None,
            record,
            guest_before: None,
            held: false,
            owed: false,
            owed_before: false,
            caught_up: false,
            bad_snapshot: None,
            checked: None,
            lifted: false,
            salts,
            events: Vec::new(),
            items: Items::default(),
            child_orders: Vec::new(),
            rules: None,
        }
    }

    /// A fork that begins in this turn, behind the events that it has in common with its
    /// origin, with the work items that there are then.
    pub(crate) fn copied(
        record: &ExecutionRecord,
        events: &[ChainedEvent],
        items: &[ItemRecord],
        salts: Salts,
    ) -> Self {
        let held = events.iter().fold(false, |held, stored| {
            effect::on_host_stall(&stored.event.kind).unwrap_or(held)
        });
        Self {
            held,
            events: events.to_vec(),
            items: Items::copied(items),
            ..Self::new(record.clone(), salts)
        }
    }

    /// The clock reading for its guest: the turn's, unless it is owed a step.
    pub(crate) fn reading(&self, of_turn: Timestamp) -> Timestamp {
        let last_at = self.record.last_at;
        if self.owed {
            last_at
        } else {
            of_turn.max(last_at)
        }
    }

    /// Whether it is to be woken before anything else of this time. One that asks for a
    /// wake in the past again and again was woken once it has caught up.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let wake = self.record.next_wake;
        !self.owed && !self.caught_up && wake.is_some_and(|wake| wake <= now)
    }

    /// It was stepped at the turn's time until nothing more followed.
    pub(crate) fn has_caught_up(&mut self) {
        self.caught_up = true;
    }

    /// How the execution stands after a step, as its guest says; and whether the
    /// host stalls it.
    pub(crate) fn stands(&mut self, outcome: &Outcome, held: bool) {
        if held {
            return self.hold();
        }
        self.held = false;
        self.record.status = outcome.status;
        self.record.next_wake = outcome.next_wake;
    }

    /// The host stalls it: it is not stepped until an operator lifts that.
    pub(crate) fn hold(&mut self) {
        self.held = true;
        self.owed = false;
        self.record.status = Status::Stalled;
        self.record.next_wake = None;
    }

    /// Hands it to another guest, whose snapshots are not those of the former one.
    /// Answers the former one's digest.
    pub(crate) fn hand_to(&mut self, guest: Arc<str>) -> Arc<str> {
        let former = std::mem::replace(&mut self.record.guest_digest, guest);
        let stored = self.guest_before.get_or_insert_with(|| former.clone());
        if *stored == self.record.guest_digest {
            self.guest_before = None;
        }
        former
    }

    /// Whether the turn has handed it to another guest than it is stored with.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.guest_before.is_some()
    }

    /// What the store claims of it besides its log.
    pub(crate) fn store_claims(&self) -> StoreClaims<'_> {
        StoreClaims {
            record: &self.record,
            guest: self
                .guest_before
                .as_deref()
                .unwrap_or(&self.record.guest_digest),
            last: (self.expected.sequence, self.expected_at),
        }
    }

    /// Appends a fact that the guest has taken, and does to its node's item what
    /// follows from it.
    pub(crate) fn take_fact(&mut self, fact: Event) {
        self.items.take_fact(&fact);
        self.push(fact);
    }

    /// Appends an event that has been checked.
    pub(crate) fn push(&mut self, event: Event) {
        let salt = self.salts.draw(self.record.id, event.sequence);
        let chained = ChainedEvent::new(&self.record.head, event, salt);
        self.record.head = chained.head();
        self.record.last_at = chained.event.at;
        self.events.push(chained);
    }

    /// What the turn appended.
    pub(crate) fn events(&self) -> &[ChainedEvent] {
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

    /// Whether the turn has changed anything of it.
    pub(crate) fn has_changed(&self) -> bool {
        self.lifted || !self.events.is_empty() || self.items.have_changed()
    }

    /// The head that is stored; of an execution that begins, none.
    pub(crate) fn stored_head(&self) -> Head {
        self.expected
    }

    /// A page of events from `first` on, stored and staged: at most `max` of
    /// them, and no more than [`EVENTS_PAGE_MAX`] or [`EVENTS_PAGE_BYTES_MAX`].
    pub(crate) fn page(
        &self,
        store: &mut dyn Reader,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        paged(first, max, |first, max| match self.stored_of(first, max) {
            Some(max) => store.events(self.record.id, first, max),
            None => Ok(self.staged(first, max)),
        })
    }

    /// The same, for a guest that is to believe it: what is stored is held
    /// against its chain.
    pub(crate) fn checked_page(
        &mut self,
        store: &mut dyn Reader,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut checked = self.checked;
        let page = paged(first, max, |first, max| {
            let Some(max) = self.stored_of(first, max) else {
                return Ok(self.staged(first, max));
            };
            let (id, before) = (self.record.id, first - 1);
            let mut log = match checked.filter(|head| head.sequence == before) {
                Some(head) => Checked::new(id, head, self.expected),
                None => Checked::after(store, id, before, self.expected)?,
            };
            let step = log.page(store, max)?;
            for stored in &step {
                self.is_of_its_record(store, &stored.event)?;
            }
            checked = Some(log.head());
            Ok(step)
        })?;
        self.checked = checked;
        Ok(page)
    }

    /// The record as it is stored says nothing else than this stored event.
    pub(crate) fn is_of_its_record(
        &self,
        store: &mut dyn Reader,
        event: &Event,
    ) -> Result<(), StoreError> {
        checked::of_its_record(store, self.store_claims(), event)
    }

    /// How many of these events are stored, if the first is.
    fn stored_of(&self, first: u64, max: u32) -> Option<u32> {
        let before = first.checked_sub(1)?;
        let left = self.expected.sequence.checked_sub(before)?;
        (left > 0).then(|| max.min(u32::try_from(left).unwrap_or(u32::MAX)))
    }

    /// Events of the turn from `first` on, which is not stored.
    fn staged(&self, first: u64, max: u32) -> Vec<StoredEvent> {
        let skip = usize::try_from(first - self.expected.sequence - 1).unwrap_or(usize::MAX);
        let events = self.events.iter().skip(skip).take(max as usize);
        events.map(|chained| (**chained).clone()).collect()
    }

    /// What the turn writes of this execution, if anything changed; and what
    /// it leaves.
    pub(crate) fn settled(self) -> (Option<ExecutionChange>, CacheUpdate) {
        let (items, stored) = self.items.settled();
        let left = |record| CacheUpdate {
            record,
            items: stored,
            held: self.held,
        };
        let written = self.lifted || self.owed != self.owed_before;
        if self.events.is_empty() && items.is_empty() && !written {
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

/// A page of events, fetched step by step, within its bounds.
fn paged(
    first: u64,
    max: u32,
    mut step: impl FnMut(u64, u32) -> Result<Vec<StoredEvent>, StoreError>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let max = max.min(EVENTS_PAGE_MAX) as usize;
    let mut page: Vec<StoredEvent> = Vec::new();
    let mut bytes = 0;
    let mut next = first.max(1);
    while page.len() < max && bytes < EVENTS_PAGE_BYTES_MAX {
        let step = step(next, STEP.min((max - page.len()) as u32))?;
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

/// The bytes of user payload in an event: all of an event that can be large.
pub(in crate::live) fn payload_bytes(event: &Event) -> usize {
    kind_payload_bytes(&event.kind)
}

/// The same, of an event's kind.
pub(in crate::live) fn kind_payload_bytes(kind: &EventKind) -> usize {
    match kind {
        EventKind::WorkflowStarted(it) => it.initial_input.len(),
        EventKind::WorkflowCompleted(it) => it.final_state.len(),
        EventKind::WorkflowFailed(it) => it.final_state.len(),
        EventKind::WorkflowCancelled(it) => it.final_state.len(),
        EventKind::NodeCompleted(it) => it.output.len() + it.state_patch.len(),
        EventKind::NodeSettled(it) => it.output.len() + it.state_patch.len(),
        EventKind::ApprovalReceived(it) => it.state_patch.as_ref().map_or(0, String::len),
        EventKind::ExternalEventReceived(it) => it.payload.len(),
        _ => 0,
    }
}
