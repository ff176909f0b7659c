//! The work items of one execution while a turn is open: all that are stored,
//! and on top of them what the turn made of each.
//!
//! Nothing here reads the store or writes to it. What the turn writes is the
//! [difference](super::item_changes) between before and after, so that an item which is
//! ordered and claimed in one turn is written once.

use std::collections::{BTreeMap, BTreeSet};

use super::item_changes::{StoredItems, push_difference};
use crate::log::effect::{self, Change};
use crate::model::{Event, WorkItem};
use crate::store::{ItemChange, ItemRecord, ItemState, Timestamp};

/// Changed items that are looked through for those that wait.
const LOOKED_THROUGH_MAX: usize = 16;

/// What became of items, by node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Each item that changed. `None` if it has left the queue.
    after: BTreeMap<String, Option<Box<ItemRecord>>>,
    /// Nodes whose items were ordered, in that order: claims go by it.
    ordered: Vec<String>,
    /// Nodes whose changed items wait: thousands may have changed, and few of them wait.
    /// `None` as long as so few have changed that they are looked through.
    waiting: Option<BTreeSet<String>>,
}

/// The items of an execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items {
    stored: StoredItems,
    changes: Changes,
}

impl Changes {
    /// Orders an item, in place of a dead letter of the same node.
    pub(crate) fn enqueue(&mut self, item: WorkItem, at: Timestamp) {
        let node_id = item.node_id.clone();
        self.ordered.push(node_id.clone());
        let record = ItemRecord::ordered(item, at);
        self.put(node_id, Some(Box::new(record)));
    }

    /// Changes the item of a node. `None` if it leaves the queue.
    pub(crate) fn set(&mut self, node_id: &str, record: Option<ItemRecord>) {
        self.put(node_id.to_owned(), record.map(Box::new));
    }

    fn put(&mut self, node_id: String, record: Option<Box<ItemRecord>>) {
        let after = &mut self.after;
        if let Some(waiting) = &mut self.waiting {
            note_whether_it_waits(waiting, &node_id, record.as_deref());
            after.insert(node_id, record);
            return;
        }
        after.insert(node_id, record);
        if after.len() > LOOKED_THROUGH_MAX {
            let those = after.iter().filter(|(_, record)| waits(record.as_deref()));
            self.waiting = Some(those.map(|(node_id, _)| node_id.clone()).collect());
        }
    }

    /// The item of this node, which had changed already, has changed once more.
    fn changed_again(&mut self, node_id: &str) {
        if let Some(waiting) = &mut self.waiting {
            let record = self.after.get(node_id).and_then(Option::as_deref);
            note_whether_it_waits(waiting, node_id, record);
        }
    }

    /// The node's item, if it changed here.
    pub(crate) fn of(&self, node_id: &str) -> Option<Option<&ItemRecord>> {
        self.after.get(node_id).map(Option::as_deref)
    }

    /// The items that changed here and wait.
    fn waiting(&self) -> impl Iterator<Item = &ItemRecord> {
        let of = |node_id| self.after.get(node_id).and_then(Option::as_deref);
        let noted = self.waiting.iter().flatten().filter_map(of);
        let few = self.waiting.is_none().then(|| self.present());
        let few = few.into_iter().flatten().filter(|it| waits(Some(it)));
        noted.chain(few)
    }

    /// All items that changed here and are still there.
    pub(crate) fn present(&self) -> impl Iterator<Item = &ItemRecord> {
        self.after.values().flatten().map(Box::as_ref)
    }
}

fn waits(record: Option<&ItemRecord>) -> bool {
    record.is_some_and(|record| record.state == ItemState::Waiting)
}

fn note_whether_it_waits(
    waiting: &mut BTreeSet<String>,
    node_id: &str,
    record: Option<&ItemRecord>,
) {
    if !waits(record) {
        waiting.remove(node_id);
    } else if !waiting.contains(node_id) {
        waiting.insert(node_id.to_owned());
    }
}

impl Items {
    /// These are stored, and nothing has changed.
    pub(crate) fn stored(stored: StoredItems) -> Self {
        Self {
            stored,
            changes: Changes::default(),
        }
    }

    /// Those of a fork's origin, which are ordered in this turn. Nobody has claimed them.
    pub(crate) fn copied(items: &[ItemRecord]) -> Self {
        let mut changes = Changes::default();
        for record in items {
            let mut copied = record.clone();
            if record.is_unsettled() {
                changes.enqueue(record.item.clone(), record.enqueued_at);
                // How often it was given back comes with it, and no claim does.
                copied.state = ItemState::Waiting;
            }
            changes.set(&record.item.node_id, Some(copied));
        }
        Self {
            stored: StoredItems::new(),
            changes,
        }
    }

    /// The node's item.
    pub(crate) fn of(&self, node_id: &str) -> Option<&ItemRecord> {
        self.changes
            .of(node_id)
            .unwrap_or_else(|| self.stored.get(node_id).map(Box::as_ref))
    }

