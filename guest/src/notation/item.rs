//! Work items: what became of one, which decisions name it, and its digest, as the
//! contract defines it: what a queue answers to an order. The host has its own, so that either is held against the other.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::contract::{Event, EventKind, ItemDigest, WorkItem, WorkOrder};
use crate::decide::Batch;

/// The digest of a work item, as `work-item` in `wit/types.wit` defines it.
#[must_use]
pub fn item_digest(item: &WorkItem) -> ItemDigest {
    let mut bytes = Vec::new();
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    let number = |bytes: &mut Vec<u8>, number: u64| bytes.extend_from_slice(&number.to_le_bytes());
    text(&mut bytes, &item.node_id);
    number(&mut bytes, u64::from(item.attempt));
    number(&mut bytes, u64::from(item.max_attempts));
    text(&mut bytes, &item.queue);
    text(&mut bytes, &item.tenant);
    number(&mut bytes, u64::from(item.priority));
    number(&mut bytes, item.not_before);
    text(&mut bytes, &item.payload);
    ItemDigest::from_bytes(Sha256::digest(&bytes).into())
}

/// What a queue answers to these orders.
#[must_use]
pub(super) fn item_digests(orders: &[WorkOrder]) -> Vec<ItemDigest> {
    let enqueued = orders.iter().filter_map(|order| match order {
        WorkOrder::Enqueue(item) => Some(item_digest(item)),
        WorkOrder::Cancel(_) | WorkOrder::StartChild(_) | WorkOrder::CancelChild(_) => None,
    });
    enqueued.collect()
}

/// The decisions of a batch name what they enqueue, as after a queue's answer.
///
/// # Panics
/// They do not order what they say.
pub fn name_items(batch: &mut Batch) {
    let named = batch.name_items(item_digests(&batch.orders));
    named.expect("each decision that needs an item orders one");
}

/// A work item and what became of it.
#[derive(Clone, Debug)]
pub struct Item {
    /// What was ordered.
    pub item: WorkItem,
    /// What became of it.
    pub state: ItemState,
    /// How often it was given back.
    pub releases: u8,
}

/// What became of a work item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// No worker has claimed it.
    Waiting,
    /// A worker has, with this fence.
    Claimed(u64),
    /// It was answered or taken back.
    Settled,
}

/// Whether a decision of this kind names a work item.
pub(super) fn names_item(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::NodeScheduled(_) | EventKind::RetryScheduled(_)
    )
}

/// Whether one of these decisions names the item's digest.
pub(super) fn is_named(item: &WorkItem, decisions: &[Event]) -> bool {
    let digest = item_digest(item);
    let names = |event: &Event| match &event.kind {
        EventKind::NodeScheduled(e) => {
            (&e.node_id, e.attempt, &e.item_digest, &e.queue)
                == (&item.node_id, item.attempt, &digest, &item.queue)
        }
        EventKind::RetryScheduled(e) => {
            let not_before = event.at + e.delay_ms;
            (&e.node_id, e.attempt, &e.item_digest, not_before)
                == (&item.node_id, item.attempt, &digest, item.not_before)
        }
        _ => false,
    };
    decisions.iter().any(names)
}
