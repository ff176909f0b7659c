//! From a tick's decisions to what happens in the queue.
//!
//! What happens to a work item follows from the decisions alone. The guest's
//! orders to the queue are compared with that, and any difference is the
//! guest's failure: nothing of the tick is kept then.

use crate::limits::WAKE_SPAN_MS_MAX;
use crate::log::author::is_terminal;
use crate::log::effect::{self, Change, ItemEffect};
use crate::model::{Event, EventKind, Outcome, Status, WorkItem};
use crate::store::{ItemRecord, ItemState, Timestamp, check::TIME_MAX, ended};

use super::items::Changes;
use super::ports::Orders;
use super::staged::Staged;

/// Append what a tick decided, and do to the queue what follows from it. The
/// error says what the guest got wrong; nothing is staged then.
pub(crate) fn settle(
    staged: &mut Staged,
    orders: Orders,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), String> {
    let Orders {
        decisions,
        items: ordered,
        cancelled,
        refused,
    } = orders;
    if let Some(fault) = refused {
        return Err(fault);
    }
    if let Some(fault) = outcome_fault(staged, &decisions, outcome, now) {
        return Err(fault);
    }
    let mut queue = Queue {
        staged,
        changes: Changes::default(),
        ordered,
        cancelled,
    };
    for event in &decisions {
        queue.follow(event)?;
    }
    queue.nothing_left()?;
    let ends = decisions.last().is_some_and(|last| is_terminal(&last.kind));
    if ends && queue.has_unsettled() {
        return Err("the execution was ended while a work item of it was not settled".to_owned());
    }
    let changes = queue.changes;
    for event in decisions {
        staged.push(event);
    }
    staged.items_mut().follow(changes);
    staged.record.status = outcome.status;
    staged.record.next_wake = outcome.next_wake;
    Ok(())
}

/// Where the outcome contradicts the events that it comes after, if it does.
pub(in crate::live) fn outcome_fault(
    staged: &Staged,
    events: &[Event],
    outcome: &Outcome,
    now: Timestamp,
) -> Option<String> {
    let last = staged.record.head.sequence + events.len() as u64;
    if outcome.last_sequence != last {
        return Some(format!(
            "the guest says that the log ends at event {}, and it ends at {last}",
            outcome.last_sequence
        ));
    }
    let last_wake = now.saturating_add(WAKE_SPAN_MS_MAX).min(TIME_MAX);
    if outcome.next_wake.is_some_and(|wake| wake > last_wake) {
        return Some(
            "the guest wants to be woken at a time that never comes: more than a hundred years from now"
                .to_owned(),
        );
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

/// The queue while the decisions of one tick are followed, in their order.
struct Queue<'a> {
    staged: &'a Staged,
    changes: Changes,
    /// Orders that no decision was met for yet.
    ordered: Vec<WorkItem>,
    /// Cancellations that no decision was met for yet.
    cancelled: Vec<(String, u32)>,
}

impl Queue<'_> {
    /// Do what follows from one decision; or say what is wrong with it.
    fn follow(&mut self, event: &Event) -> Result<(), String> {
        let Some(effect) = effect::on_item(&event.kind) else {
            return Ok(());
        };
        let ItemEffect {
            node_id,
            change,
            stops,
        } = effect;
        if let Change::Enqueue { attempt, .. } = change {
            return self.order(node_id, attempt, event.at);
        }
        if stops {
            self.take_back(node_id)?;
        } else {
            self.settled(node_id)?;
        }
        if let Some(record) = self.item(node_id) {
            let record = ItemState::after(change, event.at).map(|state| ItemRecord {
                state,
                ..record.clone()
            });
            self.changes.set(node_id, record);
        }
        Ok(())
    }

    fn order(&mut self, node_id: &str, attempt: u32, at: Timestamp) -> Result<(), String> {
        if self.item(node_id).is_some_and(ItemRecord::is_unsettled) {
            return Err(format!(
                "node {node_id:?} was ordered anew while its work item was not settled"
            ));
        }
        let of_this = |item: &WorkItem| item.node_id == node_id && item.attempt == attempt;
        let Some(place) = self.ordered.iter().position(of_this) else {
            return Err(format!(
                "attempt {attempt} of node {node_id:?} was decided, and its work item not ordered"
            ));
        };
        let item = self.ordered.remove(place);
        self.changes.enqueue(item, at);
        Ok(())
    }

    /// An unsettled item must have been cancelled.
    fn take_back(&mut self, node_id: &str) -> Result<(), String> {
        let Some(record) = self.item(node_id).filter(|record| record.is_unsettled()) else {
            return Ok(());
        };
        let attempt = record.item.attempt;
        let of_this = |(of, cancelled): &(String, u32)| *of == node_id && *cancelled == attempt;
        let Some(place) = self.cancelled.iter().position(of_this) else {
            return Err(format!(
                "node {node_id:?} was stopped, and its work item not cancelled"
            ));
        };
        self.cancelled.swap_remove(place);
        Ok(())
    }

    /// There must be no unsettled item.
    fn settled(&self, node_id: &str) -> Result<(), String> {
        if self.item(node_id).is_some_and(ItemRecord::is_unsettled) {
            return Err(format!(
                "node {node_id:?} was settled while its work item was not"
            ));
        }
        Ok(())
    }

    fn item(&self, node_id: &str) -> Option<&ItemRecord> {
        match self.changes.of(node_id) {
            Some(changed) => changed,
            None => self.staged.items().of(node_id),
        }
    }

    fn has_unsettled(&self) -> bool {
        let before = self.staged.items().all();
        let left = before.filter(|record| self.changes.of(&record.item.node_id).is_none());
        left.chain(self.changes.present())
            .any(ItemRecord::is_unsettled)
    }

    /// No order must be left that no decision asked for.
    fn nothing_left(&self) -> Result<(), String> {
        if let Some(WorkItem {
            node_id, attempt, ..
        }) = self.ordered.first()
        {
            return Err(format!(
                "a work item of attempt {attempt} of node {node_id:?} was ordered without a decision"
            ));
        }
        match self.cancelled.first() {
            Some((node_id, attempt)) => Err(format!(
                "the work item of attempt {attempt} of node {node_id:?} was cancelled without a decision"
            )),
            None => Ok(()),
        }
    }
}
