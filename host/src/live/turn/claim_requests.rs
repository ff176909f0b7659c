//! Workers outside of the engine that wait for work are served by the same turns as the
//! engine's own.

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::store::{ItemRecord, ItemState};

use super::budget::Phase;
use super::claimed_items::{extend, lease_ms};
use super::claims::{Claiming, claim_for_groups, claim_within};
use super::open_turn::OpenTurn;
use super::waiting_claims::Ticket;
use crate::live::execution::claimed::execution_of;
use crate::live::values::claim_request::ClaimRequest;
use crate::live::values::work::{Claim, ClaimId};

/// Each free worker claims as much as it can, the engine's own workers and those
/// outside in turns; of this execution, if one is named. Says whether anything was claimed.
pub(in crate::live) fn claim_for_all(
    turn: &mut OpenTurn<'_>,
    of: Option<ExecutionId>,
) -> Result<bool, EngineError> {
    if turn.transaction.core.waiting_claims.is_empty() {
        return claim_for_groups(turn, of);
    }
    let mut claims = [claim_for_groups, claim_for_requests];
    if turn.transaction.core.waiting_claims.go_first {
        claims.reverse();
    }
    let mut any = false;
    for claim in claims {
        any |= claim(turn, of)?;
    }
    Ok(any)
}

fn claim_for_requests(
    turn: &mut OpenTurn<'_>,
    of: Option<ExecutionId>,
) -> Result<bool, EngineError> {
    let mut any = false;
    for (ticket, request) in turn.transaction.core.waiting_claims.to_serve() {
        if turn.claims.repeated.contains_key(&ticket) || is_repeated(turn, ticket, &request)? {
            continue;
        }
        for queue in &request.queues {
            let served = turn.claims.served.get(&ticket).map_or(0, Vec::len);
            let mut claiming = Claiming {
                of,
                queue,
                max: request.max.saturating_sub(served),
                worker_id: &request.worker_id,
                request_id: Some(&request.request_id),
                phase: Phase::Claims,
                left: turn.claims.outside_left,
                claims: Vec::new(),
                come_later: false,
            };
            let is_cut = claim_within(turn, &mut claiming)?;
            let Claiming { left, claims, .. } = claiming;
            turn.claims.outside_left = left;
            if is_cut {
                turn.transaction.budget.cut_off();
            }
            if !claims.is_empty() {
                any = true;
                turn.claims.served.entry(ticket).or_default().extend(claims);
            }
        }
    }
    Ok(any)
}

/// Whether this request has claimed items before, which it still holds: they are what
/// it is given (law 7), with leases that begin anew, since its worker may not have heard
/// of them.
fn is_repeated(
    turn: &mut OpenTurn<'_>,
    ticket: Ticket,
    request: &ClaimRequest,
) -> Result<bool, EngineError> {
    if turn.transaction.core.waiting_claims.is_new(ticket) {
        return Ok(false);
    }
    let store = turn.transaction.core.store.get();
    let found = store.claimed_by(&request.worker_id, &request.request_id)?;
    let found = turn.transaction.core.set_aside.named(found);
    if found.is_empty() {
        turn.transaction.core.waiting_claims.found_new(ticket);
        return Ok(false);
    }
    let mut claims = Vec::new();
    for record in &found {
        if is_left_out(turn, ticket, execution_of(record)?) {
            return Ok(true);
        }
    }
    for record in found {
        claims.extend(claimed_again(turn, record)?);
    }
    if claims.is_empty() {
        // It is new by what this turn has staged, which is remembered of what is stored only.
        return Ok(false);
    }
    turn.claims.repeated.insert(ticket, claims);
    Ok(true)
}

/// Whether this request holds an item of an execution that is left out of this turn,
/// because writes to it conflict: nothing of it can be written, and another claim is none
/// of the request's. It is given what it holds in the next turn, however short it was to
/// wait; where the execution rests, it is told so.
fn is_left_out(turn: &mut OpenTurn<'_>, ticket: Ticket, execution: ExecutionId) -> bool {
    let core = &mut *turn.transaction.core;
    let Some(error) = core.conflicts.meet(execution) else {
        return false;
    };
    if core.conflicts.is_tried_again(execution) {
        core.waiting_claims.hold_back(ticket);
    } else {
        core.waiting_claims.refuse(ticket, &error);
    }
    true
}

/// The claim on this stored item, if it holds.
fn claimed_again(
    turn: &mut OpenTurn<'_>,
    record: ItemRecord,
) -> Result<Option<Claim>, EngineError> {
    let execution = execution_of(&record)?;
    let ItemState::Leased(lease) = record.state else {
        return Ok(None);
    };
    if turn.transaction.core.set_aside.holds(execution) {
        return Ok(None);
    }
    let id = ClaimId {
        execution,
        node_id: record.item.node_id.clone(),
        attempt: record.item.attempt,
        fence: lease.fence,
    };
    let lease_ms = lease_ms(&mut turn.transaction, execution, &id.node_id)?;
    let expires_at = turn.transaction.later(lease_ms);
    let holds = extend(&mut turn.transaction, &id, expires_at)?;
    let of = &turn.transaction.open(execution)?.record;
    Ok(holds.then_some(Claim {
        id,
        item: record.item,
        workflow_id: of.workflow_id.clone(),
        workflow_version: of.workflow_version.clone(),
        expires_at,
    }))
}
