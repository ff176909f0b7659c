//! From what a guest did in a step to what happens in the log and in the queue.
//!
//! What happens to a work item follows from the events alone. The guest's
//! orders to the queue are compared with that, and what it says of the step with
//! what it did; any difference is the guest's failure, and nothing of the step is
//! kept then.

use std::collections::VecDeque;

use crate::limits::WAKE_SPAN_MS_MAX;
use crate::log::effect::{self, Change, ItemEffect};
use crate::model::{
    Digest, Event, EventKind, ItemName, Origin, Outcome, Refusal, Status, WorkItem,
};
use crate::order_rules::unfounded;
use crate::store::{ItemRecord, Timestamp, check::TIME_MAX, ended};

use super::items::Changes;
use super::ports::{Ordered, Orders};
use super::staged::Staged;

/// Appends the facts that a step took and what it decided, and does to the queue
/// what follows from it. The error says what the guest got wrong; nothing is
/// staged then, and the facts are left.
pub(crate) fn settle(
    staged: &mut Staged,
    facts: &mut Vec<EventKind>,
    mut orders: Orders,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), String> {
    check_refusals(facts.len(), &outcome.refused)?;
    let held = check(staged, facts, &orders, outcome)?;
    let taken = facts.len() - outcome.refused.len();
    if let Some(fault) = outcome_fault(staged, taken, &orders.decisions, outcome, now) {
        return Err(fault);
    }
    if let Some(fault) = unfounded(orders.decisions.iter(), &orders.children) {
        return Err(fault);
    }
    let changes = changes(staged, taken_of(facts, &outcome.refused), &mut orders, now)?;
    for (place, kind) in std::mem::take(facts).into_iter().enumerate() {
        if !is_taken(place, &outcome.refused) {
            continue;
        }
        let fact = Event {
            sequence: staged.record.head.sequence + 1,
            at: now,
            origin: Origin::Fact,
            kind,
        };
        match &changes {
            Some(_) => staged.push(fact),
            None => staged.take_fact(fact),
        }
    }
    for event in orders.decisions {
        staged.push(event);
    }
    staged.child_orders.extend(orders.children);
    if let Some(changes) = changes {
        staged.items_mut().follow(changes);
    }
    staged.stands(outcome, held);
    Ok(())
}

/// What follows from a step in the queue: of the facts, then of the decisions.
/// `None` if nothing was decided: then each fact does at once what it does.
fn changes<'a>(
    staged: &Staged,
    facts: impl Iterator<Item = &'a EventKind>,
    orders: &mut Orders,
    now: Timestamp,
) -> Result<Option<Changes>, String> {
    let (ordered, cancelled) = (&mut orders.items, &mut orders.cancelled);
    if orders.decisions.is_empty() && ordered.is_empty() && cancelled.is_empty() {
        return Ok(None);
    }
    let mut queue = Queue {
        staged,
        changes: Changes::default(),
        ordered: std::mem::take(ordered).into(),
        cancelled: std::mem::take(cancelled),
    };
    let first = staged.record.head.sequence + 1;
    for (fact, sequence) in facts.zip(first..) {
        queue.take_fact(fact, sequence, now);
    }
    let mut decisions = orders.decisions.iter();
    decisions.try_for_each(|event| queue.follow(event))?;
    queue.nothing_left()?;
    let last = orders.decisions.last();
    if last.is_some_and(|last| last.kind.is_terminal()) && queue.has_unsettled() {
        return Err("the execution was ended while a work item of it was not settled".to_owned());
    }
    Ok(Some(queue.changes))
}

/// What a guest refuses must have been offered, each once, in their order.
fn check_refusals(facts: usize, refused: &[Refusal]) -> Result<(), String> {
    let mut next = 0;
    for Refusal { index, .. } in refused {
        let place = *index as usize;
        if place < next || place >= facts {
            return Err(format!(
                "the guest refuses fact {index} out of place: it was offered {facts}, and refuses each once, in their order"
            ));
        }
        next = place + 1;
    }
    Ok(())
}

fn is_taken(place: usize, refused: &[Refusal]) -> bool {
    refused
        .iter()
        .all(|refusal| refusal.index as usize != place)
}

/// The facts that a guest took of those that it was offered.
pub(crate) fn taken_of<'a>(
    facts: &'a [EventKind],
    refused: &'a [Refusal],
) -> impl Iterator<Item = &'a EventKind> + Clone {
    let facts = facts.iter().enumerate();
    facts
        .filter(move |(place, _)| is_taken(*place, refused))
        .map(|(_, fact)| fact)
}

