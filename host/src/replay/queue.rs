//! What the log says of the work items: which are unsettled, and where.
//!
//! Lease ends are not in the log (heartbeats move them), so they are left out
//! of the comparison; everything else of an item is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{Event, EventKind, WorkItem};
use crate::store::{ItemRecord, ItemState, Lease, Timestamp};

/// The queue of one execution, as its log has it: unsettled items and dead
/// letters, by node.
#[derive(Default)]
pub(super) struct ExpectedQueue {
    items: BTreeMap<String, ItemRecord>,
}

impl ExpectedQueue {
    /// Take one event, and the items that its batch orders.
    pub(super) fn apply(&mut self, event: &Event, orders: &[WorkItem]) {
        let at = event.at;
        match &event.kind {
            EventKind::NodeScheduled(e) => self.order(&e.node_id, orders, at),
            EventKind::RetryScheduled(e) => self.order(&e.node_id, orders, at),
            EventKind::NodeStarted(e) => self.lease(&e.node_id, &e.worker_id, e.fence),
            EventKind::NodeFailed(e) => self.dead_letter(&e.node_id, &e.error, at),
            EventKind::NodeTimedOut(e) => self.dead_letter(&e.node_id, &e.error(), at),
            EventKind::NodeExhausted(e) => self.dead_letter(&e.node_id, &e.error, at),
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

    fn order(&mut self, node: &str, orders: &[WorkItem], at: Timestamp) {
        if let Some(item) = orders.iter().find(|item| item.node_id == node) {
            let record = ItemRecord {
                item: item.clone(),
                enqueued_at: at,
                state: ItemState::Waiting,
            };
            self.items.insert(node.to_owned(), record);
        }
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

    /// A failed attempt is a dead letter, until a further one is ordered.
    fn dead_letter(&mut self, node: &str, error: &str, at: Timestamp) {
        if let Some(record) = self.items.get_mut(node) {
            record.state = ItemState::Dead {
                error: error.to_owned(),
                since: at,
            };
        }
    }

    fn settle(&mut self, node: &str) {
        self.items.remove(node);
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
