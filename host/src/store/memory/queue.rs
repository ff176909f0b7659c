//! All work items, kept in the orders in which they are asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::store::{ItemRecord, ItemState, Timestamp};

/// The number of an item. An item that was ordered later has a greater one.
pub(super) type Number = u64;

/// Items, by the time at which something is due of them, and then by their numbers.
type Due = BTreeSet<(Timestamp, Number)>;

/// The items of all executions. Questions are answered from sets that are in the
/// order of the answer already.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    items: HashMap<Number, Arc<Item>>,
    ordered: Number,
    /// The items that may be claimed at some time, by tenant and queue, and by priority.
    claimable: BTreeMap<(String, String), BTreeMap<u32, Due>>,
    /// The leased items.
    leased: Due,
    /// The dead letters.
    dead: Due,
    /// The leased items whose claims had a request's id, by worker and id.
    requests: BTreeMap<(String, String), BTreeSet<Number>>,
}

#[derive(Clone, Debug)]
struct Item {
    record: ItemRecord,
    /// Whether it may not be claimed, because its execution does not run.
    held: bool,
    /// Whether its execution is set aside: then its lease does not end either.
    set_aside: bool,
}

impl Queue {
    pub(super) fn get(&self, number: Number) -> Option<&ItemRecord> {
        self.items.get(&number).map(|item| &item.record)
    }

    /// Adds an item. Answers its number.
    pub(super) fn insert(&mut self, record: ItemRecord, held: bool) -> Number {
        self.ordered += 1;
        let number = self.ordered;
        let item = Item {
            record,
            held,
            set_aside: false,
        };
        self.enter(number, &item);
        self.items.insert(number, Arc::new(item));
        number
    }

    pub(super) fn remove(&mut self, number: Number) {
        if let Some(item) = self.items.remove(&number) {
            self.leave(number, &item);
        }
    }

    /// Changes an item.
    pub(super) fn change(&mut self, number: Number, change: impl FnOnce(&mut ItemRecord)) {
        self.rewrite(number, |item| change(&mut item.record));
    }

    /// Keeps an item from being claimed, or lets it be claimed again.
    pub(super) fn hold(&mut self, number: Number, held: bool) {
        self.rewrite(number, |item| item.held = held);
    }

    /// Notes that the item's execution is set aside, or is so no longer.
    pub(super) fn set_aside(&mut self, number: Number, set_aside: bool) {
        self.rewrite(number, |item| item.set_aside = set_aside);
    }

    fn rewrite(&mut self, number: Number, change: impl FnOnce(&mut Item)) {
        if let Some(mut item) = self.items.remove(&number) {
            self.leave(number, &item);
            change(Arc::make_mut(&mut item));
            self.enter(number, &item);
            self.items.insert(number, item);
        }
    }

    fn enter(&mut self, number: Number, item: &Item) {
        if let Some(request) = request_of(item) {
            self.requests.entry(request).or_default().insert(number);
        }
        match &item.record.state {
            ItemState::Waiting if !item.held => {
                let due = (claimable_at(&item.record), number);
                self.claimable
                    .entry(queue_of(item))
                    .or_default()
                    .entry(item.record.item.priority)
                    .or_default()
                    .insert(due);
            }
            ItemState::Leased(lease) if !item.set_aside => {
                self.leased.insert((lease.expires_at, number));
            }
            ItemState::Dead { since, .. } => {
                self.dead.insert((*since, number));
            }
            ItemState::Waiting | ItemState::Leased(_) => {}
        }
    }

