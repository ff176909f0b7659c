//! The work items of one execution while a turn is open: all that are stored,
//! and on top of them what the turn made of each.
//!
//! Nothing here reads the store or writes to it. What the turn writes is the
//! difference between before and after, so that an item which is ordered and
//! claimed in one turn is written once.

use std::collections::BTreeMap;

use crate::log::effect::{self, Change};
use crate::model::{Event, WorkItem};
use crate::store::{ItemChange, ItemRecord, ItemState, Timestamp};

/// Stored items, by node. Boxed, here as below: most executions have one or
/// two, and a node of a map has room for eleven.
pub(crate) type StoredItems = BTreeMap<String, Box<ItemRecord>>;

/// What became of items, by node.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Each item that changed. `None` if it has left the queue.
    after: BTreeMap<String, Option<Box<ItemRecord>>>,
    /// Nodes whose items were ordered, in that order: claims go by it.
    ordered: Vec<String>,
}

/// The items of an execution.
#[derive(Debug, Default)]
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
        self.after.insert(node_id, Some(Box::new(record)));
    }

    /// Changes the item of a node. `None` if it leaves the queue.
    pub(crate) fn set(&mut self, node_id: &str, record: Option<ItemRecord>) {
        let record = record.map(Box::new);
        self.after.insert(node_id.to_owned(), record);
    }

    /// The node's item, if it changed here.
    pub(crate) fn of(&self, node_id: &str) -> Option<Option<&ItemRecord>> {
        self.after.get(node_id).map(Option::as_deref)
    }

    /// All items that changed here and are still there.
    pub(crate) fn present(&self) -> impl Iterator<Item = &ItemRecord> {
        self.after.values().flatten().map(Box::as_ref)
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
        } else if let Some(record) = self.record_mut(node_id)
            && !record.take(effect.change, fact.at)
        {
            self.changes.set(node_id, None);
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
        let after = &mut self.changes.after;
        if !after.contains_key(node_id) {
            let stored = self.stored.get(node_id)?.clone();
            after.insert(node_id.to_owned(), Some(stored));
        }
        after.get_mut(node_id)?.as_deref_mut()
    }

    /// Takes over changes that came later.
    pub(crate) fn follow(&mut self, later: Changes) {
        self.changes.after.extend(later.after);
        self.changes.ordered.extend(later.ordered);
    }

    /// What the turn writes, and what is stored until then.
    pub(crate) fn settled(self) -> (Vec<ItemChange>, StoredItems) {
        let Self {
            stored,
            changes: Changes { mut after, ordered },
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
            match now {
                Some(now) => write_down(&mut changes, node_id, before, *now),
                None => changes.extend(before.map(|_| ItemChange::Remove { node_id })),
            }
        }
        (changes, stored)
    }
}

/// What leads from how a node's item is stored to how it is now.
fn write_down(
    changes: &mut Vec<ItemChange>,
    node_id: String,
    before: Option<&ItemRecord>,
    now: ItemRecord,
) {
    let ItemRecord {
        item,
        enqueued_at,
        releases,
        state,
    } = now;
    let unsettled = before.filter(|before| before.is_unsettled());
    let same = unsettled.is_some_and(|before| before.item.attempt == item.attempt);
    let lease = match state {
        ItemState::Dead { error, since } => {
            return changes.push(ItemChange::DeadLetter {
                node_id,
                item,
                enqueued_at,
                error,
                at: since,
            });
        }
        ItemState::Waiting => None,
        ItemState::Leased(lease) => Some(lease),
    };
    let stored = unsettled.filter(|_| same).map_or(0, |it| it.releases);
    let is_given_back = releases != stored;
    let released = is_given_back.then(|| ItemChange::Release {
        node_id: node_id.clone(),
        releases,
    });
    if same {
        changes.extend(released);
        return changes.extend(lease.map(|lease| ItemChange::Lease { node_id, lease }));
    }
    if unsettled.is_some() {
        let node_id = node_id.clone();
        changes.push(ItemChange::Remove { node_id });
    }
    // An order has not been given back yet.
    let (of_order, later) = match is_given_back {
        true => (None, lease),
        false => (lease, None),
    };
    changes.push(ItemChange::Enqueue {
        item,
        at: enqueued_at,
        lease: of_order,
    });
    changes.extend(released);
    changes.extend(later.map(|lease| ItemChange::Lease { node_id, lease }));
}

