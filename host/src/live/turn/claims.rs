//! Workers claim work.

use std::collections::BTreeSet;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::{EventKind, NodeStarted, Status, WorkItem};
use crate::store::ItemState;

use super::budget::Phase;
use super::candidates::{Candidate, candidates, candidates_of};
use super::claimed_items::{is_held, lease_ms};
use super::costly::Costly;
use super::damaged::or_set_aside;
use super::open_turn::OpenTurn;
use super::stall::must_have_taken;
use crate::live::execution::claimed::corrupt;
use crate::live::values::work::{Claim, ClaimId};
use crate::live::workers::Granted;

/// Free workers of the engine claim as much as they can, of this execution if one is
/// named. Says whether anything was claimed.
///
/// Where the last turn was cut off, this one goes on, so that no group takes all
/// claims for ever.
pub(in crate::live) fn claim_for_groups(
    turn: &mut OpenTurn<'_>,
    of: Option<ExecutionId>,
) -> Result<bool, EngineError> {
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
            of,
            queue: &queues[group],
            max,
            worker_id: &worker_id,
            request_id: None,
            phase: Phase::Claims,
            left: turn.claims.own_left,
            claims: Vec::new(),
            come_later: false,
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

/// A worker outside of the engine claims up to `max` items on a queue, the most urgent
/// first, of these those that wait longest. Only where there are none but of executions that come after the
/// others, the claim comes after the others, too: it has taken nothing then that the
/// worker would not hear of.
pub(in crate::live) fn claim(
    turn: &mut OpenTurn<'_>,
    queue: &str,
    max: usize,
    worker_id: &str,
) -> Result<Vec<Claim>, EngineError> {
    if turn.transaction.core.pool.is_closed() {
        // The engine would not be there for the answer.
        return Err(EngineError::ShutDown);
    }
    let mut claiming = Claiming {
        of: None,
        queue,
        max,
        worker_id,
        request_id: None,
        phase: Phase::Writes,
        left: turn.claims.outside_left,
        claims: Vec::new(),
        come_later: false,
    };
    claim_within(turn, &mut claiming)?;
    turn.claims.outside_left = claiming.left;
    if claiming.claims.is_empty() && claiming.come_later {
        turn.waiting.come_later();
    }
    Ok(claiming.claims)
}

/// Claims on one queue for one worker.
pub(in crate::live) struct Claiming<'a> {
    /// The execution whose items it takes; `None`: those of all.
    pub(in crate::live) of: Option<ExecutionId>,
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
    /// Whether something was left out that may be claimed after the others.
    pub(in crate::live) come_later: bool,
}

/// Claims as many items as are wanted. Says whether a limit of the turn cut
/// something off.
pub(in crate::live) fn claim_within(
    turn: &mut OpenTurn<'_>,
    claiming: &mut Claiming<'_>,
) -> Result<bool, EngineError> {
    let claims_max = turn.transaction.core.settings.turn_limits.claims;
    let queue = claiming.queue;
    // Those that gave less than they seemed to have give nothing more to this claim: so
    // each pass leaves out more than the one before.
    let mut passed_over = BTreeSet::new();
    loop {
        let wanted = (claiming.max - claiming.claims.len()).min(claims_max);
        if wanted == 0 {
            return Ok(false);
        }
        let waiting = &turn.waiting;
        let is_left_out = |costly: &Costly, id: ExecutionId| {
            passed_over.contains(&id) || waiting.comes_later(costly, id)
        };
        let claims = &mut turn.claims;
        let transaction = &mut turn.transaction;
        let found = match claiming.of {
            Some(id) => candidates_of(transaction, id, queue, wanted, &is_left_out)?,
            None => candidates(transaction, claims, queue, wanted, &is_left_out)?,
        };
        claiming.come_later |= found.left_out;
        let mut hidden = false;
        for of_one in found.candidates.chunk_by(|a, b| a.execution == b.execution) {
            // The first one is a part of the write that asks for it.
            let is_paid = claiming.phase == Phase::Writes && claiming.claims.is_empty();
            let may = claiming.left > 0 && (is_paid || turn.transaction.may(claiming.phase));
            if !may {
                turn.claims.drained_queues.remove(queue);
                return Ok(true);
            }
            let execution = of_one[0].execution;
            let within = &of_one[..of_one.len().min(claiming.left)];
            let claimed = claim_items(turn, within, claiming.worker_id, 0);
            let claimed = or_set_aside(turn.transaction.core, execution, claimed)?;
            let claimed = claimed.unwrap_or_default();
            // Its execution was stalled or set aside, and its place is free for
            // others; or it has to go on first, and is found again when it has.
            if claimed.len() < within.len() {
                hidden = true;
                passed_over.insert(execution);
                turn.claims.drained_queues.remove(queue);
                let staged = turn.transaction.staged.get(&execution);
                claiming.come_later |= staged.is_some_and(|staged| staged.owed);
            }
            if let Some(request_id) = claiming.request_id {
                for claim in &claimed {
                    let items = turn.transaction.open(execution)?.items_mut();
                    items.leased_by_request(&claim.id.node_id, request_id);
                }
            }
            claiming.left -= claimed.len();
            claiming.claims.extend(claimed);
            if within.len() < of_one.len() {
                turn.claims.drained_queues.remove(queue);
                return Ok(true);
            }
        }
        if !hidden {
            return Ok(false);
        }
    }
}

