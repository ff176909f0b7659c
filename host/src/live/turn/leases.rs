//! Leases are renewed, and ended when they are over.

use crate::error::EngineError;
use crate::store::{ItemRecord, ItemState, Lease, Timestamp, check::TIME_MAX};

use super::agenda::Agenda;
use super::budget::Phase;
use super::claimed_items::{extend, held_item, lease_ms};
use super::damaged::{look, or_set_aside};
use super::open_turn::OpenTurn;
use super::repeated::stale;
use super::stall::must_have_taken;
use super::transaction::Transaction;
use crate::live::execution::claimed::{claim_of, execution_of};
use crate::live::values::facts;
use crate::live::values::work::ClaimId;
use crate::trouble::IN_THE_LOG;

/// Renews the leases of own workers in time.
pub(in crate::live) fn renew_own(turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
    let transaction = &mut turn.transaction;
    for (claim, lease_ms) in transaction.core.pool.to_renew(transaction.time.at) {
        let expires_at = transaction.later(lease_ms);
        let extended = extend(transaction, &claim, expires_at);
        if or_set_aside(transaction.core, claim.execution, extended)? == Some(true) {
            turn.claims.renewed.push((claim, expires_at));
        }
    }
    Ok(())
}

/// Renews the lease of a worker outside of the engine, and says when it ends.
pub(in crate::live) fn renew(
    transaction: &mut Transaction<'_>,
    claim: &ClaimId,
) -> Result<Timestamp, EngineError> {
    let lease_ms = lease_ms(transaction, claim.execution, &claim.node_id)?;
    renew_for(transaction, claim, lease_ms)
}

/// The same for a lease of this length.
pub(in crate::live) fn renew_for(
    transaction: &mut Transaction<'_>,
    claim: &ClaimId,
    lease_ms: u64,
) -> Result<Timestamp, EngineError> {
    let expires_at = transaction.later(lease_ms);
    if extend(transaction, claim, expires_at)? {
        return Ok(expires_at);
    }
    let reason = "it has expired, or the item was settled or cancelled".to_owned();
    Err(stale(claim, reason))
}

/// Ends claims whose lease is over (rule R13).
pub(in crate::live) fn expire(turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
    let now = turn.transaction.now();
    let core = &mut *turn.transaction.core;
    let until = core.ends_leases_until(now);
    let max = core.settings.turn_limits.expiries + core.left_leased.len();
    let ask = |agenda: &mut Agenda<'_>, max| agenda.expired(until, max);
    let mut expired = look(core, max, ask, |stored| execution_of(stored).ok())?;
    if !core.costly.is_empty() {
        expired.sort_by_key(|stored| {
            execution_of(stored).is_ok_and(|execution| core.costly.contains(execution))
        });
    }
    if expired.len() == max {
        turn.transaction.budget.cut_off();
    }
    end_leases(turn, expired, |lease| lease.expires_at <= until)?;
    let core = &mut *turn.transaction.core;
    let waiting = until < now && !core.agenda().expired(now, 1)?.found.is_empty();
    core.leases.are_waiting(waiting);
    Ok(())
}

/// Ends the claims of workers that are gone. The leases that end first are looked
/// at first, and these are not renewed; so the bound does not hide them.
pub(in crate::live) fn expire_gone(turn: &mut OpenTurn<'_>) -> Result<(), EngineError> {
    let core = &mut *turn.transaction.core;
    if core.gone_workers.worker_ids().is_empty() {
        return Ok(());
    }
    let gone = core.gone_workers.worker_ids().clone();
    let ask = |agenda: &mut Agenda<'_>, max| agenda.expired(TIME_MAX, max);
    let max = core.settings.turn_limits.expiries;
    let leased = look(core, max, ask, |stored| execution_of(stored).ok())?;
    let is_full = leased.len() == max;
    let any = end_leases(turn, leased, |lease| gone.contains(&lease.worker_id))?;
    if is_full && any {
        turn.transaction.budget.cut_off();
    }
    Ok(())
}

/// Ends those of these claims whose leases are (still) over, as far as the turn's
/// budget reaches. Says whether it ended any.
fn end_leases(
    turn: &mut OpenTurn<'_>,
    leased: Vec<ItemRecord>,
    is_over: impl Fn(&Lease) -> bool,
) -> Result<bool, EngineError> {
    let mut any = false;
    for stored in leased {
        if !turn.transaction.may(Phase::Time) {
            break;
        }
        let execution = execution_of(&stored)?;
        let ended = end_lease(turn, &stored, &is_over);
        let ended = or_set_aside(turn.transaction.core, execution, ended)?;
        any |= ended == Some(true);
    }
    Ok(any)
}

/// Ends a stored item's claim, if its lease is (still) over. Says whether it did.
fn end_lease(
    turn: &mut OpenTurn<'_>,
    stored: &ItemRecord,
    is_over: impl Fn(&Lease) -> bool,
) -> Result<bool, EngineError> {
    let claim = claim_of(stored)?;
    turn.catch_up(claim.execution)?;
    let transaction = &mut turn.transaction;
    // A guest that did not take the end of this lease may take it when its log has
    // grown.
    if let Some(head) = transaction.core.left_leased.get(&claim).copied()
        && head == transaction.open(claim.execution)?.record.head
    {
        return Ok(false);
    }
    // This turn may have renewed, settled or cancelled it.
    let Some(record) = held_item(transaction, &claim)? else {
        return Ok(false);
    };
    if matches!(&record.state, ItemState::Leased(lease) if !is_over(lease)) {
        return Ok(false);
    }
    // It ends as soon as the execution has gone on.
    if turn.has_to_wait(claim.execution)? {
        turn.transaction.budget.cut_off();
        return Ok(false);
    }
    if let Err(error) = presume_dead(turn, &claim) {
        let transaction = &mut turn.transaction;
        must_have_taken(transaction, claim.execution, error)?;
        let head = transaction.open(claim.execution)?.record.head;
        transaction.core.left_leased.insert(claim, head);
        return Ok(false);
    }
    turn.transaction.core.left_leased.remove(&claim);
    Ok(true)
}

/// The claim's lease is over (rule R13).
fn presume_dead(turn: &mut OpenTurn<'_>, claim: &ClaimId) -> Result<(), EngineError> {
    // A turn that is not written is done anew, and comes here anew.
    let ClaimId {
        execution,
        node_id,
        attempt,
        fence,
    } = claim;
    let kind = format!("lease {execution} {fence}");
    let troubles = &mut turn.transaction.core.troubles;
    if let Some(told) = troubles.happens(&kind, "lease expired") {
        tracing::warn!(target: IN_THE_LOG, { refrain.execution = %execution, refrain.node = %node_id, refrain.attempt = attempt }, "{told}");
    }
    let expired = facts::lease_expired(node_id, *attempt, *fence);
    turn.offer(*execution, expired).map(drop)
}
