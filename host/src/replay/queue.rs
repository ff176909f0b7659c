//! What the log says of the work items: which are unsettled, and where.
//!
//! Lease ends are not in the log (heartbeats move them), so they are left out
//! of the comparison; everything else of an item is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ports::ordered_by;
use crate::contract::{Event, EventKind, WorkItem};
use crate::store::{ItemRecord, ItemState, Lease};

/// The queue of one execution, as its log has it.
#[derive(Default)]
pub(super) struct ExpectedQueue {
    /// Unsettled items and dead letters, by node.
    items: BTreeMap<String, ItemRecord>,
    /// Items that were settled by a failure: they become dead letters if
    /// nothing else follows.
    failed: BTreeMap<String, ItemRecord>,
}

impl ExpectedQueue {
    /// Take one event, and the item that it orders, if it does.
    pub(super) fn apply(&mut self, event: &Event, orders: &[WorkItem]) {
        if let Some((node, ..)) = ordered_by(&event.kind) {
            if let Some(item) = orders.iter().find(|item| item.node_id == node) {
                self.order(item, event.at);
            }
            return;
        }
        match &event.kind {
            EventKind::NodeStarted(e) => self.lease(&e.node_id, &e.worker_id, e.fence),
            EventKind::NodeFailed(e) => self.fail(&e.node_id),
            EventKind::NodeTimedOut(e) => self.fail(&e.node_id),
            EventKind::NodeExhausted(e) => self.bury(&e.node_id, &e.error, event.at),
            EventKind::NodeCompleted(e) => self.settle(&e.node_id),
            EventKind::NodeCancelled(e) => self.settle(&e.node_id),
            EventKind::NodeSkipped(e) => self.settle(&e.node_id),
            _ => {}
        }
    }

    /// The queue as JSON, an object by node id.
    pub(super) fn to_json(&self) -> Value {
        self.items
            .values()
            .map(described)
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    fn order(&mut self, item: &WorkItem, at: u64) {
        let record = ItemRecord {
            item: item.clone(),
            enqueued_at: at,
            state: ItemState::Waiting,
        };
        self.failed.remove(&item.node_id);
        self.items.insert(item.node_id.clone(), record);
    }

    fn lease(&mut self, node: &str, worker: &str, fence: u64) {
        if let Some(record) = self.items.get_mut(node) {
            record.state = ItemState::Leased(Lease {
                worker_id: worker.to_owned(),
                fence,
                expires_at: 0,
            });
        }
    }

    fn fail(&mut self, node: &str) {
        if let Some(record) = self.items.remove(node) {
            self.failed.insert(node.to_owned(), record);
        }
    }

    fn bury(&mut self, node: &str, error: &str, at: u64) {
        if let Some(mut record) = self.failed.remove(node) {
            record.state = ItemState::Dead {
                error: error.to_owned(),
                since: at,
            };
            self.items.insert(node.to_owned(), record);
        }
    }

    fn settle(&mut self, node: &str) {
        self.items.remove(node);
        self.failed.remove(node);
    }
}

/// A store's items as JSON, in the same form.
pub(super) fn stored_json(items: &[ItemRecord]) -> Value {
    items
        .iter()
        .map(described)
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn described(record: &ItemRecord) -> (String, Value) {
    let item = &record.item;
    let state = match &record.state {
        ItemState::Waiting => json!("waiting"),
        ItemState::Leased(lease) => {
            json!({ "leased": { "worker_id": lease.worker_id, "fence": lease.fence } })
        }
        ItemState::Dead { error, since } => json!({ "dead": { "error": error, "since": since } }),
    };
    let value = json!({
        "execution_id": item.execution_id,
        "attempt": item.attempt,
        "max_attempts": item.max_attempts,
        "queue_type": item.queue_type,
        "tenant": item.tenant,
        "not_before": item.not_before,
        "payload": item.payload,
        "enqueued_at": record.enqueued_at,
        "state": state,
    });
    (item.node_id.clone(), value)
}
