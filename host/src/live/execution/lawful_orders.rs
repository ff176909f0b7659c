//! What a guest orders, held against what the workflow holds.
//!
//! The rules are the workflow's own; what they need to know of the past is read
//! from the node's item, which a turn has at hand, and only where an operator
//! has given the node a fresh budget from the log.

use crate::log::effect;
use crate::model::{Event, EventKind, WorkItem};
use crate::order_rules::{Attempts, OrderRules};
use crate::store::{ItemRecord, StoreError};

use super::ports::{TurnPorts, named};

impl TurnPorts {
    /// Why this item is none that the workflow holds, if it is none.
    pub(in crate::live) fn rules_fault(
        &mut self,
        item: &WorkItem,
    ) -> Result<Option<String>, StoreError> {
        let Some(rules) = self.order_rules.clone() else {
            return Ok(Some(format!(
                "{} is ordered in a call that may order nothing",
                named(item)
            )));
        };
        let before = self.attempts_before(item, &rules)?;
        let fault = rules.fault(item, before);
        Ok(fault.map(|fault| format!("{} {fault}", named(item))))
    }

    /// What was ordered of the node before: its item stays, as a dead letter,
    /// until a further attempt is ordered.
    fn attempts_before(
        &mut self,
        item: &WorkItem,
        rules: &OrderRules,
    ) -> Result<Attempts, StoreError> {
        let Some(ItemRecord { item: before, .. }) = self.staged.items().of(&item.node_id) else {
            return Ok(Attempts::default());
        };
        let budget = rules.max_attempts(&item.node_id);
        let mut attempts = Attempts {
            last: before.attempt,
            budget_after: before.max_attempts.saturating_sub(budget),
        };
        // Seldom: an operator gave the node a fresh budget, or the guest says so.
        if item.max_attempts != before.max_attempts {
            if self
                .offer
                .as_ref()
                .is_some_and(|it| it.retries(&item.node_id))
            {
                self.orders.retried.push(item.node_id.clone());
                attempts.budget_after = attempts.last;
            } else if self.retry_was_requested(&item.node_id)? {
                attempts.budget_after = attempts.last;
            }
        }
        Ok(attempts)
    }

    /// Whether an operator asked for the node to be tried again since its last
    /// attempt was ordered. Read from the end, where such a request stands.
    fn retry_was_requested(&mut self, node_id: &str) -> Result<bool, StoreError> {
        let mut end = self.staged.record.head.sequence;
        while end > 0 {
            let first = end.saturating_sub(LOOK_BACK) + 1;
            let mut requested = None;
            let mut next = first;
            while next <= end {
                // A page can be shorter than was asked: large events fill it.
                let page = self
                    .staged
                    .page(self.store.as_mut(), next, LOOK_BACK as u32)?;
                if page.is_empty() {
                    break;
                }
                let news = page
                    .iter()
                    .rev()
                    .find_map(|stored| about(node_id, &stored.event));
                requested = news.or(requested);
                next += page.len() as u64;
            }
            if let Some(requested) = requested {
                return Ok(requested);
            }
            end = first - 1;
        }
        Ok(false)
    }
}

/// Events that are read at once, where the log is read from its end.
const LOOK_BACK: u64 = 16;

/// Whether the event asks for the node to be tried again, or orders it. `None`
/// if it does neither.
fn about(node_id: &str, event: &Event) -> Option<bool> {
    if let EventKind::RetryRequested(it) = &event.kind {
        return (it.node_id == node_id).then_some(true);
    }
    let order = effect::order(&event.kind)?;
    (order.node_id == node_id).then_some(false)
}