/// These changes are written: what is stored from then on.
pub(crate) fn written(stored: &mut StoredItems, changes: Vec<ItemChange>) {
    for change in changes {
        match change {
            ItemChange::Enqueue { item, at, lease } => {
                let record = ItemRecord {
                    state: lease.map_or(ItemState::Waiting, ItemState::Leased),
                    ..ItemRecord::ordered(item, at)
                };
                stored.insert(record.item.node_id.clone(), Box::new(record));
            }
            ItemChange::Lease { node_id, lease } => {
                if let Some(record) = stored.get_mut(&node_id) {
                    record.state = ItemState::Leased(lease);
                }
            }
            ItemChange::Release { node_id, releases } => {
                if let Some(record) = stored.get_mut(&node_id) {
                    record.releases = releases;
                    record.state = ItemState::Waiting;
                }
            }
            ItemChange::Remove { node_id } => drop(stored.remove(&node_id)),
            ItemChange::DeadLetter {
                node_id,
                item,
                enqueued_at,
                error,
                at: since,
            } => {
                let record = ItemRecord {
                    state: ItemState::Dead { error, since },
                    ..ItemRecord::ordered(item, enqueued_at)
                };
                stored.insert(node_id, Box::new(record));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Lease;

    fn item(attempt: u32) -> WorkItem {
        WorkItem {
            execution_id: "exec_1".to_owned(),
            node_id: "a".to_owned(),
            attempt,
            max_attempts: 3,
            queue: "tool".to_owned(),
            tenant: "default".to_owned(),
            priority: 5,
            not_before: 0,
            payload: "{}".to_owned(),
        }
    }

    fn record(attempt: u32, state: ItemState) -> ItemRecord {
        ItemRecord {
            state,
            ..ItemRecord::ordered(item(attempt), 5)
        }
    }

    /// An item of attempt 1 that was given back so often.
    fn given_back(releases: u32, state: ItemState) -> ItemRecord {
        ItemRecord {
            releases,
            ..record(1, state)
        }
    }

    fn released(releases: u32) -> ItemChange {
        let node_id = "a".to_owned();
        ItemChange::Release { node_id, releases }
    }

    fn lease(fence: u64) -> Lease {
        Lease {
            worker_id: "w".to_owned(),
            fence,
            expires_at: 90,
            request_id: None,
        }
    }

    fn dead() -> ItemState {
        ItemState::Dead {
            error: "it broke".to_owned(),
            since: 7,
        }
    }

    fn leased() -> ItemState {
        ItemState::Leased(lease(3))
    }

    fn enqueued(attempt: u32, lease: Option<Lease>) -> ItemChange {
        let (item, at) = (item(attempt), 5);
        ItemChange::Enqueue { item, at, lease }
    }

    fn removed() -> ItemChange {
        let node_id = "a".to_owned();
        ItemChange::Remove { node_id }
    }

    fn claimed() -> ItemChange {
        let (node_id, lease) = ("a".to_owned(), lease(3));
        ItemChange::Lease { node_id, lease }
    }

    fn dead_lettered(attempt: u32) -> ItemChange {
        ItemChange::DeadLetter {
            node_id: "a".to_owned(),
            item: item(attempt),
            enqueued_at: 5,
            error: "it broke".to_owned(),
            at: 7,
        }
    }

    #[test]
    fn what_is_written_is_what_leads_from_before_to_after() {
        use ItemState::Waiting;
        let at = |attempt, state| Some(record(attempt, state));
        let table = [
            (None, None, vec![]),
            (None, at(1, Waiting), vec![enqueued(1, None)]),
            (None, at(1, leased()), vec![enqueued(1, Some(lease(3)))]),
            (None, at(1, dead()), vec![dead_lettered(1)]),
            (at(1, Waiting), None, vec![removed()]),
            (at(1, Waiting), at(1, leased()), vec![claimed()]),
            (at(1, leased()), at(1, leased()), vec![claimed()]),
            (at(1, leased()), at(1, dead()), vec![dead_lettered(1)]),
            (
                at(1, leased()),
                at(2, Waiting),
                vec![removed(), enqueued(2, None)],
            ),
            (at(1, leased()), at(2, dead()), vec![dead_lettered(2)]),
            (at(1, dead()), at(2, Waiting), vec![enqueued(2, None)]),
            (at(1, dead()), None, vec![removed()]),
            (
                at(1, leased()),
                Some(given_back(1, Waiting)),
                vec![released(1)],
            ),
            (
                at(1, Waiting),
                Some(given_back(2, leased())),
                vec![released(2), claimed()],
            ),
            (
                Some(given_back(2, Waiting)),
                Some(given_back(2, leased())),
                vec![claimed()],
            ),
            (
                None,
                Some(given_back(1, leased())),
                vec![enqueued(1, None), released(1), claimed()],
            ),
            (
                at(2, leased()),
                Some(given_back(1, Waiting)),
                vec![removed(), enqueued(1, None), released(1)],
            ),
            (
                Some(given_back(3, leased())),
                at(2, Waiting),
                vec![removed(), enqueued(2, None)],
            ),
        ];
        for (before, after, leads) in table {
            let mut items = Items::stored(
                before
                    .clone()
                    .into_iter()
                    .map(|record| ("a".to_owned(), Box::new(record)))
                    .collect(),
            );
            let now = after.clone().map(Box::new);
            items.changes.after.insert("a".to_owned(), now);
            let stored: Vec<_> = after.clone().into_iter().collect();
            let (changes, mut known) = items.settled();
            assert_eq!(changes, leads, "{before:?} to {after:?}");
            written(&mut known, changes);
            let known: Vec<_> = known.into_values().map(|record| *record).collect();
            assert_eq!(known, stored);
        }
    }

    #[test]
    fn r2_orders_are_written_in_the_order_in_which_they_were_given() {
        let mut items = Items::default();
        for node_id in ["b", "c", "a"] {
            let item = WorkItem {
                node_id: node_id.to_owned(),
                ..item(1)
            };
            items.changes.enqueue(item, 5);
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
