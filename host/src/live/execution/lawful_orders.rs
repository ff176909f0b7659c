//! What a guest orders, held against what the workflow holds.
//!
//! The rules are the workflow's own; what they need to know of the past is read
//! from the node's item, which a turn has at hand, and only where an operator
//! has given the node a fresh budget from the log.

use std::collections::BTreeSet;

use crate::log::effect;
use crate::model::{Event, EventKind, WorkItem, WorkOrder, instance_of};
use crate::order_rules::{Attempts, Awaited, OrderRules, SaidOfChild, stopped, uncancelled};
use crate::store::{ItemRecord, Reader, StoreError};

use super::staged::Staged;

/// An item that a guest ordered, as far as the workflow's rules go.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Why it is none that the workflow holds, if it is none.
    pub(super) fault: Option<String>,
    /// Whether it has a fresh budget because the step offers an operator's request for
    /// it. It is lawful only if the guest takes that request.
    pub(super) needs_offered_retry: bool,
}

/// Judges an item by the workflow's rules; `is_retry_offered` says whether the step
/// offers an operator's request to try its node again.
///
/// # Errors
/// The log cannot be read.
pub(super) fn judge(
    item: &WorkItem,
    rules: &OrderRules,
    is_retry_offered: bool,
    staged: &Staged,
    store: &mut dyn Reader,
) -> Result<Judged, StoreError> {
    let mut judged = Judged::default();
    let mut before = Attempts::default();
    // What was ordered of the node before: its item stays, as a dead letter, until a
    // further attempt is ordered.
    if let Some(ItemRecord { item: last, .. }) = staged.items().of(&item.node_id) {
        let budget = rules.max_attempts(&item.node_id);
        before = Attempts {
            last: last.attempt,
            budget_after: last.max_attempts.saturating_sub(budget),
        };
        // Seldom: an operator gave the node a fresh budget, or the guest says so.
        if item.max_attempts != last.max_attempts {
            judged.needs_offered_retry = is_retry_offered;
            if is_retry_offered || last_news(staged, store, &item.node_id)? == Some(News::Retry) {
                before.budget_after = before.last;
            }
        }
    } else if item.attempt > 1 && instance_of(&item.node_id).is_some() {
        // Seldom: the item of an instance was taken back as its map failed, and an
        // operator has the map retried.
        judged.needs_offered_retry = is_retry_offered;
        let is_retried =
            is_retry_offered || last_news(staged, store, &item.node_id)? == Some(News::Retry);
        if let Some(last) = last_order(staged, store, &item.node_id)?.filter(|_| is_retried) {
            before = Attempts {
                last,
                budget_after: last,
            };
        }
    }
    let fault = rules.fault(item, staged.record.priority, before);
    judged.fault = fault.map(|fault| format!("{} {fault}", named(item)));
    Ok(judged)
}

/// A work item, for a sentence about it.
pub(super) fn named(item: &WorkItem) -> String {
    let WorkItem {
        node_id, attempt, ..
    } = item;
    format!("the work item of attempt {attempt} of node {node_id:?}")
}

/// What a log says last of a node, as far as its attempts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// An operator asked for it, or for the map that it is an instance of, to be tried
    /// again.
    Retry,
    /// This attempt was ordered.
    Order(u32),
}

/// What the log says last of a node.
fn last_news(
    staged: &Staged,
    store: &mut dyn Reader,
    node_id: &str,
) -> Result<Option<News>, StoreError> {
    last_of(staged, store, |event| about(node_id, event))
}

/// The last attempt of a node that was ordered.
fn last_order(
    staged: &Staged,
    store: &mut dyn Reader,
    node_id: &str,
) -> Result<Option<u32>, StoreError> {
    last_of(staged, store, |event| match about(node_id, event) {
        Some(News::Order(attempt)) => Some(attempt),
        Some(News::Retry) | None => None,
    })
}

/// The last that is found in the log. Read from the end, where it stands.
fn last_of<T>(
    staged: &Staged,
    store: &mut dyn Reader,
    find: impl Fn(&Event) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    let mut end = staged.record.head.sequence;
    while end > 0 {
        let first = end.saturating_sub(LOOK_BACK) + 1;
        let mut found = None;
        let mut next = first;
        while next <= end {
            // A page can be shorter than was asked: large events fill it.
            let page = staged.page(store, next, LOOK_BACK as u32)?;
            if page.is_empty() {
                break;
            }
            let last = page.iter().rev().find_map(|stored| find(&stored.event));
            found = last.or(found);
            next += page.len() as u64;
        }
        if found.is_some() {
            return Ok(found);
        }
        end = first - 1;
    }
    Ok(None)
}

/// What is wrong with the children that a step cancelled and those whose nodes it stopped,
/// if anything is; `taken` are the facts that it took.
///
/// # Errors
/// The log cannot be read.
pub(crate) fn judge_cancelled<'a>(
    taken: impl Iterator<Item = &'a EventKind>,
    decisions: &'a [Event],
    orders: &'a [WorkOrder],
    rules: &OrderRules,
    staged: &Staged,
    store: &mut dyn Reader,
) -> Result<Option<String>, StoreError> {
    let decided = || decisions.iter().map(|event| &event.kind);
    let nodes = stopped(decided(), orders, rules);
    if nodes.is_empty() {
        return Ok(None);
    }
    let mut awaited = awaited(nodes, rules, staged, store)?;
    Ok(uncancelled(&mut awaited, taken, decided(), orders, rules))
}

/// The children that these nodes wait for. Seldom asked: where nodes are stopped that start
/// children.
fn awaited(
    mut nodes: BTreeSet<&str>,
    rules: &OrderRules,
    staged: &Staged,
    store: &mut dyn Reader,
) -> Result<Awaited, StoreError> {
    let mut awaited = Awaited::default();
    let mut end = staged.record.head.sequence;
    while end > 0 && !nodes.is_empty() {
        let first = end.saturating_sub(LOOK_BACK_FAR) + 1;
        let mut read = Vec::new();
        while first + (read.len() as u64) <= end {
            let next = first + read.len() as u64;
            let max = (end + 1 - next) as u32;
            let page = staged.page(store, next, max)?;
            if page.is_empty() {
                break;
            }
            read.extend(page);
        }
        for stored in read.iter().rev() {
            match SaidOfChild::by(&stored.event.kind, rules) {
                Some(SaidOfChild::NoneWaits) => return Ok(awaited),
                Some(SaidOfChild::WaitsNoMore(node_id)) => drop(nodes.remove(node_id)),
                Some(said @ SaidOfChild::Waits(node_id, ..)) if nodes.remove(node_id) => {
                    awaited.follow(said);
                }
                Some(SaidOfChild::Waits(..)) | None => {}
            }
        }
        end = first - 1;
    }
    Ok(awaited)
}

/// Events that are read at once, where the log is read from its end.
const LOOK_BACK: u64 = 16;

/// The same, where what is looked for may stand far back.
const LOOK_BACK_FAR: u64 = 256;

/// Whether the event asks for the node to be tried again, or orders it. `None`
/// if it does neither.
fn about(node_id: &str, event: &Event) -> Option<News> {
    if effect::asks_again(&event.kind, node_id) {
        return Some(News::Retry);
    }
    let order = effect::order(&event.kind)?;
    (order.node_id == node_id).then_some(News::Order(order.attempt))
}
