//! The world as a guest sees it while a turn is open: reads see what is
//! stored and what is staged, orders are checked and staged.
//!
//! Nothing here writes to the store, and a call that fails leaves nothing:
//! its orders are dropped with it.

use std::sync::Arc;

use crate::guest::Ports;
use crate::limits::{DECISIONS_PER_TICK_MAX, EVENT_BYTES_MAX};
use crate::log::author::{is_terminal, may_author};
use crate::log::canonical;
use crate::log::digest::{hex, parse_hex, work_item_digest};
use crate::model::{AppendError, Event, EventKind, Origin, Snapshot, WorkItem};
use crate::order_rules::OrderRules;
use crate::store::{ItemRecord, ItemState, Store, StoreError, Timestamp, check::TIME_MAX};

use super::checked;
use super::staged::{Staged, payload_bytes};

/// What a guest ordered in one call.
#[derive(Default)]
pub(crate) struct Orders {
    /// Its decisions, numbered and stamped, not yet appended.
    pub(crate) decisions: Vec<Event>,
    /// The work items that it ordered.
    pub(crate) items: Vec<WorkItem>,
    /// The work items that it took back: node and attempt.
    pub(crate) cancelled: Vec<(String, u32)>,
    /// What was wrong with the first item that is none of the workflow's. The
    /// guest is told, too, but whatever it makes of that, it has failed.
    pub(crate) refused: Option<String>,
}

impl Orders {
    /// The bytes of payload in them: all that can be large.
    pub(crate) fn payload_bytes(&self) -> usize {
        let decided = self.decisions.iter().map(payload_bytes);
        let ordered = self.items.iter().map(|item| item.payload.len());
        decided.chain(ordered).fold(0, usize::saturating_add)
    }
}

/// The ports of one call about one execution. They own the store for as long
/// as the call lasts, and give it back.
pub(crate) struct TurnPorts {
    pub(crate) store: Box<dyn Store>,
    pub(crate) staged: Box<Staged>,
    pub(crate) orders: Orders,
    /// What the workflow lets be ordered, for a call that may order.
    pub(crate) order_rules: Option<Arc<OrderRules>>,
    /// The workflow's text, where the turn itself registered it.
    pub(crate) workflow_text: Option<String>,
    /// The turn's clock reading.
    pub(crate) now: Timestamp,
    /// Whether this call may order anything: a tick may.
    pub(crate) may_order: bool,
}

impl TurnPorts {
    fn last_sequence(&self) -> u64 {
        self.staged.record.head.sequence + self.orders.decisions.len() as u64
    }

