//! Answers whose claim does not hold the item any longer. If the very same answer
//! settled the item before, the worker is told so (law 7).

use crate::error::EngineError;
use crate::limits::EVENTS_PAGE_MAX;
use crate::model::{Event, EventKind};
use crate::store::{ItemRecord, ItemState, StoredEvent};

use super::transaction::Transaction;
use crate::live::values::work::{ClaimId, Receipt};

/// Answers a worker whose claim does not hold the item.
pub(in crate::live) fn repeated(
    transaction: &mut Transaction<'_>,
    claim: &ClaimId,
    offered: &EventKind,
) -> Result<Receipt, EngineError> {
    let reason = match settled_by(transaction, claim)? {
        Some(settled) if is_same_answer(&settled.event.kind, offered) => {
            return Ok(Receipt::AlreadyRecorded);
        }
        Some(settled) => ended_by(&settled.event),
        None => {
            let staged = transaction.open(claim.execution)?;
            not_held(staged.items().of(&claim.node_id))
        }
    };
    Err(stale(claim, reason))
}

/// The error of a claim that does not hold its item.
pub(in crate::live) fn stale(claim: &ClaimId, reason: String) -> EngineError {
    EngineError::Stale {
        execution: claim.execution,
        node_id: claim.node_id.clone(),
        attempt: claim.attempt,
        fence: claim.fence,
        reason,
    }
}

/// Why a claim does not hold an item in this state.
fn not_held(item: Option<&ItemRecord>) -> String {
    match item.map(|record| (&record.state, record.item.attempt)) {
        Some((ItemState::Leased(lease), attempt)) => format!(
            "attempt {attempt} is held by {} with fence {}",
            lease.worker_id, lease.fence
        ),
        Some((ItemState::Waiting, attempt)) => format!("attempt {attempt} waits for a worker"),
        Some((ItemState::Dead { .. }, _)) | None => {
            "the node has no work item that waits for an answer".to_owned()
        }
    }
}

/// Why a claim that ended so holds no longer.
fn ended_by(event: &Event) -> String {
    let sequence = event.sequence;
    match event.kind {
        EventKind::NodeReleased(_) => format!("event {sequence} gave it back"),
        _ => format!("event {sequence} settled it with another answer"),
    }
}

/// Whether the scheduler has stopped the work of this claim: what its worker answers after
/// that is nobody's fault.
pub(in crate::live) fn is_stopped(
    transaction: &mut Transaction<'_>,
    claim: &ClaimId,
) -> Result<bool, EngineError> {
    let stopped = behind(transaction, claim, |kind| match kind {
        EventKind::NodeCancelled(it) => it.node_id == claim.node_id,
        EventKind::NodeTimedOut(it) => it.node_id == claim.node_id,
        _ => false,
    });
    Ok(stopped?.is_some())
}

/// The answer in the log that this claim gave.
fn settled_by(
    transaction: &mut Transaction<'_>,
    claim: &ClaimId,
) -> Result<Option<StoredEvent>, EngineError> {
    behind(transaction, claim, |kind| is_answer_of(kind, claim))
}

/// The first event of this kind behind the claim, whose sequence is the fence.
fn behind(
    transaction: &mut Transaction<'_>,
    claim: &ClaimId,
    is_it: impl Fn(&EventKind) -> bool,
) -> Result<Option<StoredEvent>, EngineError> {
    let mut next = claim.fence.saturating_add(1);
    loop {
        let page = transaction.events(claim.execution, next, EVENTS_PAGE_MAX)?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        next = last.event.sequence + 1;
        let mut page = page.into_iter();
        let found = page.find(|stored| is_it(&stored.event.kind));
        if found.is_some() {
            return Ok(found);
        }
    }
}

fn is_answer_of(kind: &EventKind, claim: &ClaimId) -> bool {
    let (node_id, attempt, fence) = match kind {
        EventKind::NodeCompleted(it) => (&it.node_id, it.attempt, it.fence),
        EventKind::NodeFailed(it) => (&it.node_id, it.attempt, it.fence),
        EventKind::NodeReleased(it) => (&it.node_id, it.attempt, it.fence),
        _ => return false,
    };
    *node_id == claim.node_id && attempt == claim.attempt && fence == claim.fence
}

/// Whether two answers say the same. How long the work took is measured by the
/// host, and so it is no part of what the worker said; nor is who gives work back.
fn is_same_answer(recorded: &EventKind, offered: &EventKind) -> bool {
    let mut recorded = recorded.clone();
    match (&mut recorded, offered) {
        (EventKind::NodeReleased(_), EventKind::NodeReleased(_)) => return true,
        (EventKind::NodeCompleted(it), _) => it.duration_ms = 0,
        _ => {}
    }
    recorded == *offered
}
