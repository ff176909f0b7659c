//! The digest of a work item, as the contract defines it: what a queue answers
//! to an order. The host has its own, so that either is held against the other.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::contract::{ItemDigest, WorkItem, WorkOrder};
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