    /// Whether the stored log holds the event that the snapshot was taken after.
    fn is_of_the_log(&mut self, snapshot: &Snapshot) -> Result<bool, StoreError> {
        let head = self.staged.stored_head();
        if snapshot.sequence > head.sequence {
            return Ok(false);
        }
        let id = self.staged.record.id;
        // What the guest will not read, and what the record must not contradict.
        for sequence in [1, snapshot.sequence] {
            match self.store.events(id, sequence, 1) {
                Ok(found) => {
                    for stored in found {
                        self.staged
                            .is_of_its_record(self.store.as_mut(), &stored.event)?;
                    }
                }
                // What is damaged shows when the log is read.
                Err(error) if error.is_of_one() => {}
                Err(error) => return Err(error),
            }
        }
        if snapshot.sequence == head.sequence {
            return Ok(hex(&head.hash) == snapshot.head);
        }
        match self.store.raw_events(id, snapshot.sequence, 1) {
            Ok(stored) => Ok(stored.first().is_some_and(|raw| {
                raw.sequence == snapshot.sequence
                    && parse_hex(&snapshot.head)
                        .is_some_and(|hash: crate::log::Hash| hash[..] == raw.hash[..])
            })),
            // What is damaged shows when the log is read.
            Err(error) if error.is_of_one() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Why these decisions may not be appended, if they may not.
    fn decisions_fault(&self, events: &[Event]) -> Option<String> {
        if !self.may_order {
            return Some("decisions are taken in a tick, and this call is none".to_owned());
        }
        if self.orders.decisions.len() + events.len() > DECISIONS_PER_TICK_MAX {
            return Some(format!(
                "one tick may append {DECISIONS_PER_TICK_MAX} decisions at most"
            ));
        }
        let mut ended = self
            .orders
            .decisions
            .last()
            .or(self.staged.last_event())
            .is_some_and(|event| is_terminal(&event.kind));
        for (event, sequence) in events.iter().zip(self.last_sequence() + 1..) {
            let fault = match event {
                _ if ended => "follows a terminal event",
                Event {
                    sequence: claimed, ..
                } if *claimed != sequence => "is not numbered as the log's next",
                Event { at, .. } if *at != self.now => {
                    "is not stamped with the turn's clock reading"
                }
                Event {
                    origin: Origin::Fact,
                    ..
                } => "claims to be a fact, and a guest only decides",
                Event { kind, .. } if !may_author(Origin::Decision, kind) => {
                    "is of a kind that only the world can report"
                }
                _ => {
                    let bytes = canonical::length(event);
                    if bytes > EVENT_BYTES_MAX {
                        return Some(format!(
                            "the decision meant as event {sequence} has {bytes} bytes, and {EVENT_BYTES_MAX} are allowed"
                        ));
                    }
                    ended = is_terminal(&event.kind);
                    continue;
                }
            };
            return Some(format!("the decision meant as event {sequence} {fault}"));
        }
        None
    }

    /// Why this item may not be ordered, if it may not.
    fn item_fault(&self, item: &WorkItem) -> Option<String> {
        let place = named(item);
        let record = &self.staged.record;
        if item.execution_id != record.id.text().as_str() || item.tenant != record.tenant {
            return Some(format!("{place} is not this execution's"));
        }
        if item.not_before > TIME_MAX {
            return Some(format!("{place} waits for a time that never comes"));
        }
        None
    }

    /// Why this item is none that a decision of this call names, if it is none.
    fn decision_fault(&self, item: &WorkItem) -> Option<String> {
        let place = named(item);
        let ordered =
            |other: &WorkItem| other.node_id == item.node_id && other.attempt == item.attempt;
        if self.orders.items.iter().any(ordered) {
            return Some(format!("{place} is ordered twice"));
        }
        let digest = work_item_digest(item);
        let named = self
            .orders
            .decisions
            .iter()
            .rev()
            .any(|event| match &event.kind {
                EventKind::NodeScheduled(it) => {
                    it.node_id == item.node_id
                        && it.attempt == item.attempt
                        && it.item_digest == digest
                        && it.queue_type == item.queue_type
                }
                EventKind::RetryScheduled(it) => {
                    it.node_id == item.node_id
                        && it.attempt == item.attempt
                        && it.item_digest == digest
                }
                _ => false,
            });
        (!named)
            .then(|| format!("{place} has digest {digest}, and no decision of this tick names it"))
    }
}

/// A work item, for a sentence about it.
pub(in crate::live) fn named(item: &WorkItem) -> String {
    let WorkItem {
        node_id, attempt, ..
    } = item;
    format!("the work item of attempt {attempt} of node {node_id:?}")
}

impl Ports for TurnPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        if let Some(text) = &self.workflow_text {
            return Ok(text.clone());
        }
        checked::workflow_text(self.store.as_mut(), &self.staged.record)
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        if self.staged.status_before.is_none() || self.staged.bad_snapshot.is_some() {
            return Ok(None);
        }
        // A snapshot is a cache: one that does not fit is not used, and not missed.
        match self.store.snapshot(self.staged.record.id) {
            Ok(Some(snapshot)) if snapshot.guest_digest != self.staged.record.guest_digest => {
                Ok(None)
            }
            Ok(Some(snapshot)) if self.is_of_the_log(&snapshot)? => Ok(Some(snapshot)),
            Ok(Some(snapshot)) => {
                self.staged.bad_snapshot = Some(format!(
                    "event {} of the log is not the one that it names",
                    snapshot.sequence
                ));
                Ok(None)
            }
            Ok(None) => Ok(None),
            Err(error) if error.is_of_one() => {
                self.staged.bad_snapshot = Some(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        let appended = self.staged.record.head.sequence;
        if first > appended {
            let skip = usize::try_from(first - appended - 1).unwrap_or(usize::MAX);
            return Ok(self
                .orders
                .decisions
                .iter()
                .skip(skip)
                .take(max as usize)
                .cloned()
                .collect());
        }
        let page = self.staged.checked_page(self.store.as_mut(), first, max)?;
        Ok(page.into_iter().map(|stored| stored.event).collect())
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), AppendError>, StoreError> {
        if expected != self.last_sequence() {
            return Ok(Err(AppendError::Conflict(self.last_sequence())));
        }
        if let Some(fault) = self.decisions_fault(&events) {
            return Ok(Err(AppendError::Refused(fault)));
        }
        self.orders.decisions.extend(events);
        Ok(Ok(()))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn enqueue(&mut self, item: WorkItem) -> Result<Result<(), String>, StoreError> {
        let fault = match self.item_fault(&item) {
            None => self.rules_fault(&item)?,
            fault => fault,
        };
        if let Some(fault) = fault {
            self.orders.refused.get_or_insert_with(|| fault.clone());
            return Ok(Err(fault));
        }
        if let Some(fault) = self.decision_fault(&item) {
            return Ok(Err(fault));
        }
        self.orders.items.push(item);
        Ok(Ok(()))
    }

    fn cancel(&mut self, node_id: &str, attempt: u32) -> Result<Result<(), String>, StoreError> {
        let ordered_now = self
            .orders
            .items
            .iter()
            .any(|item| item.node_id == node_id && item.attempt == attempt);
        let is_unsettled = |record: &ItemRecord| {
            record.item.attempt == attempt && !matches!(record.state, ItemState::Dead { .. })
        };
        let unsettled = ordered_now || self.staged.items().of(node_id).is_some_and(is_unsettled);
        if !self.may_order || !unsettled {
            return Ok(Err(format!(
                "node {node_id:?} has no unsettled work item of attempt {attempt}"
            )));
        }
        self.orders.cancelled.push((node_id.to_owned(), attempt));
        Ok(Ok(()))
    }
}