/// Whether what the guest did is what it may do, given the facts that it took. Says
/// whether the host stalls the execution then.
fn check(
    staged: &Staged,
    facts: &[EventKind],
    orders: &Orders,
    outcome: &Outcome,
) -> Result<bool, String> {
    let Orders {
        decisions,
        appended_after,
        retried,
        refused,
        ..
    } = orders;
    if let Some(fault) = refused {
        return Err(fault.clone());
    }
    let taken = taken_of(facts, &outcome.refused);
    let record = &staged.record;
    let last = record.head.sequence + taken.clone().count() as u64;
    if let Some(after) = appended_after.filter(|after| *after != last) {
        return Err(format!(
            "the guest appended after event {after}, and with the facts that it took the log ends at event {last}"
        ));
    }
    let begins = match taken.clone().next() {
        Some(first) => matches!(first, EventKind::WorkflowStarted(_)),
        None => decisions.is_empty(),
    };
    if record.head.sequence == 0 && !begins {
        return Err("the guest begins a log with something else than workflow_started".to_owned());
    }
    if last > record.head.sequence && ended(record.status) {
        return Err("the guest took a fact after a terminal event".to_owned());
    }
    let is_retried = |node: &String| taken.clone().any(|fact| effect::asks_again(fact, node));
    if let Some(node) = retried.iter().find(|node| !is_retried(node)) {
        return Err(format!(
            "node {node:?} was ordered as if an operator had asked for it to be tried again, and that was refused"
        ));
    }
    let held = taken.fold(staged.held, |held, fact| {
        effect::on_host_stall(fact).unwrap_or(held)
    });
    if held && !decisions.is_empty() {
        return Err("the guest decides something while the host stalls the execution".to_owned());
    }
    if outcome.more && decisions.is_empty() {
        return Err(
            "the guest says that there is more to be decided, and decides nothing".to_owned(),
        );
    }
    Ok(held)
}

/// Where the outcome contradicts the events that it comes after, if it does: so
/// many facts, and these decisions.
fn outcome_fault(
    staged: &Staged,
    facts: usize,
    decisions: &[Event],
    outcome: &Outcome,
    now: Timestamp,
) -> Option<String> {
    let last = staged.record.head.sequence + (facts + decisions.len()) as u64;
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
    let ending = decisions.last().and_then(|event| match event.kind {
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

/// The queue while the events of one step are followed, in their order.
struct Queue<'a> {
    staged: &'a Staged,
    changes: Changes,
    /// Orders that no decision was met for yet.
    ordered: VecDeque<Ordered>,
    /// Cancellations that no decision was met for yet.
    cancelled: Vec<ItemName>,
}

impl Queue<'_> {
    /// Do what follows from one fact.
    fn take_fact(&mut self, fact: &EventKind, sequence: u64, at: Timestamp) {
        if let Some(effect) = effect::on_item(fact, sequence) {
            self.change(effect.node_id, effect.change, at);
        }
    }

    /// Do what follows from one decision; or say what is wrong with it.
    fn follow(&mut self, event: &Event) -> Result<(), String> {
        let Some(effect) = effect::on_item(&event.kind, event.sequence) else {
            return Ok(());
        };
        let ItemEffect {
            node_id,
            change,
            stops,
        } = effect;
        if let Change::Enqueue { attempt, digest } = change {
            let queue = match &event.kind {
                EventKind::NodeScheduled(it) => Some(it.queue.as_str()),
                _ => None,
            };
            return self.order(node_id, (attempt, digest, queue), event.at);
        }
        if stops {
            self.take_back(node_id)?;
        } else {
            self.settled(node_id)?;
        }
        self.change(node_id, change, event.at);
        Ok(())
    }

    /// Change the node's item, if it has one.
    fn change(&mut self, node_id: &str, change: Change<'_>, at: Timestamp) {
        if let Some(record) = self.item(node_id) {
            let record = match change {
                Change::Remove => None,
                change => {
                    let mut record = record.clone();
                    record.take(change, at).then_some(record)
                }
            };
            self.changes.set(node_id, record);
        }
    }

    /// A decision orders this attempt of the node, by the digest of its item and,
    /// if it says so, on this queue.
    fn order(
        &mut self,
        node_id: &str,
        (attempt, digest, queue): (u32, Digest, Option<&str>),
        at: Timestamp,
    ) -> Result<(), String> {
        if self.item(node_id).is_some_and(ItemRecord::is_unsettled) {
            return Err(format!(
                "node {node_id:?} was ordered anew while its work item was not settled"
            ));
        }
        let of_this = |it: &Ordered| it.item.node_id == node_id && it.item.attempt == attempt;
        // They are ordered as they are decided: it is the first one.
        let place = self.ordered.iter().position(of_this);
        let Some(ordered) = place.and_then(|place| self.ordered.remove(place)) else {
            return Err(format!(
                "attempt {attempt} of node {node_id:?} was decided, and its work item not ordered"
            ));
        };
        let Ordered { item, digest: own } = ordered;
        if digest != own {
            return Err(format!(
                "attempt {attempt} of node {node_id:?} was decided with the digest {digest}, and its work item has {own}"
            ));
        }
        if queue.is_some_and(|queue| queue != item.queue) {
            return Err(format!(
                "attempt {attempt} of node {node_id:?} was decided for another queue than {:?}, on which its work item was ordered",
                item.queue
            ));
        }
        self.changes.enqueue(item, at);
        Ok(())
    }

    /// An unsettled item must have been cancelled.
    fn take_back(&mut self, node_id: &str) -> Result<(), String> {
        let Some(record) = self.item(node_id).filter(|record| record.is_unsettled()) else {
            return Ok(());
        };
        let attempt = record.item.attempt;
        let of_this = |name: &ItemName| name.node_id == node_id && name.attempt == attempt;
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
        }) = self.ordered.front().map(|ordered| &ordered.item)
        {
            return Err(format!(
                "a work item of attempt {attempt} of node {node_id:?} was ordered without a decision"
            ));
        }
        match self.cancelled.first() {
            Some(ItemName { node_id, attempt }) => Err(format!(
                "the work item of attempt {attempt} of node {node_id:?} was cancelled without a decision"
            )),
            None => Ok(()),
        }
    }
}
