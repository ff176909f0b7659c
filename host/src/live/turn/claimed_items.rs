//! The work items that claims hold, within a turn.

use std::sync::Arc;

use crate::error::EngineError;
use crate::store::{ItemRecord, Timestamp};

use super::start::workflow_text;
use super::transaction::Transaction;
use crate::id::ExecutionId;
use crate::live::execution::claimed::holds;
use crate::live::values::work::ClaimId;
use crate::order_rules::OrderRules;

/// The item, if this claim holds it.
pub(in crate::live) fn held_item<'a>(
    transaction: &'a mut Transaction<'_>,
    claim: &ClaimId,
) -> Result<Option<&'a ItemRecord>, EngineError> {
    let staged = transaction.open(claim.execution)?;
    let item = staged.items().of(&claim.node_id);
    Ok(item.filter(|record| holds(record, claim)))
}

/// Whether this claim holds its item, as far as the turn knows the execution.
pub(in crate::live) fn is_held(transaction: &Transaction<'_>, claim: &ClaimId) -> bool {
    let staged = transaction.staged.get(&claim.execution);
    let item = staged.and_then(|staged| staged.items().of(&claim.node_id));
    item.is_some_and(|record| holds(record, claim))
}

/// Lets a claim's lease end at this time. Says whether it holds its item.
pub(in crate::live) fn extend(
    transaction: &mut Transaction<'_>,
    claim: &ClaimId,
    expires_at: Timestamp,
) -> Result<bool, EngineError> {
    if held_item(transaction, claim)?.is_none() {
        return Ok(false);
    }
    let items = transaction.open(claim.execution)?.items_mut();
    items.lease_until(&claim.node_id, expires_at);
    Ok(true)
}

/// How long a claim of this node's item holds without a heartbeat: as long as the
/// workflow says, else as long as this engine's claims do.
pub(in crate::live) fn lease_ms(
    transaction: &mut Transaction<'_>,
    execution: ExecutionId,
    node_id: &str,
) -> Result<u64, EngineError> {
    let rules = rules(transaction, execution)?;
    let own = rules.lease_ms(node_id);
    Ok(own.unwrap_or_else(|| transaction.core.settings.lease_ms()))
}

/// What the execution's workflow says of its nodes.
pub(super) fn rules(
    transaction: &mut Transaction<'_>,
    execution: ExecutionId,
) -> Result<Arc<OrderRules>, EngineError> {
    let staged = transaction.open(execution)?;
    if let Some(rules) = &staged.rules {
        return Ok(Arc::clone(rules));
    }
    let record = &staged.record;
    let (id, version) = (record.workflow_id.clone(), record.workflow_version.clone());
    let rules = match transaction.core.guests.known_rules((&id, &version)) {
        Some(rules) => rules,
        None => {
            let text = workflow_text(transaction, &id, &version)?;
            let rules = OrderRules::of(&text);
            if text.is_empty() {
                // It is not there. Who orders by it is told so.
                return Ok(Arc::new(rules));
            }
            transaction.core.guests.keep_rules((&id, &version), rules)
        }
    };
    transaction.open(execution)?.rules = Some(Arc::clone(&rules));
    Ok(rules)
}

/// How long ago the claim was made.
pub(in crate::live) fn since_claimed(
    transaction: &mut Transaction<'_>,
    claim: &ClaimId,
) -> Result<u64, EngineError> {
    let now = transaction.time.at;
    let at = match transaction.core.pool.claimed_at(claim) {
        Some(at) => Some(at),
        None => {
            let claimed = transaction.events(claim.execution, claim.fence, 1)?;
            claimed.first().map(|stored| stored.event.at)
        }
    };
    Ok(at.map_or(0, |at| now.saturating_sub(at)))
}
