//! One execution in memory: its record, its log, and which items it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::log::canonical::Canonical;
use crate::log::{ChainedEvent, Salt, chain};
use crate::model::{Label, Snapshot};
use crate::store::memory::output::Output;
use crate::store::memory::queue::{Number, Queue};
use crate::store::{ExecutionRecord, Hash, ItemChange, ItemRecord, ItemState, RawEvent};

#[derive(Clone, Debug)]
pub(super) struct Execution {
    pub(super) record: ExecutionRecord,
    /// The log. It has no gaps, so event n is the n-th.
    events: Vec<Arc<KeptEvent>>,
    /// The number of the last of them among all that were ever appended.
    pub(super) appended: i64,
    /// Items by node id.
    pub(super) items: BTreeMap<String, Number>,
    pub(super) snapshot: Option<Snapshot>,
    /// Sorted by name and value.
    pub(super) labels: Vec<Label>,
    pub(super) output: Output,
}

/// An event, as its bytes were written.
#[derive(Clone, Debug)]
struct KeptEvent {
    bytes: Canonical,
    seal: Seal,
    hash: Hash,
}

/// What an event's commitment comes from.
#[derive(Clone, Debug)]
enum Seal {
    /// This, and the erasable fields.
    Salt(Salt),
    /// They were erased, and it is left.
    Commitment(Hash),
}

impl Execution {
    /// An execution without a log.
    pub(super) fn new(record: ExecutionRecord) -> Self {
        Self {
            record,
            events: Vec::new(),
            appended: 0,
            items: BTreeMap::new(),
            snapshot: None,
            labels: Vec::new(),
            output: Output::default(),
        }
    }

    /// Appends events.
    pub(super) fn append(&mut self, events: &[ChainedEvent]) {
        self.events.extend(events.iter().map(|chained| {
            Arc::new(KeptEvent {
                bytes: chained.bytes().clone(),
                seal: Seal::Salt(chained.salt),
                hash: chained.hash,
            })
        }));
    }

    /// Drops the erasable fields of all events.
    pub(super) fn erase_log(&mut self) {
        for event in &mut self.events {
            let event = Arc::make_mut(event);
            if let Seal::Salt(salt) = &event.seal {
                let erasable = std::mem::take(&mut event.bytes.erasable);
                event.seal = Seal::Commitment(chain::commitment(salt, &erasable));
            }
        }
    }

    /// Takes over what can change of a record. What it was started with stays.
    pub(super) fn follow(&mut self, record: &ExecutionRecord) {
        self.record.guest_digest.clone_from(&record.guest_digest);
        self.record.status = record.status;
        self.record.head = record.head;
        self.record.last_at = record.last_at;
        self.record.next_wake = record.next_wake;
        self.record.tampering.clone_from(&record.tampering);
    }

    /// Writes what was checked before.
    pub(super) fn change_item(&mut self, queue: &mut Queue, change: &ItemChange) {
        let held = !self.record.claims();
        let record = match change {
            ItemChange::Enqueue { item, at, lease } => ItemRecord {
                item: item.clone(),
                enqueued_at: *at,
                releases: 0,
                state: lease.clone().map_or(ItemState::Waiting, ItemState::Leased),
            },
            ItemChange::DeadLetter {
                item,
                enqueued_at,
                error,
                at,
                ..
            } => ItemRecord {
                item: item.clone(),
                enqueued_at: *enqueued_at,
                releases: 0,
                state: ItemState::Dead {
                    error: error.clone(),
                    since: *at,
                },
            },
            ItemChange::Lease { node_id, lease } => {
                if let Some(number) = self.items.get(node_id) {
                    let leased = ItemState::Leased(lease.clone());
                    queue.change(*number, |item| item.state = leased);
                }
                return;
            }
            ItemChange::Release { node_id, releases } => {
                if let Some(number) = self.items.get(node_id) {
                    queue.change(*number, |item| {
                        item.releases = *releases;
                        item.state = ItemState::Waiting;
                    });
                }
                return;
            }
            ItemChange::Remove { node_id } => {
                if let Some(number) = self.items.remove(node_id) {
                    queue.remove(number);
                }
                return;
            }
        };
        let node_id = record.item.node_id.clone();
        let number = queue.insert(record, held);
        if let Some(former) = self.items.insert(node_id, number) {
            queue.remove(former);
        }
    }

    /// Its events from sequence `first` on.
    pub(super) fn events(&self, first: u64) -> impl Iterator<Item = RawEvent> {
        let before = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let events = self.events.get(before..).unwrap_or_default();
        let numbered = events.iter().zip(first.max(1)..);
        numbered.map(|(event, sequence)| RawEvent {
            sequence,
            plain: event.bytes.plain.clone(),
            erasable: event.bytes.erasable.clone(),
            salt: match &event.seal {
                Seal::Salt(salt) => salt.to_vec(),
                Seal::Commitment(commitment) => commitment.to_vec(),
            },
            hash: event.hash.to_vec(),
        })
    }
}