    /// All items.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ItemRecord> {
        let unchanged = self
            .stored
            .iter()
            .filter(|(node_id, _)| self.changes.of(node_id).is_none())
            .map(|(_, record)| record.as_ref());
        unchanged.chain(self.changes.present())
    }

    /// Those that the turn changed, and that wait for a worker now.
    pub(crate) fn changed_and_waiting(&self) -> impl Iterator<Item = &ItemRecord> {
        self.changes.waiting()
    }

    /// Whether the turn changed the node's item.
    pub(crate) fn has_changed(&self, node_id: &str) -> bool {
        self.changes.of(node_id).is_some()
    }

    /// Whether the turn changed any.
    pub(crate) fn have_changed(&self) -> bool {
        !self.changes.after.is_empty()
    }

    /// Does to its node's item, if there is one, what a fact does to it. The lease
    /// of a claim has no end yet, because the log names none.
    pub(crate) fn take_fact(&mut self, fact: &Event) {
        let Some(effect) = effect::on_item(&fact.kind, fact.sequence) else {
            return;
        };
        let node_id = effect.node_id;
        if effect.change == Change::Remove {
            if self.of(node_id).is_some() {
                self.changes.set(node_id, None);
            }
        } else if let Some(record) = self.record_mut(node_id) {
            if record.take(effect.change, fact.at) {
                self.changes.changed_again(node_id);
            } else {
                self.changes.set(node_id, None);
            }
        }
    }

    /// Lets the claim on the node's item, if there is one, hold until then.
    pub(crate) fn lease_until(&mut self, node_id: &str, expires_at: Timestamp) {
        let is_leased = |record: &ItemRecord| record.state.lease().is_some();
        if self.of(node_id).is_some_and(is_leased)
            && let Some(ItemState::Leased(lease)) = self.record_mut(node_id).map(|it| &mut it.state)
        {
            lease.expires_at = expires_at;
        }
    }

    /// The claim on the node's item, if there is one, was made by this request.
    pub(crate) fn leased_by_request(&mut self, node_id: &str, request_id: &str) {
        if let Some(ItemState::Leased(lease)) = self.record_mut(node_id).map(|it| &mut it.state) {
            lease.request_id = Some(request_id.to_owned());
        }
    }

    /// The node's item, to be changed.
    fn record_mut(&mut self, node_id: &str) -> Option<&mut ItemRecord> {
        let changes = &mut self.changes;
        if !changes.after.contains_key(node_id) {
            let stored = self.stored.get(node_id)?.clone();
            changes.put(node_id.to_owned(), Some(stored));
        }
        changes.after.get_mut(node_id)?.as_deref_mut()
    }

    /// Takes over changes that came later.
    pub(crate) fn follow(&mut self, later: Changes) {
        let changes = &mut self.changes;
        for (node_id, record) in later.after {
            changes.put(node_id, record);
        }
        changes.ordered.extend(later.ordered);
    }

    /// What the turn writes, and what is stored until then.
    pub(crate) fn settled(self) -> (Vec<ItemChange>, StoredItems) {
        let Self {
            stored,
            changes: Changes {
                mut after, ordered, ..
            },
        } = self;
        // What was ordered comes last, in its order. An item that was ordered
        // twice stands where it was ordered first.
        let mut last = Vec::with_capacity(ordered.len());
        for node_id in ordered {
            if let Some(now) = after.remove(&node_id) {
                last.push((node_id, now));
            }
        }
        let mut changes = Vec::with_capacity(after.len() + last.len());
        for (node_id, now) in after.into_iter().chain(last) {
            let before = stored.get(&node_id).map(Box::as_ref);
            push_difference(&mut changes, node_id, before, now.map(|now| *now));
        }
        (changes, stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(node_id: &str) -> WorkItem {
        WorkItem {
            execution_id: "exec_1".to_owned(),
            node_id: node_id.to_owned(),
            attempt: 1,
            max_attempts: 3,
            queue: "tool".to_owned(),
            tenant: "default".to_owned(),
            priority: 5,
            not_before: 0,
            payload: "{}".to_owned(),
        }
    }

    /// Below and above the number that is looked through.
    #[test]
    fn changed_items_that_wait_are_found_however_many_have_changed() {
        for count in [3, LOOKED_THROUGH_MAX, LOOKED_THROUGH_MAX + 1, 40] {
            let node_ids: Vec<String> = (0..count).map(|number| format!("{number:02}")).collect();
            let mut items = Items::default();
            for node_id in &node_ids {
                items.changes.enqueue(item(node_id), 5);
            }
            let settled = node_ids.iter().step_by(3);
            for node_id in settled {
                items.changes.set(node_id, None);
            }
            items
                .changes
                .set("00", Some(ItemRecord::ordered(item("00"), 6)));
            let mut later = Changes::default();
            later.set("01", None);
            later.enqueue(item("zz"), 7);
            items.follow(later);
            let waiting = items.changed_and_waiting();
            let waiting: Vec<_> = waiting.map(|it| it.item.node_id.as_str()).collect();
            let expected = node_ids.iter().enumerate().filter_map(|(place, node_id)| {
                let waits = place == 0 || place != 1 && place % 3 != 0;
                waits.then_some(node_id.as_str())
            });
            assert_eq!(
                waiting,
                expected.chain(["zz"]).collect::<Vec<_>>(),
                "{count}"
            );
        }
    }

    #[test]
    fn r2_orders_are_written_in_the_order_in_which_they_were_given() {
        let mut items = Items::default();
        for node_id in ["b", "c", "a"] {
            items.changes.enqueue(item(node_id), 5);
        }
        let (changes, _) = items.settled();
        let ordered: Vec<_> = changes
            .iter()
            .filter_map(|change| match change {
                ItemChange::Enqueue { item, .. } => Some(item.node_id.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(ordered, ["b", "c", "a"]);
    }
}