    fn leave(&mut self, number: Number, item: &Item) {
        if let Some(request) = request_of(item)
            && let Some(items) = self.requests.get_mut(&request)
        {
            items.remove(&number);
            if items.is_empty() {
                self.requests.remove(&request);
            }
        }
        match &item.record.state {
            ItemState::Waiting if !item.held => {
                let queue = queue_of(item);
                let priority = item.record.item.priority;
                if let Some(by_priority) = self.claimable.get_mut(&queue) {
                    if let Some(set) = by_priority.get_mut(&priority) {
                        set.remove(&(claimable_at(&item.record), number));
                        if set.is_empty() {
                            by_priority.remove(&priority);
                        }
                    }
                    if by_priority.is_empty() {
                        self.claimable.remove(&queue);
                    }
                }
            }
            ItemState::Leased(lease) if !item.set_aside => {
                self.leased.remove(&(lease.expires_at, number));
            }
            ItemState::Dead { since, .. } => {
                self.dead.remove(&(*since, number));
            }
            ItemState::Waiting | ItemState::Leased(_) => {}
        }
    }

    /// The items that may be claimed at `now`, in their order.
    pub(super) fn claimable(
        &self,
        tenant: &str,
        queue: &str,
        now: Timestamp,
    ) -> impl Iterator<Item = &ItemRecord> {
        let by_priority = self.claimable.get(&(tenant.to_owned(), queue.to_owned()));
        let most_urgent_first = by_priority.into_iter().flat_map(|it| it.values().rev());
        most_urgent_first
            .flat_map(move |due| due.range(..=(now, Number::MAX)))
            .filter_map(|(_, number)| self.get(*number))
    }

    /// The queues of a tenant on which items wait.
    pub(super) fn waiting_queues(&self, tenant: &str) -> impl Iterator<Item = &str> {
        let queues = self.claimable.range((tenant.to_owned(), String::new())..);
        queues
            .map(|(name, _)| name)
            .take_while(move |(of, _)| of == tenant)
            .map(|(_, queue)| queue.as_str())
    }

    /// The first time after `now` at which an item of this queue may be claimed.
    pub(super) fn next_claimable(
        &self,
        tenant: &str,
        queue: &str,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let by_priority = self.claimable.get(&(tenant.to_owned(), queue.to_owned()))?;
        by_priority.values().filter_map(|due| after(due, now)).min()
    }

    /// The items whose lease is over at `now`, in their order.
    pub(super) fn expired(&self, now: Timestamp) -> impl Iterator<Item = &ItemRecord> {
        self.leased
            .range(..=(now, Number::MAX))
            .filter_map(|(_, number)| self.get(*number))
    }

    /// The items that are leased by the request of this id.
    pub(super) fn claimed_by(
        &self,
        worker_id: &str,
        request_id: &str,
    ) -> impl Iterator<Item = &ItemRecord> {
        let request = (worker_id.to_owned(), request_id.to_owned());
        let numbers = self.requests.get(&request).into_iter().flatten();
        numbers.filter_map(|number| self.get(*number))
    }

    /// The dead letters since this time or later, in their order.
    pub(super) fn dead(&self, since: Timestamp) -> impl Iterator<Item = &ItemRecord> {
        let dead = self.dead.range((since, 0)..);
        dead.filter_map(|(_, number)| self.get(*number))
    }

    /// All leased items.
    pub(super) fn leased(&self) -> impl Iterator<Item = &ItemRecord> {
        self.expired(Timestamp::MAX)
    }

    /// The first end of a lease after `now`.
    pub(super) fn next_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        after(&self.leased, now)
    }
}

fn queue_of(item: &Item) -> (String, String) {
    let item = &item.record.item;
    (item.tenant.clone(), item.queue.clone())
}

/// The worker that has leased an item, and the id of the request by which it did.
fn request_of(item: &Item) -> Option<(String, String)> {
    let lease = item.record.state.lease()?;
    Some((lease.worker_id.clone(), lease.request_id.clone()?))
}

fn claimable_at(record: &ItemRecord) -> Timestamp {
    record.item.not_before.max(record.enqueued_at)
}

fn after(due: &Due, now: Timestamp) -> Option<Timestamp> {
    let next = now.checked_add(1)?;
    due.range((next, 0)..).next().map(|(time, _)| *time)
}
