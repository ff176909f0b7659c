//! The world as a guest sees it: reads see what is stored and, while a turn is open,
//! what is staged; orders are checked and staged.
//!
//! Nothing here writes to the store, and a call that fails leaves nothing:
//! its orders are dropped with it.

use std::sync::Arc;

use crate::guest::Ports;
use crate::limits::{DECISIONS_PER_STEP_MAX, EVENT_BYTES_MAX, PAYLOAD_BYTES_MAX};
use crate::log::author::may_author;
use crate::log::digest::{hex, parse_hex, work_item_digest};
use crate::log::{canonical, effect};
use crate::model::{
    ChildOrder, Digest, Event, EventKind, ItemName, Origin, Snapshot, StorageError, WorkItem,
    WorkOrder,
};
use crate::order_rules::OrderRules;
use crate::store::{Reader, Store, StoreError, Timestamp, check::TIME_MAX};

use super::checked;
use super::lawful_orders::{judge, named};
use super::staged::{Staged, payload_bytes};

/// What a guest did in one step.
#[derive(Default)]
pub(crate) struct Orders {
    /// Its decisions, numbered and stamped, not yet appended.
    pub(crate) decisions: Vec<Event>,
    /// The sequence that it took for the last one, the facts that it took
    /// included. `None` if it appended nothing.
    pub(crate) appended_after: Option<u64>,
    /// The work items that it ordered.
    pub(crate) items: Vec<Ordered>,
    /// The work items that it took back.
    pub(crate) cancelled: Vec<ItemName>,
    /// What it ordered about children.
    pub(crate) children: Vec<WorkOrder>,
    /// Nodes that were ordered with a fresh budget, because this step offers an
    /// operator's request for it.
    pub(crate) retried: Vec<String>,
    /// What was wrong with the first item that is none of the workflow's. The
    /// guest is told, too, but whatever it makes of that, it has failed.
    pub(crate) refused: Option<String>,
}

/// A work item that was ordered.
pub(crate) struct Ordered {
    pub(crate) item: WorkItem,
    /// Its digest, which the guest was told.
    pub(crate) digest: Digest,
}

impl Orders {
    /// The bytes of payload in them: all that can be large.
    pub(crate) fn payload_bytes(&self) -> usize {
        let decided = self.decisions.iter().map(payload_bytes);
        let ordered = self.items.iter().map(|ordered| ordered.item.payload.len());
        let of_children = self.children.iter().map(|order| match order {
            WorkOrder::StartChild(order) => order.input.len(),
            _ => 0,
        });
        decided
            .chain(ordered)
            .chain(of_children)
            .fold(0, usize::saturating_add)
    }
}

/// What a step offers to the guest, as far as its ports go by it.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    /// The number of facts.
    facts: u64,
    /// An operator's requests to try nodes again.
    retries: Vec<EventKind>,
}

impl Offer {
    /// These facts are offered.
    pub(crate) fn of(facts: &[EventKind]) -> Self {
        let is_retry = |fact: &&EventKind| matches!(fact, EventKind::RetryRequested(_));
        Self {
            facts: facts.len() as u64,
            retries: facts.iter().filter(is_retry).cloned().collect(),
        }
    }

    /// The number of facts.
    pub(in crate::live) fn facts(&self) -> u64 {
        self.facts
    }

    /// Whether an operator asks for this node to be tried again.
    pub(in crate::live) fn retries(&self, node_id: &str) -> bool {
        self.retries
            .iter()
            .any(|fact| effect::asks_again(fact, node_id))
    }
}

/// The store that a call reads.
pub(crate) enum CallStore {
    /// The engine's own, with its write side: a turn is open.
    Turn(Box<dyn Store>),
    /// A reader's, of a question outside of the engine's thread.
    Question(Box<dyn Reader>),
}

impl CallStore {
    /// Its read side.
    pub(crate) fn reader(&mut self) -> &mut dyn Reader {
        match self {
            Self::Turn(store) => store.as_mut(),
            Self::Question(reader) => reader.as_mut(),
        }
    }

