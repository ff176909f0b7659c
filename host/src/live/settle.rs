//! From a tick's decisions to what happens in the queue.
//!
//! What happens to a work item follows from the decisions alone. The guest's
//! orders to the queue are compared with that, and any difference is the
//! guest's failure: nothing of the tick is kept then.

use std::collections::BTreeMap;

use crate::contract::{Event, EventKind, Outcome, Status, WorkItem};
use crate::log::author::is_terminal;
use crate::store::{ItemRecord, ItemState, Store, StoreError, Timestamp, check::TIME_MAX, ended};

use super::ports::Orders;
use super::staged::{Items, Staged};

/// Append what a tick decided, and do to the queue what follows from it. The
/// inner error says what the guest got wrong; nothing is staged then.
pub(crate) fn settle(
    staged: &mut Staged,
    store: &mut dyn Store,
    orders: Orders,
    outcome: &Outcome,
) -> Result<Result<(), String>, StoreError> {
    let Orders {
        decisions,
        items,
        cancelled,
    } = orders;
    if let Some(fault) = outcome_fault(staged, &decisions, outcome) {
        return Ok(Err(fault));
    }
    let ordered = items
        .into_iter()
        .map(|item| ((item.node_id.clone(), item.attempt), item))
        .collect();
    let mut queue = Queue {
        staged,
        store,
        items: Items::default(),
        ordered,
        cancelled,
    };
    for event in &decisions {
        if let Some(fault) = queue.follow(event)? {
            return Ok(Err(fault));
        }
    }
    if let Some(fault) = queue.leftover_fault() {
        return Ok(Err(fault));
    }
    let items = queue.items;
    if decisions
        .last()
        .is_some_and(|event| is_terminal(&event.kind))
        && has_unsettled(staged, store, &items)?
    {
        return Ok(Err(
            "the execution was ended while a work item of it was not settled".to_owned(),
        ));
    }
    for event in decisions {
        staged.push(event);
    }
    staged.settle(items);
    staged.record.status = outcome.status;
    staged.record.next_wake = outcome.next_wake;
    Ok(Ok(()))
}

/// Where the outcome contradicts the events that it comes after, if it does.
pub(super) fn outcome_fault(
    staged: &Staged,
    events: &[Event],
    outcome: &Outcome,
) -> Option<String> {
    let last = staged.record.head.sequence + events.len() as u64;
    if outcome.last_sequence != last {
        return Some(format!(
            "the guest says that the log ends at event {}, and it ends at {last}",
            outcome.last_sequence
        ));
    }
    if outcome.next_wake.is_some_and(|wake| wake > TIME_MAX) {
        return Some("the guest wants to be woken at a time that never comes".to_owned());
    }
    let ending = events.last().and_then(|event| match event.kind {
        EventKind::WorkflowCompleted(_) => Some(Status::Completed),
        EventKind::WorkflowFailed(_) => Some(Status::Failed),
        EventKind::WorkflowCancelled(_) => Some(Status::Cancelled),
        _ => None,
    });
    let before = Some(staged.record.status).filter(|status| ended(*status));
    let says = Some(outcome.status).filter(|status| ended(*status));
    (ending.or(before) != says).then(|| {
        format!(
            "the guest says {:?}, and the log says otherwise",
            outcome.status
        )
    })
}

fn has_unsettled(
    staged: &Staged,
    store: &mut dyn Store,
    later: &Items,
) -> Result<bool, StoreError> {
    let unsettled = |record: &ItemRecord| !matches!(record.state, ItemState::Dead { .. });
    let before = staged.all_items(store)?;
    let left = before
        .iter()
        .filter(|record| later.changed(&record.item.node_id).is_none());
    Ok(left.chain(later.changed_present()).any(unsettled))
}

/// The queue while the decisions of one tick are followed, in their order.
struct Queue<'a> {
    staged: &'a Staged,
    store: &'a mut dyn Store,
    items: Items,
    /// Orders that no decision was met for yet.
    ordered: BTreeMap<(String, u32), WorkItem>,
    /// Cancellations that no decision was met for yet.
    cancelled: Vec<(String, u32)>,
}

