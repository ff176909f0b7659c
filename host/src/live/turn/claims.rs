//! Workers claim work.

use crate::error::EngineError;
use crate::model::{EventKind, NodeStarted, Status};
use crate::store::{ItemRecord, ItemState};

use super::budget::Phase;
use super::candidates::{Candidate, candidates};
use super::claimed_items::is_held;
use super::damaged::or_set_aside;
use super::open_turn::OpenTurn;
use super::stall::must_have_taken;
use crate::live::execution::claimed::corrupt;
use crate::live::values::work::{Claim, ClaimId};
use crate::live::workers::Granted;

/// Free workers of the engine claim as much as they can. Says whether anything was
/// claimed.
///
/// Where the last turn was cut off, this one goes on, so that no group takes all
/// claims for ever.
pub(in crate::live) fn claim_for_groups(turn: &mut OpenTurn<'_>) -> Result<bool, EngineError> {
    let mut any = false;
    let core = &turn.transaction.core;
    let worker_id = core.settings.worker_id.clone();
    let queues = core.pool.queues();
    let first = core.backlog.first_group % queues.len().max(1);
    for group in (first..queues.len()).chain(0..first) {
        let max = turn.claims.slots.free(group);
        if max == 0 {
            continue;
        }
        let mut claiming = Claiming {
            queue: &queues[group],
            max,
            worker_id: &worker_id,
            request_id: None,
            phase: Phase::Claims,
            left: turn.claims.own_left,
            claims: Vec::new(),
        };
        let is_cut = claim_within(turn, &mut claiming)?;
        let Claiming { left, claims, .. } = claiming;
        turn.claims.own_left = left;
        if is_cut {
            turn.transaction.budget.cut_off();
            if !turn.claims.own_cut {
                // A group that has had some lets the others go first.
                let had_some = usize::from(!claims.is_empty());
                turn.claims.own_cut = true;
                turn.backlog.first_group = group + had_some;
            }
        }
        for claim in claims {
            any = true;
            let at = turn.transaction.open(claim.id.execution)?.record.last_at;
            turn.claims.slots.take(Granted { group, claim, at });
        }
    }
    Ok(any)
}

/// A worker outside of the engine claims up to `max` items on a queue, those that
/// wait longest first.
pub(in crate::live) fn claim(
    turn: &mut OpenTurn<'_>,
    queue: &str,
    max: usize,
    worker_id: &str,
) -> Result<Vec<Claim>, EngineError> {
    let mut claiming = Claiming {
        queue,
        max,
        worker_id,
        request_id: None,
        phase: Phase::Writes,
        left: turn.claims.outside_left,
        claims: Vec::new(),
    };
    claim_within(turn, &mut claiming)?;
    turn.claims.outside_left = claiming.left;
    Ok(claiming.claims)
}

/// Claims on one queue for one worker.
pub(in crate::live) struct Claiming<'a> {
    pub(in crate::live) queue: &'a str,
    /// The most that it takes.
    pub(in crate::live) max: usize,
    pub(in crate::live) worker_id: &'a str,
    /// The id of the request that it claims by, if it has one.
    pub(in crate::live) request_id: Option<&'a str>,
    pub(in crate::live) phase: Phase,
    /// The most that this turn has left for workers of this kind.
    pub(in crate::live) left: usize,
    /// What it has claimed.
    pub(in crate::live) claims: Vec<Claim>,
}

/// Claims as many items as are wanted. Says whether a limit of the turn cut
/// something off.
pub(in crate::live) fn claim_within(
    turn: &mut OpenTurn<'_>,
    claiming: &mut Claiming<'_>,
) -> Result<bool, EngineError> {
    let settings = &turn.transaction.core.settings;
    let (lease_ms, claims_max) = (settings.lease_ms(), settings.turn_limits.claims);
    let queue = claiming.queue;
    loop {
        let wanted = (claiming.max - claiming.claims.len()).min(claims_max);
        let drained = &mut turn.claims.drained_queues;
        let candidates = match wanted {
            0 => Vec::new(),
            _ => candidates(&mut turn.transaction, drained, queue, wanted)?,
        };
        let mut hidden = false;
        for candidate in candidates {
            // The first one is a part of the write that asks for it.
            let is_paid = claiming.phase == Phase::Writes && claiming.claims.is_empty();
            let may = claiming.left > 0 && (is_paid || turn.transaction.may(claiming.phase));
            if !may {
                turn.claims.drained_queues.remove(queue);
                return Ok(true);
            }
            let claimed = claim_item(turn, &candidate, claiming.worker_id, lease_ms);
            let claimed = or_set_aside(turn.transaction.core, candidate.execution, claimed)?;
            match claimed.flatten() {
                Some(claim) => {
                    if let Some(request_id) = claiming.request_id {
                        let items = turn.transaction.open(claim.id.execution)?.items_mut();
                        items.leased_by_request(&claim.id.node_id, request_id);
                    }
                    claiming.left -= 1;
                    claiming.claims.push(claim);
                }
                // Its execution was stalled or set aside, and its place is free for
                // others; or it has to go on first, and is found again when it has.
                None => {
                    turn.claims.drained_queues.remove(queue);
                    hidden = true;
                }
            }
        }
        if !hidden {
            return Ok(false);
        }
    }
}

/// Claims this item. `None` if the execution has to go on first, or if its guest
/// does not let the claim stand, and it is stalled.
pub(in crate::live) fn claim_item(
    turn: &mut OpenTurn<'_>,
    candidate: &Candidate,
    worker_id: &str,
    lease_ms: u64,
) -> Result<Option<Claim>, EngineError> {
    let Candidate {
        execution, node_id, ..
    } = candidate;
    if turn.has_to_wait(*execution)? {
        return Ok(None);
    }
    let staged = turn.transaction.open(*execution)?;
    let waits = |record: &&ItemRecord| record.state == ItemState::Waiting;
    if staged.held || staged.record.status != Status::Running {
        // Something that followed from a claim before it.
        return Ok(None);
    }
    let Some(record) = staged.items().of(node_id).filter(waits) else {
        if staged.items().has_changed(node_id) {
            return Ok(None);
        }
        // The store's own two answers contradict each other.
        return Err(corrupt(node_id, "it waits for a worker, and it does not").into());
    };
    let item = record.item.clone();
    let started = EventKind::NodeStarted(NodeStarted {
        node_id: node_id.clone(),
        worker_id: worker_id.to_owned(),
        attempt: item.attempt,
    });
    // The claim's sequence is its fence.
    let fence = match turn.offer(*execution, started) {
        Ok(sequence) => sequence,
        Err(error) => {
            must_have_taken(&mut turn.transaction, *execution, error)?;
            return Ok(None);
        }
    };
    let expires_at = turn.transaction.later(lease_ms);
    let staged = turn.transaction.open(*execution)?;
    staged.items_mut().lease_until(node_id, expires_at);
    let workflow_id = staged.record.workflow_id.clone();
    let workflow_version = staged.record.workflow_version.clone();
    let id = ClaimId {
        execution: *execution,
        node_id: node_id.clone(),
        attempt: item.attempt,
        fence,
    };
    // What followed from it at once may have taken the item back.
    Ok(is_held(&turn.transaction, &id).then_some(Claim {
        id,
        item,
        workflow_id,
        workflow_version,
        expires_at,
    }))
}