    /// The engine's own store, back from a turn's call. `None` if it is a reader's.
    pub(crate) fn of_turn(self) -> Option<Box<dyn Store>> {
        match self {
            Self::Turn(store) => Some(store),
            Self::Question(_) => None,
        }
    }

    /// The reader, back from a question's call. `None` if it is the engine's own store.
    pub(crate) fn of_question(self) -> Option<Box<dyn Reader>> {
        match self {
            Self::Question(reader) => Some(reader),
            Self::Turn(_) => None,
        }
    }
}

/// The ports of one call about one execution. They own the store for as long
/// as the call lasts, and give it back.
pub(crate) struct CallPorts {
    pub(crate) store: CallStore,
    pub(crate) staged: Box<Staged>,
    pub(crate) orders: Orders,
    /// What the workflow lets be ordered, for a call that may order.
    pub(crate) order_rules: Option<Arc<OrderRules>>,
    /// The workflow's text, where the turn itself registered it.
    pub(crate) workflow_text: Option<String>,
    /// The turn's clock reading.
    pub(crate) now: Timestamp,
    /// What the call offers, if it is a step: no other may append or order.
    pub(crate) offer: Option<Offer>,
}

impl CallPorts {
    /// Whether the stored log holds the event that the snapshot was taken after.
    fn is_of_the_log(&mut self, snapshot: &Snapshot) -> Result<bool, StoreError> {
        let head = self.staged.stored_head();
        if snapshot.sequence > head.sequence {
            return Ok(false);
        }
        let id = self.staged.record.id;
        // What the guest will not read, and what the record must not contradict.
        for sequence in [1, snapshot.sequence] {
            match self.store.reader().events(id, sequence, 1) {
                Ok(found) => {
                    for stored in found {
                        self.staged
                            .is_of_its_record(self.store.reader(), &stored.event)?;
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
        match self.store.reader().raw_events(id, snapshot.sequence, 1) {
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

    /// The sequence after which the guest may append, if it takes `expected` for
    /// the last one. The error is what the host would take for it.
    fn append_after(&self, expected: u64) -> Result<u64, u64> {
        let decided = self.orders.decisions.len() as u64;
        let log = self.staged.record.head.sequence;
        let offered = self.offer.as_ref().map_or(0, |offer| offer.facts);
        match self.orders.appended_after {
            // Which facts it took shows when the call ends.
            None if (log..=log + offered).contains(&expected) => Ok(expected),
            None => Err(log),
            Some(first) if first + decided == expected => Ok(first),
            Some(first) => Err(first + decided),
        }
    }

    /// Why these decisions may not be appended, if they may not.
    fn decisions_fault(&self, expected: u64, events: &[Event]) -> Option<String> {
        if self.offer.is_none() {
            return Some("decisions are taken in a step, and this call is none".to_owned());
        }
        if self.orders.decisions.len() + events.len() > DECISIONS_PER_STEP_MAX {
            return Some(format!(
                "one step may append {DECISIONS_PER_STEP_MAX} decisions at most"
            ));
        }
        let mut ended = self
            .orders
            .decisions
            .last()
            .or(self.staged.last_event())
            .is_some_and(|event| event.kind.is_terminal());
        for (event, sequence) in events.iter().zip(expected + 1..) {
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
                    ended = event.kind.is_terminal();
                    continue;
                }
            };
            return Some(format!("the decision meant as event {sequence} {fault}"));
        }
        None
    }

    /// Why this item may not be ordered, if it may not.
    fn item_fault(&mut self, item: &WorkItem) -> Result<Option<String>, StoreError> {
        if let Some(fault) = self.foreign_item_fault(item) {
            return Ok(Some(fault));
        }
        let Some(rules) = self.order_rules.as_deref() else {
            return Ok(Some(format!(
                "{} is ordered in a call that may order nothing",
                named(item)
            )));
        };
        let mut offer = self.offer.iter();
        let is_retry_offered = offer.any(|it| it.retries(&item.node_id));
        let (staged, store) = (&*self.staged, self.store.reader());
        let judged = judge(item, rules, is_retry_offered, staged, store)?;
        if judged.needs_offered_retry {
            self.orders.retried.push(item.node_id.clone());
        }
        Ok(judged.fault)
    }

    /// Why this child may not be ordered, if it may not.
    fn child_fault(&self, order: &ChildOrder) -> Option<String> {
        let name = &order.name;
        let Some(rules) = self.order_rules.as_deref() else {
            return Some(format!(
                "the child of node {:?} is ordered in a call that may order nothing",
                name.node_id
            ));
        };
        let is_payload = order.input.len() <= PAYLOAD_BYTES_MAX
            && serde_json::from_str::<serde::de::IgnoredAny>(&order.input).is_ok();
        if !is_payload {
            return Some(format!(
                "the input of the child of node {:?} is no payload",
                name.node_id
            ));
        }
        rules.child_fault(order)
    }

    /// Why this item is none of the execution, or of no time, whatever the workflow is.
    fn foreign_item_fault(&self, item: &WorkItem) -> Option<String> {
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
}

impl Ports for CallPorts {
    fn load_workflow(&mut self) -> Result<String, StoreError> {
        if let Some(text) = &self.workflow_text {
            return Ok(text.clone());
        }
        checked::workflow_text(self.store.reader(), self.staged.store_claims())
    }

    fn load_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        if self.staged.status_before.is_none() || self.staged.bad_snapshot.is_some() {
            return Ok(None);
        }
        // A snapshot is a cache: one that does not fit is not used, and not missed.
        match self.store.reader().snapshot(self.staged.record.id) {
            Ok(Some(snapshot)) if *snapshot.guest_digest != *self.staged.record.guest_digest => {
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

    /// What the current call was given or has appended is not in the log yet.
    fn read_events(&mut self, first: u64, max: u32) -> Result<Vec<Event>, StoreError> {
        let page = self.staged.checked_page(self.store.reader(), first, max)?;
        Ok(page.into_iter().map(|stored| stored.event).collect())
    }

    fn append_events(
        &mut self,
        expected: u64,
        events: Vec<Event>,
    ) -> Result<Result<(), StorageError>, StoreError> {
        let first = match self.append_after(expected) {
            Ok(first) => first,
            Err(last) => return Ok(Err(StorageError::Conflict(last))),
        };
        if let Some(fault) = self.decisions_fault(expected, &events) {
            return Ok(Err(StorageError::Refused(fault)));
        }
        self.orders.appended_after = Some(first);
        self.orders.decisions.extend(events);
        Ok(Ok(()))
    }

    fn now(&mut self) -> Timestamp {
        self.now
    }

    fn order(&mut self, orders: Vec<WorkOrder>) -> Result<Result<Vec<Digest>, String>, StoreError> {
        let mut digests = Vec::with_capacity(orders.len());
        for order in orders {
            let item = match order {
                WorkOrder::Enqueue(item) => item,
                WorkOrder::Cancel(name) => {
                    self.orders.cancelled.push(name);
                    continue;
                }
                WorkOrder::StartChild(order) => {
                    if let Some(fault) = self.child_fault(&order) {
                        self.orders.refused.get_or_insert_with(|| fault.clone());
                        return Ok(Err(fault));
                    }
                    self.orders.children.push(WorkOrder::StartChild(order));
                    continue;
                }
                WorkOrder::CancelChild(_) => {
                    self.orders.children.push(order);
                    continue;
                }
            };
            if let Some(fault) = self.item_fault(&item)? {
                self.orders.refused.get_or_insert_with(|| fault.clone());
                return Ok(Err(fault));
            }
            let digest = work_item_digest(&item);
            self.orders.items.push(Ordered { item, digest });
            digests.push(digest);
        }
        Ok(Ok(digests))
    }
}