impl Queue<'_> {
    /// Do what follows from one decision; or say what is wrong with it.
    fn follow(&mut self, event: &Event) -> Result<Option<String>, StoreError> {
        let at = event.at;
        match &event.kind {
            EventKind::NodeScheduled(it) => self.order(&it.node_id, it.attempt, at),
            EventKind::RetryScheduled(it) => self.order(&it.node_id, it.attempt, at),
            EventKind::NodeTimedOut(it) => {
                let error = it.error();
                self.take_back(&it.node_id, |items, record| items.bury(record, &error, at))
            }
            EventKind::NodeCancelled(it) => self.take_back(&it.node_id, |items, record| {
                items.remove(&record.item.node_id);
            }),
            EventKind::NodeSkipped(it) => self.settled(&it.node_id, |items, record| {
                items.remove(&record.item.node_id);
            }),
            EventKind::NodeCompleted(it) => self.settled(&it.node_id, |items, record| {
                items.remove(&record.item.node_id);
            }),
            EventKind::NodeExhausted(it) => self.settled(&it.node_id, |items, record| {
                items.bury(record, &it.error, at);
            }),
            _ => Ok(None),
        }
    }

    fn order(
        &mut self,
        node_id: &str,
        attempt: u32,
        at: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        if self.unsettled(node_id)?.is_some() {
            return Ok(Some(format!(
                "node {node_id:?} was ordered anew while its work item was not settled"
            )));
        }
        let Some(item) = self.ordered.remove(&(node_id.to_owned(), attempt)) else {
            return Ok(Some(format!(
                "attempt {attempt} of node {node_id:?} was decided, and its work item not ordered"
            )));
        };
        self.items.enqueue(item, at);
        Ok(None)
    }

    /// An unsettled item must have been cancelled; a dead letter goes along.
    fn take_back(
        &mut self,
        node_id: &str,
        change: impl FnOnce(&mut Items, ItemRecord),
    ) -> Result<Option<String>, StoreError> {
        let Some(record) = self.item(node_id)? else {
            return Ok(None);
        };
        if !matches!(record.state, ItemState::Dead { .. }) {
            let order = (node_id.to_owned(), record.item.attempt);
            let Some(place) = self
                .cancelled
                .iter()
                .position(|cancelled| *cancelled == order)
            else {
                return Ok(Some(format!(
                    "node {node_id:?} was stopped, and its work item not cancelled"
                )));
            };
            self.cancelled.swap_remove(place);
        }
        change(&mut self.items, record);
        Ok(None)
    }

    /// There must be no unsettled item; a dead letter is changed.
    fn settled(
        &mut self,
        node_id: &str,
        change: impl FnOnce(&mut Items, ItemRecord),
    ) -> Result<Option<String>, StoreError> {
        if self.unsettled(node_id)?.is_some() {
            return Ok(Some(format!(
                "node {node_id:?} was settled while its work item was not"
            )));
        }
        if let Some(record) = self.item(node_id)? {
            change(&mut self.items, record);
        }
        Ok(None)
    }

    fn unsettled(&mut self, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        Ok(self
            .item(node_id)?
            .filter(|record| !matches!(record.state, ItemState::Dead { .. })))
    }

    fn item(&mut self, node_id: &str) -> Result<Option<ItemRecord>, StoreError> {
        match self.items.changed(node_id) {
            Some(item) => Ok(item.cloned()),
            None => self.staged.item(self.store, node_id),
        }
    }

    /// Orders that no decision asked for.
    fn leftover_fault(&self) -> Option<String> {
        if let Some((node_id, attempt)) = self.ordered.keys().next() {
            return Some(format!(
                "a work item of attempt {attempt} of node {node_id:?} was ordered without a decision"
            ));
        }
        let (node_id, attempt) = self.cancelled.first()?;
        Some(format!(
            "the work item of attempt {attempt} of node {node_id:?} was cancelled without a decision"
        ))
    }
}
