//! Within a turn: workers answer.
//!
//! An answer counts if its claim holds the item (law 7). If it does not, the
//! log is asked whether the very same answer settled the item before.

use crate::contract::EventKind;
use crate::error::{EngineError, WorkError};
use crate::limits::EVENTS_PAGE_MAX;
use crate::store::{ItemRecord, ItemState, StoredEvent, Timestamp, check::TIME_MAX};

use super::open_turn::OpenTurn;
use crate::live::values::facts;
use crate::live::values::work::{Answer, ClaimId, Receipt};

impl OpenTurn<'_> {
    /// One of this engine's own workers has answered: its slot is free.
    pub(crate) fn answered(
        &mut self,
        claim: &ClaimId,
        outcome: &Result<Answer, WorkError>,
    ) -> Result<Receipt, EngineError> {
        let receipt = match outcome {
            Ok(answer) => self.complete(claim, answer),
            Err(error) => self.fail(claim, error),
        };
        // What is not taken is followed by a failure that says why.
        if receipt.is_ok() {
            self.release(claim);
        }
        receipt
    }

    /// A worker completed its item.
    pub(crate) fn complete(
        &mut self,
        claim: &ClaimId,
        answer: &Answer,
    ) -> Result<Receipt, EngineError> {
        if self.held_item(claim)?.is_none() {
            let offered = facts::completed(claim, answer, 0)?;
            return self.repeated(claim, &offered);
        }
        let duration_ms = self.since_claimed(claim)?;
        self.admit(
            claim.execution,
            facts::completed(claim, answer, duration_ms)?,
        )?;
        self.open(claim.execution)?
            .items_mut()
            .changes_mut()
            .remove(&claim.node_id);
        Ok(Receipt::Recorded)
    }

    /// A worker failed at its item.
    pub(crate) fn fail(
        &mut self,
        claim: &ClaimId,
        error: &WorkError,
    ) -> Result<Receipt, EngineError> {
        let failed = facts::failed(claim, error);
        let said = failed.error.clone();
        let fact = EventKind::NodeFailed(failed);
        if self.held_item(claim)?.is_none() {
            return self.repeated(claim, &fact);
        }
        self.admit(claim.execution, fact)?;
        self.dead_letter(claim, &said)?;
        Ok(Receipt::Recorded)
    }

    /// The claim's lease is over (rule R13).
    pub(in crate::live) fn presume_dead(&mut self, claim: &ClaimId) -> Result<(), EngineError> {
        // A turn that is not written is done anew, and comes here anew.
        let ClaimId {
            execution,
            node_id,
            attempt,
            fence,
        } = claim;
        let kind = format!("lease {execution} {fence}");
        if let Some(told) = self.core.troubles.happens(&kind, "lease expired") {
            tracing::warn!(refrain.execution = %execution, refrain.node = %node_id, refrain.attempt = attempt, "{told}");
        }
        self.admit(
            claim.execution,
            facts::lease_expired(&claim.node_id, claim.attempt, claim.fence),
        )?;
        self.dead_letter(claim, "lease expired: worker presumed dead")
    }

    fn dead_letter(&mut self, claim: &ClaimId, error: &str) -> Result<(), EngineError> {
        let staged = self.open(claim.execution)?;
        let at = staged.record.last_at;
        if let Some(record) = staged.items().of(&claim.node_id).cloned() {
            staged
                .items_mut()
                .changes_mut()
                .dead_letter(record, error, at);
        }
        Ok(())
    }

    /// The item, if this claim holds it.
    pub(in crate::live) fn held_item(
        &mut self,
        claim: &ClaimId,
    ) -> Result<Option<&ItemRecord>, EngineError> {
        let item = self.open(claim.execution)?.items().of(&claim.node_id);
        Ok(item.filter(|record| holds(record, claim)))
    }

    /// How long ago the claim was made.
    fn since_claimed(&mut self, claim: &ClaimId) -> Result<u64, EngineError> {
        let simulated = self.open(claim.execution)?.record.simulated;
        let now = self.time.of(simulated);
        let at = match self.core.pool.claimed_at(claim) {
            Some(at) => Some(at),
            None => {
                let claimed = self.events(claim.execution, claim.fence, 1)?;
                claimed.first().map(|stored| stored.event.at)
            }
        };
        Ok(at.map_or(0, |at| now.saturating_sub(at)))
    }

    /// The claim does not hold the item: did the same answer settle it?
    fn repeated(&mut self, claim: &ClaimId, offered: &EventKind) -> Result<Receipt, EngineError> {
        let settled = self.settled_by(claim)?;
        let reason = match &settled {
            Some(event) if same_answer(&event.event.kind, offered) => {
                return Ok(Receipt::AlreadyRecorded);
            }
            Some(event) => format!(
                "event {} settled it with another answer",
                event.event.sequence
            ),
            None => match self.open(claim.execution)?.items().of(&claim.node_id) {
                Some(ItemRecord {
                    state: ItemState::Leased(lease),
                    item,
                    ..
                }) => {
                    format!(
                        "attempt {} is held by {} with fence {}",
                        item.attempt, lease.worker_id, lease.fence
                    )
                }
                Some(ItemRecord {
                    state: ItemState::Waiting,
                    item,
                    ..
                }) => {
                    format!("attempt {} waits for a worker", item.attempt)
                }
                Some(ItemRecord {
                    state: ItemState::Dead { .. },
                    ..
                })
                | None => "the node has no work item that waits for an answer".to_owned(),
            },
        };
        Err(EngineError::Stale {
            execution: claim.execution,
            node_id: claim.node_id.clone(),
            attempt: claim.attempt,
            fence: claim.fence,
            reason,
        })
    }

    /// The answer in the log that this claim gave. It comes after the claim,
    /// whose sequence is the fence.
    fn settled_by(&mut self, claim: &ClaimId) -> Result<Option<StoredEvent>, EngineError> {
        let mut next = claim.fence.saturating_add(1);
        loop {
            let page = self.events(claim.execution, next, EVENTS_PAGE_MAX)?;
            let Some(last) = page.last() else {
                return Ok(None);
            };
            next = last.event.sequence + 1;
            if let Some(settled) = page
                .into_iter()
                .find(|stored| is_answer_of(&stored.event.kind, claim))
            {
                return Ok(Some(settled));
            }
        }
    }

    /// A page of events, stored and staged.
    pub(in crate::live) fn events(
        &mut self,
        id: crate::id::ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<StoredEvent>, EngineError> {
        self.open(id)?;
        Ok(self.staged[&id].page(self.core.store.get(), first, max)?)
    }

    /// The turn's reading for the executions that this engine works on.
    pub(in crate::live) fn now(&self) -> Timestamp {
        self.time.of(self.core.settings.simulated)
    }

    /// So much later; no later than the last time that a store keeps.
    pub(in crate::live) fn later(&self, span_ms: u64) -> Timestamp {
        self.now().saturating_add(span_ms).min(TIME_MAX)
    }
}

/// Whether the claim holds the item.
pub(in crate::live) fn holds(record: &ItemRecord, claim: &ClaimId) -> bool {
    let fence = match &record.state {
        ItemState::Leased(lease) => lease.fence,
        ItemState::Waiting | ItemState::Dead { .. } => return false,
    };
    fence == claim.fence && record.item.attempt == claim.attempt
}

fn is_answer_of(kind: &EventKind, claim: &ClaimId) -> bool {
    let (node_id, attempt, fence) = match kind {
        EventKind::NodeCompleted(it) => (&it.node_id, it.attempt, it.fence),
        EventKind::NodeFailed(it) => (&it.node_id, it.attempt, it.fence),
        _ => return false,
    };
    *node_id == claim.node_id && attempt == claim.attempt && fence == claim.fence
}

/// Whether two answers say the same. How long it took is the host's measure,
/// not the worker's word.
fn same_answer(recorded: &EventKind, offered: &EventKind) -> bool {
    let mut recorded = recorded.clone();
    if let EventKind::NodeCompleted(it) = &mut recorded {
        it.duration_ms = 0;
    }
    recorded == *offered
}
