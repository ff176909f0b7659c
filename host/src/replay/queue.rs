//! What the log says of the work items: which are unsettled, and where.
//!
//! Lease ends are not in the log (heartbeats move them), so they are left out
//! of the comparison; everything else of an item is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::log::effect::{self, Change};
use crate::model::{Event, WorkItem};
use crate::store::{ItemRecord, ItemState};

/// The queue of one execution, as its log has it: unsettled items and dead
/// letters, by node.
#[derive(Default)]
pub(super) struct ExpectedQueue {
    items: BTreeMap<String, ItemRecord>,
}

impl ExpectedQueue {
    /// Take one event, and the items that its batch orders.
    pub(super) fn apply(&mut self, event: &Event, orders: &[WorkItem]) {
        if effect::takes_claims_back(&event.kind) {
            self.take_claims_back();
        }
        let Some(effect) = effect::on_item(&event.kind, event.sequence) else {
            return;
        };
        let node_id = effect.node_id;
        if let Change::Enqueue { .. } = effect.change {
            let ordered = orders.iter().find(|item| item.node_id == node_id);
            let record = ordered.map(|item| ItemRecord::ordered(item.clone(), event.at));
            self.items
                .extend(record.map(|record| (node_id.to_owned(), record)));
            return;
        }
        if let Some(record) = self.items.get_mut(node_id)
            && !record.take(effect.change, event.at)
        {
            self.items.remove(node_id);
        }
    }

    /// What is claimed waits again.
    pub(super) fn take_claims_back(&mut self) {
        let records = self.items.values_mut();
        let leased = records.filter(|record| record.state.lease().is_some());
        leased.for_each(|record| record.state = ItemState::Waiting);
    }

    /// All items, in the order in which they were ordered.
    pub(super) fn into_items(self) -> Vec<ItemRecord> {
        let mut items: Vec<ItemRecord> = self.items.into_values().collect();
        items.sort_by_key(|record| record.enqueued_at);
        items
    }

    /// The queue as JSON, an object by node id.
    pub(super) fn to_json(&self) -> Value {
        self.items
            .values()
            .map(described)
            .collect::<serde_json::Map<_, _>>()
            .into()
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
        "queue": item.queue,
        "tenant": item.tenant,
        "priority": item.priority,
        "not_before": item.not_before,
        "payload": item.payload,
        "enqueued_at": record.enqueued_at,
        "releases": record.releases,
        "state": state,
    });
    (item.node_id.clone(), value)
}
