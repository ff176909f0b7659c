//! What a turn writes of an execution's work items: the difference between how they are
//! stored and how the turn leaves them; and what is stored once that is written.

use std::collections::BTreeMap;

use crate::store::{ItemChange, ItemRecord, ItemState};

/// Stored items, by node. Boxed, here as below: most executions have one or
/// two, and a node of a map has room for eleven.
pub(crate) type StoredItems = BTreeMap<String, Box<ItemRecord>>;

/// Adds the changes that lead from how a node's item is stored to how it is now. `None`
/// if it is not in the queue.
pub(super) fn push_difference(
    changes: &mut Vec<ItemChange>,
    node_id: String,
    before: Option<&ItemRecord>,
    now: Option<ItemRecord>,
) {
    let Some(now) = now else {
        return changes.extend(before.map(|_| ItemChange::Remove { node_id }));
    };
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

/// Makes of what was stored what is stored once these changes are written.
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
    use super::super::items::{Changes, Items};
    use super::*;
    use crate::model::WorkItem;
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
            let mut made = Changes::default();
            made.set("a", after.clone());
            items.follow(made);
            let stored: Vec<_> = after.clone().into_iter().collect();
            let (changes, mut known) = items.settled();
            assert_eq!(changes, leads, "{before:?} to {after:?}");
            written(&mut known, changes);
            let known: Vec<_> = known.into_values().map(|record| *record).collect();
            assert_eq!(known, stored);
        }
    }
}
