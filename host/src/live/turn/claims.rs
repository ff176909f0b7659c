//! Within a turn: work is claimed, claims are renewed, claims expire.

use std::collections::BTreeSet;

use crate::contract::{EventKind, NodeStarted, Status};
use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::store::{ItemRecord, ItemState, Lease, StoreError, Timestamp};

use super::answers::holds;
use super::budget::Phase;
use super::open_turn::OpenTurn;
use super::scope::Agenda;
use super::sound;
use crate::live::execution::staged::Staged;
use crate::live::values::work::{Claim, ClaimId};
use crate::live::workers::Granted;

impl OpenTurn<'_> {
    /// Free workers claim what they can. Says whether anything was claimed.
    ///
    /// Where the last turn was cut off, this one goes on: so that no group takes
    /// all claims for ever.
    pub(crate) fn claim_for_groups(&mut self) -> Result<bool, EngineError> {
        let mut any = false;
        let worker_id = self.core.settings.worker_id.clone();
        let queues = self.core.pool.queues();
        let first = self.core.first_group % queues.len().max(1);
        for group in (first..queues.len()).chain(0..first) {
            let (queue, free) = (&queues[group], self.slots.free(group));
            if free == 0 {
                continue;
            }
            let (mut left, mut claims) = (self.claims_left, Vec::new());
            let phase = Phase::Claims;
            let cut = self.claim_within(queue, free, &worker_id, phase, &mut left, &mut claims)?;
            self.claims_left = left;
            if cut && !self.cut_claims {
                // Who has had some lets the others go first.
                let had_some = usize::from(!claims.is_empty());
                (self.cut_claims, self.first_group) = (true, group + had_some);
            }
            self.cut |= cut;
            for claim in claims {
                any = true;
                let at = self.open(claim.id.execution)?.record.last_at;
                self.slots.take(Granted { group, claim, at });
            }
        }
        Ok(any)
    }

    /// The queues on which own workers are free, and nothing waits for them.
    pub(in crate::live) fn drained_for_groups(&self) -> BTreeSet<String> {
        let groups = self.core.pool.queues().into_iter().enumerate();
        let free = groups.filter(|(group, _)| self.slots.free(*group) > 0);
        free.map(|(_, queue)| queue)
            .filter(|queue| self.drained_queues.contains(queue))
            .collect()
    }

    /// A worker outside of the engine claims up to `max` items on a queue,
    /// those that wait longest first.
    pub(crate) fn claim(
        &mut self,
        queue: &str,
        max: usize,
        worker_id: &str,
    ) -> Result<Vec<Claim>, EngineError> {
        let (mut left, mut claims) = (self.outside_claims_left, Vec::new());
        let phase = Phase::Writes;
        self.claim_within(queue, max, worker_id, phase, &mut left, &mut claims)?;
        self.outside_claims_left = left;
        Ok(claims)
    }

    /// Claim up to `max` items on a queue, and no more than are `left` in this
    /// turn. Says whether that cut something off.
    fn claim_within(
        &mut self,
        queue: &str,
        max: usize,
        worker_id: &str,
        phase: Phase,
        left: &mut usize,
        claims: &mut Vec<Claim>,
    ) -> Result<bool, EngineError> {
        let lease_ms = self.core.settings.lease_ms();
        loop {
            let wanted = (max - claims.len()).min(self.core.settings.turn_limits.claims);
            let candidates = match wanted {
                0 => Vec::new(),
                _ => self.candidates(queue, wanted)?,
            };
            let mut hidden = false;
            for candidate in candidates {
                // One is a part of the write that asks for it.
                let within = phase == Phase::Writes && claims.is_empty();
                if *left == 0 || !(within || self.may(phase)) {
                    self.drained_queues.remove(queue);
                    return Ok(true);
                }
                let claimed = self.claim_item(&candidate, worker_id, lease_ms);
                match self.others_go_on(candidate.execution, claimed)?.flatten() {
                    Some(claim) => {
                        *left -= 1;
                        claims.push(claim);
                    }
                    // It was stalled or set aside, and its place is free for others; or
                    // it has to go on first, and is looked for again when it has.
                    None => {
                        self.drained_queues.remove(queue);
                        hidden = true;
                    }
                }
            }
            if !hidden {
                return Ok(false);
            }
        }
    }

    /// Claim this item; none: the execution has to go on first, or the guest does
    /// not let the claim stand, and the execution is stalled.
    pub(in crate::live) fn claim_item(
        &mut self,
        candidate: &Candidate,
        worker_id: &str,
        lease_ms: u64,
    ) -> Result<Option<Claim>, EngineError> {
        let Candidate {
            execution, node_id, ..
        } = candidate;
        if self.has_to_wait(*execution)? {
            return Ok(None);
        }
        let staged = self.open(*execution)?;
        let fence = staged.record.head.sequence + 1;
        let waits = |record: &&ItemRecord| record.state == ItemState::Waiting;
        let Some(record) = staged.items().of(node_id).filter(waits) else {
            // The store's own two answers contradict each other.
            return Err(corrupt(node_id, "it waits for a worker, and it does not").into());
        };
        let item = record.item.clone();
        let started = EventKind::NodeStarted(NodeStarted {
            node_id: node_id.clone(),
            worker_id: worker_id.to_owned(),
            attempt: item.attempt,
            fence,
        });
        if let Err(error) = self.admit(*execution, started) {
            self.must_have_taken(*execution, error)?;
            return Ok(None);
        }
        let expires_at = self.later(lease_ms);
        let lease = Lease {
            worker_id: worker_id.to_owned(),
            fence,
            expires_at,
        };
        self.open(*execution)?.items_mut().lease(node_id, lease);
        let id = ClaimId {
            execution: *execution,
            node_id: node_id.clone(),
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
    pub(in crate::live) fn candidates(
        &mut self,
        queue: &str,
        max: usize,
    ) -> Result<Vec<Candidate>, EngineError> {
        let (mut candidates, all) = self.stored_candidates(queue, max)?;
        self.staged_candidates(queue, &mut candidates);
        if all && candidates.len() <= max {
            self.drained_queues.insert(queue.to_owned());
        }
        let costly = &self.core.costly;
        candidates.sort_by_key(|candidate| (costly.contains(candidate.execution), candidate.since));
        candidates.truncate(max);
        Ok(candidates)
    }

    /// Of the stored items that may be claimed, those of which the turn does
    /// not say otherwise; and whether these are all. Asked for anew where the
    /// turn speaks of so many that they would hide others.
    fn stored_candidates(
        &mut self,
        queue: &str,
        max: usize,
    ) -> Result<(Vec<Candidate>, bool), EngineError> {
        let simulated = self.core.settings.simulated;
        let now = self.now();
        if self.drained_queues.contains(queue) || !self.core.known.nothing_due.may_wait(queue, now)
        {
            return Ok((Vec::new(), true));
        }
        let mut page = max;
        let mut held_back = false;
        loop {
            let staged = &self.staged;
            let stored = self
                .core
                .agenda()
                .claimable(simulated, queue, now, page, |id| staged.contains_key(&id))?;
            let is_last = stored.found.len() < page;
            let mut candidates = Vec::with_capacity(stored.found.len());
            let mut costly = Vec::new();
            for record in self.core.set_aside.named(stored) {
                let execution = execution_of(&record)?;
                if self.core.set_aside.holds(execution) {
                    continue;
                }
                match self.staged.get(&execution) {
                    // What is held back now may go on before the turn is over,
                    // and is to be found then.
                    Some(staged) if staged.owed => held_back = true,
                    Some(staged) if self.tells_of(staged, &record.item.node_id) => {
                        held_back |= staged.record.status != Status::Running;
                    }
                    _ if self.core.costly.contains(execution) => {
                        costly.push(Candidate::of(execution, &record));
                    }
                    _ => candidates.push(Candidate::of(execution, &record)),
                }
            }
            if is_last || candidates.len() >= max {
                candidates.extend(costly);
                return Ok((candidates, is_last && !held_back));
            }
            page = page.saturating_mul(2);
        }
    }

    /// Items that may be claimed, of executions of which the turn tells.
    fn staged_candidates(&self, queue: &str, candidates: &mut Vec<Candidate>) {
        let simulated = self.core.settings.simulated;
        let now = self.now();
        for (execution, staged) in &self.staged {
            let record = &staged.record;
            let runs = record.status == Status::Running && !staged.held && !staged.owed;
            if record.simulated != simulated || !runs {
                continue;
            }
            // What begins here is worked on here.
            if staged.status_before.is_some() && !self.core.scope.includes(*execution) {
                continue;
            }
            let may_be_claimed = |record: &&ItemRecord| {
                record.state == ItemState::Waiting
                    && record.item.queue_type == queue
                    && record.item.not_before <= now
                    && self.tells_of(staged, &record.item.node_id)
            };
            let waiting = staged.items().all().filter(may_be_claimed);
            candidates.extend(waiting.map(|record| Candidate::of(*execution, record)));
        }
    }

    /// Whether an item's fate is to be read from the staged execution, and not
    /// from the store.
    fn tells_of(&self, staged: &Staged, node_id: &str) -> bool {
        staged.items().has_changed(node_id)
            || staged.status_before != Some(Status::Running)
            || staged.record.status != Status::Running
            // Within a scope the store is asked for the others only.
            || !self.core.scope.is_everything()
    }

    /// Own workers that are at work have their leases renewed in time.
    pub(crate) fn renew_own(&mut self) -> Result<(), EngineError> {
        let settings = &self.core.settings;
        let expires_at = self.later(settings.lease_ms());
        let soon = self.later(settings.renewal_ms());
        for claim in self.core.pool.expiring(soon) {
            let extended = self.extend(&claim, expires_at);
            let extended = self.others_go_on(claim.execution, extended)?;
            if extended == Some(true) {
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
        for claim in self.core.pool.running_claims() {
            let extended = self.extend(&claim, Lease::GIVEN_UP);
            self.others_go_on(claim.execution, extended)?;
        }
        Ok(())
    }

    fn extend(&mut self, claim: &ClaimId, expires_at: Timestamp) -> Result<bool, EngineError> {
        let state = self.held_item(claim)?.map(|record| record.state.clone());
        let Some(ItemState::Leased(lease)) = state else {
            return Ok(false);
        };
        let lease = Lease {
            expires_at,
            ..lease
        };
        let items = self.open(claim.execution)?.items_mut();
        items.lease(&claim.node_id, lease);
        Ok(true)
    }

    /// Claims whose lease is over end as rule R13 has it.
    pub(crate) fn expire(&mut self) -> Result<(), EngineError> {
        let simulated = self.core.settings.simulated;
        let now = self.now();
        let until = self.core.ends_leases_until(now);
        let max = self.core.settings.turn_limits.expiries + self.core.left_leased.len();
        let ask = |agenda: &mut Agenda<'_>, max| agenda.expired(simulated, until, max);
        let (mut expired, _) = self.core.look(max, ask, sound::execution_of)?;
        self.cut |= expired.len() == max;
        let costly = &self.core.costly;
        if !costly.is_empty() {
            expired.sort_by_key(|stored| {
                execution_of(stored).is_ok_and(|execution| costly.contains(execution))
            });
        }
        for stored in expired {
            if !self.may(Phase::Time) {
                break;
            }
            let execution = execution_of(&stored)?;
            let ended = self.end_lease(&stored, |lease| lease.expires_at <= until);
            self.others_go_on(execution, ended)?;
        }
        let waiting = until < now
            && !self
                .core
                .agenda()
                .expired(simulated, now, 1)?
                .found
                .is_empty();
        self.core.leases.are_waiting(waiting);
        Ok(())
    }

    /// A stored item's claim ends, if its lease is (still) over. Says whether it did.
    pub(in crate::live) fn end_lease(
        &mut self,
        stored: &ItemRecord,
        is_over: impl Fn(&Lease) -> bool,
    ) -> Result<bool, EngineError> {
        let claim = claim_of(stored)?;
        // Whoever has gone on since, or had it go on, may have changed that.
        if let Some(head) = self.core.left_leased.get(&claim).copied()
            && head == self.open(claim.execution)?.record.head
        {
            return Ok(false);
        }
        // This turn may have renewed, settled or cancelled it.
        let Some(record) = self.held_item(&claim)? else {
            return Ok(false);
        };
        if matches!(&record.state, ItemState::Leased(lease) if !is_over(lease)) {
            return Ok(false);
        }
        // It ends as soon as the execution has gone on.
        if self.has_to_wait(claim.execution)? {
            self.cut = true;
            return Ok(false);
        }
        if let Err(error) = self.presume_dead(&claim) {
            self.must_have_taken(claim.execution, error)?;
            let head = self.open(claim.execution)?.record.head;
            self.core.left_leased.insert(claim, head);
            return Ok(false);
        }
        self.core.left_leased.remove(&claim);
        Ok(true)
    }
}

/// An item that may be claimed.
pub(in crate::live) struct Candidate {
    pub(in crate::live) execution: ExecutionId,
    pub(in crate::live) node_id: String,
    /// Since when it may be.
    since: Timestamp,
}

impl Candidate {
    fn of(execution: ExecutionId, record: &ItemRecord) -> Self {
        Self {
            execution,
            node_id: record.item.node_id.clone(),
            since: record.enqueued_at.max(record.item.not_before),
        }
    }
}

/// The claim that holds this item.
pub(in crate::live) fn claim_of(record: &ItemRecord) -> Result<ClaimId, StoreError> {
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

pub(in crate::live) fn execution_of(record: &ItemRecord) -> Result<ExecutionId, StoreError> {
    let id = record.item.execution_id.parse();
    id.map_err(|error| corrupt(&record.item.node_id, &format!("{error}")))
}

fn corrupt(node_id: &str, detail: &str) -> StoreError {
    StoreError::Corrupt {
        place: format!("the work item of node {node_id:?}"),
        detail: detail.to_owned(),
    }
}
