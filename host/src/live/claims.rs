//! Within a turn: work is claimed, claims are renewed, claims expire.

use crate::contract::{EventKind, NodeStarted, Status};
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::limits::{EXPIRIES_PER_TURN_MAX, FACTS_PER_TURN_MAX, WAKES_PER_TURN_MAX};
use crate::store::{ItemRecord, ItemState, Lease, StoreError, Timestamp};

use super::answers::holds;
use super::staged::Staged;
use super::turn::OpenTurn;
use super::work::{Claim, ClaimId};

impl OpenTurn<'_> {
    /// Executions whose time has come are to be ticked.
    pub(crate) fn wake_due(&mut self) -> Result<(), EngineError> {
        let simulated = self.core.settings.simulated;
        let now = self.now();
        let due = self
            .core
            .store
            .get()
            .due(simulated, now, WAKES_PER_TURN_MAX)?;
        self.cut |= due.len() == WAKES_PER_TURN_MAX;
        for id in due {
            match self.open(id) {
                Ok(_) => self.touch(id),
                // One that is damaged does not stop the others.
                Err(EngineError::Store(error)) if matches!(*error, StoreError::Corrupt { .. }) => {
                    tracing::error!(refrain.execution = %id, "cannot be woken: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Free workers claim what they can. Says whether anything was claimed.
    pub(crate) fn claim_for_crews(&mut self) -> Result<bool, EngineError> {
        let mut any = false;
        for (crew, queue, slots) in self.core.pool.crews() {
            let taken = self.core.pool.busy(crew, &self.released)
                + self
                    .granted
                    .iter()
                    .filter(|(granted_to, _)| *granted_to == crew)
                    .count();
            let free = slots.saturating_sub(taken);
            if free == 0 {
                continue;
            }
            let worker_id = self.core.settings.worker_id.clone();
            for claim in self.claim(&queue, free, &worker_id)? {
                any = true;
                self.granted.push((crew, claim));
            }
        }
        Ok(any)
    }

    /// Claim up to `max` items on a queue, those that wait longest first.
    pub(crate) fn claim(
        &mut self,
        queue: &str,
        max: usize,
        worker_id: &str,
    ) -> Result<Vec<Claim>, EngineError> {
        let lease_ms = self.core.settings.lease_ms();
        let mut claims = Vec::new();
        for record in self.candidates(queue, max.min(FACTS_PER_TURN_MAX))? {
            if self.facts >= FACTS_PER_TURN_MAX {
                self.cut = true;
                break;
            }
            claims.extend(self.claim_item(record, worker_id, lease_ms)?);
        }
        Ok(claims)
    }

    /// Claim this item; none: the guest does not let the claim stand, and the
    /// execution is stalled.
    pub(super) fn claim_item(
        &mut self,
        record: ItemRecord,
        worker_id: &str,
        lease_ms: u64,
    ) -> Result<Option<Claim>, EngineError> {
        let execution = execution_of(&record)?;
        let fence = self.open(execution)?.record.head.sequence + 1;
        let item = record.item.clone();
        let started = EventKind::NodeStarted(NodeStarted {
            node_id: item.node_id.clone(),
            worker_id: worker_id.to_owned(),
            attempt: item.attempt,
            fence,
        });
        if let Err(error) = self.admit(execution, started) {
            self.must_have_taken(execution, error)?;
            return Ok(None);
        }
        let expires_at = self.later(lease_ms);
        let lease = Lease {
            worker_id: worker_id.to_owned(),
            fence,
            expires_at,
        };
        self.open(execution)?.items_mut().lease(record, lease);
        let id = ClaimId {
            execution,
            node_id: item.node_id.clone(),
            attempt: item.attempt,
            fence,
        };
        Ok(Some(Claim {
            id,
            item,
            expires_at,
        }))
    }

    /// Items that may be claimed on a queue, stored and staged, those that
    /// wait longest first.
    pub(super) fn candidates(
        &mut self,
        queue: &str,
        max: usize,
    ) -> Result<Vec<ItemRecord>, EngineError> {
        let simulated = self.core.settings.simulated;
        let now = self.now();
        let changed: usize = self
            .staged
            .values()
            .map(|staged| staged.items().changed_count())
            .sum();
        let stored = self
            .core
            .store
            .get()
            .claimable(simulated, queue, now, max + changed)?;
        let mut candidates = Vec::new();
        for record in stored {
            match self.staged.get(&execution_of(&record)?) {
                Some(staged) if staged_tells(staged, &record) => {}
                _ => candidates.push(record),
            }
        }
        for staged in self
            .staged
            .values()
            .filter(|staged| staged.record.simulated == simulated)
        {
            if staged.record.status == Status::Running && !staged.held {
                let items = if staged.status_before == Some(Status::Running) {
                    staged.items().changed_present().cloned().collect()
                } else {
                    staged.all_items(self.core.store.get())?
                };
                candidates.extend(items.into_iter().filter(|record| {
                    record.state == ItemState::Waiting
                        && record.item.queue_type == queue
                        && record.item.not_before <= now
                }));
            }
        }
        candidates.sort_by_key(|record| record.enqueued_at.max(record.item.not_before));
        candidates.truncate(max);
        Ok(candidates)
    }

    /// Own workers that are at work have their leases renewed in time.
    pub(crate) fn renew_own(&mut self) -> Result<(), EngineError> {
        let settings = &self.core.settings;
        let expires_at = self.later(settings.lease_ms());
        let soon = self.later(settings.renewal_ms());
        for claim in self.core.pool.expiring(soon) {
            if self.extend(&claim, expires_at)? {
                self.renewed.push(claim);
            }
        }
        Ok(())
    }

    /// A worker outside of the engine says that it lives.
    pub(crate) fn renew(&mut self, claim: &ClaimId) -> Result<Timestamp, EngineError> {
        let expires_at = self.later(self.core.settings.lease_ms());
        if self.extend(claim, expires_at)? {
            return Ok(expires_at);
        }
        Err(EngineError::Stale {
            execution: claim.execution,
            node_id: claim.node_id.clone(),
            attempt: claim.attempt,
            fence: claim.fence,
            reason: "it has expired, or the item was settled or cancelled".to_owned(),
        })
    }

    /// Own workers are about to be stopped: their leases end now, so that
    /// rule R13 follows without waiting.
    pub(crate) fn give_up_own(&mut self) -> Result<(), EngineError> {
        let now = self.now();
        for claim in self.core.pool.running() {
            self.extend(&claim, now)?;
        }
        Ok(())
    }

    fn extend(&mut self, claim: &ClaimId, expires_at: Timestamp) -> Result<bool, EngineError> {
        let Some(record) = self.held_item(claim)? else {
            return Ok(false);
        };
        if let ItemState::Leased(lease) = record.state.clone() {
            self.open(claim.execution)?.items_mut().lease(
                record,
                Lease {
                    expires_at,
                    ..lease
                },
            );
        }
        Ok(true)
    }

    /// Claims whose lease is over end as rule R13 has it.
    pub(crate) fn expire(&mut self) -> Result<(), EngineError> {
        let simulated = self.core.settings.simulated;
        let now = self.now();
        let max = EXPIRIES_PER_TURN_MAX + self.core.left_leased.len();
        let expired = self.core.store.get().expired(simulated, now, max)?;
        self.cut |= expired.len() == max;
        for stored in expired {
            self.end_lease(&stored, |lease| lease.expires_at <= now)?;
        }
        Ok(())
    }

    /// A stored item's claim ends, if its lease is (still) over. Says whether it did.
    pub(super) fn end_lease(
        &mut self,
        stored: &ItemRecord,
        is_over: impl Fn(&Lease) -> bool,
    ) -> Result<bool, EngineError> {
        let claim = claim_of(stored)?;
        if self.core.left_leased.contains(&claim) {
            return Ok(false);
        }
        // This turn may have renewed, settled or cancelled it.
        let Some(record) = self.held_item(&claim)? else {
            return Ok(false);
        };
        if matches!(&record.state, ItemState::Leased(lease) if !is_over(lease)) {
            return Ok(false);
        }
        if let Err(error) = self.presume_dead(&claim, record) {
            self.must_have_taken(claim.execution, error)?;
            self.core.left_leased.insert(claim);
            return Ok(false);
        }
        Ok(true)
    }

    /// Claims of own workers, of executions in this turn, that do not hold
    /// any longer.
    pub(super) fn lost_claims(&mut self) -> Result<Vec<ClaimId>, EngineError> {
        let mut lost = Vec::new();
        for claim in self.core.pool.running() {
            if self.released.contains(&claim) || !self.staged.contains_key(&claim.execution) {
                continue;
            }
            if self.held_item(&claim)?.is_none() {
                lost.push(claim);
            }
        }
        Ok(lost)
    }
}

/// Whether a stored item's fate is to be read from the staged execution.
fn staged_tells(staged: &Staged, record: &ItemRecord) -> bool {
    staged.items().changed(&record.item.node_id).is_some()
        || staged.status_before != Some(Status::Running)
        || staged.record.status != Status::Running
}

/// The claim that holds this item.
pub(super) fn claim_of(record: &ItemRecord) -> Result<ClaimId, StoreError> {
    let fence = match &record.state {
        ItemState::Leased(lease) => lease.fence,
        ItemState::Waiting | ItemState::Dead { .. } => 0,
    };
    let execution = execution_of(record)?;
    let claim = ClaimId {
        execution,
        node_id: record.item.node_id.clone(),
        attempt: record.item.attempt,
        fence,
    };
    debug_assert!(fence == 0 || holds(record, &claim));
    Ok(claim)
}

fn execution_of(record: &ItemRecord) -> Result<ExecutionId, StoreError> {
    record
        .item
        .execution_id
        .parse()
        .map_err(|error| StoreError::Corrupt {
            place: format!("the work item of node {:?}", record.item.node_id),
            detail: format!("{error}"),
        })
}