/// Claims these items of one execution, in one call of its guest. Not among the claims
/// are those of an execution that has to go on first, and what its guest does not let
/// stand: it is stalled then. The claims hold so much longer than they usually do.
pub(in crate::live) fn claim_items(
    turn: &mut OpenTurn<'_>,
    candidates: &[Candidate],
    worker_id: &str,
    longer_ms: u64,
) -> Result<Vec<Claim>, EngineError> {
    let Some(execution) = candidates.first().map(|first| first.execution) else {
        return Ok(Vec::new());
    };
    let items = waiting_items(turn, execution, candidates)?;
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let started = items.iter().map(|item| {
        EventKind::NodeStarted(NodeStarted {
            node_id: item.node_id.clone(),
            worker_id: worker_id.to_owned(),
            attempt: item.attempt,
        })
    });
    let taken = match turn.offer_all(execution, started.collect()) {
        Ok(taken) => taken,
        Err(error) => {
            must_have_taken(&mut turn.transaction, execution, error)?;
            return Ok(Vec::new());
        }
    };
    let mut claims = Vec::with_capacity(items.len());
    for (item, taken) in items.into_iter().zip(taken) {
        // The claim's sequence is its fence.
        let fence = match taken {
            Ok(sequence) => sequence,
            Err(error) => {
                must_have_taken(&mut turn.transaction, execution, error)?;
                continue;
            }
        };
        let lease_ms = lease_ms(&mut turn.transaction, execution, &item.node_id)?;
        let expires_at = turn.transaction.later(lease_ms.saturating_add(longer_ms));
        let staged = turn.transaction.open(execution)?;
        staged.items_mut().lease_until(&item.node_id, expires_at);
        claims.push(Claim {
            id: ClaimId {
                execution,
                node_id: item.node_id.clone(),
                attempt: item.attempt,
                fence,
            },
            item,
            workflow_id: staged.record.workflow_id.clone(),
            workflow_version: staged.record.workflow_version.clone(),
            expires_at,
        });
    }
    // What followed from it at once may have taken an item back.
    claims.retain(|claim| is_held(&turn.transaction, &claim.id));
    Ok(claims)
}

/// Those of the candidates that wait, as far as the turn knows the execution; none if it
/// has to go on first.
fn waiting_items(
    turn: &mut OpenTurn<'_>,
    execution: ExecutionId,
    candidates: &[Candidate],
) -> Result<Vec<WorkItem>, EngineError> {
    turn.catch_up(execution)?;
    if turn.has_to_wait(execution)? {
        return Ok(Vec::new());
    }
    let staged = turn.transaction.open(execution)?;
    if staged.held || staged.record.status != Status::Running {
        // Something that followed from a claim before it.
        return Ok(Vec::new());
    }
    let mut items = Vec::with_capacity(candidates.len());
    for Candidate { node_id, .. } in candidates {
        match staged.items().of(node_id) {
            Some(record) if record.state == ItemState::Waiting => items.push(record.item.clone()),
            _ if staged.items().has_changed(node_id) => {}
            // The store's own two answers contradict each other.
            _ => return Err(corrupt(node_id, "it waits for a worker, and it does not").into()),
        }
    }
    Ok(items)
}
