//! Law 7: a claim is a durable fact, holds until its end is one, and only the
//! claim that holds an item settles it.

use std::collections::BTreeMap;

use refrain::ClaimId;
use refrain::id::ExecutionId;
use refrain::model::{EventKind, NodeStarted};
use refrain::store::ItemState;

use super::{Account, Evidence, Law, Receipt, Violation};

/// Each answer in a log comes from the claim that holds the item there, no
/// item is claimed while another claim holds it, and what was refused as stale
/// is in no log.
///
/// # Errors
/// The first claim or answer that breaks it.
pub fn law7_fenced(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    evidence.accounts.iter().try_for_each(holders)?;
    leases_were_over(evidence)?;
    leases_are_as_told(evidence)?;
    refused_stays_out(evidence)
}

/// Who holds which node's item, along the log.
fn holders(account: &Account) -> Result<(), Violation> {
    let mut held: BTreeMap<&str, (u32, u64)> = BTreeMap::new();
    for event in account.log() {
        let broken = |message| {
            Err(Violation::at(
                Law::Fenced,
                account.record.id,
                event.sequence,
                message,
            ))
        };
        match &event.kind {
            EventKind::NodeStarted(it) => {
                if let Some(fault) = claim_fault(it, held.get(it.node_id.as_str())) {
                    return broken(fault);
                }
                held.insert(&it.node_id, (it.attempt, event.sequence));
            }
            EventKind::ExecutionForked(_) => held.clear(),
            EventKind::NodeTimedOut(it) => drop(held.remove(it.node_id.as_str())),
            EventKind::NodeCancelled(it) => drop(held.remove(it.node_id.as_str())),
            kind => {
                let Some((node, attempt, fence)) = answer(kind) else {
                    continue;
                };
                if held.get(node) != Some(&(attempt, fence)) {
                    return broken(format!(
                        "an answer of attempt {attempt} with fence {fence} settles node {node:?}, and {}",
                        holder(held.get(node))
                    ));
                }
                held.remove(node);
            }
        }
    }
    Ok(())
}

fn claim_fault(it: &NodeStarted, held: Option<&(u32, u64)>) -> Option<String> {
    held.map(|held| {
        format!(
            "node {:?} is claimed, and {}",
            it.node_id,
            holder(Some(held))
        )
    })
}

fn holder(held: Option<&(u32, u64)>) -> String {
    match held {
        Some((attempt, fence)) => format!("attempt {attempt} with fence {fence} holds its item"),
        None => "no claim holds its item".to_owned(),
    }
}

/// A worker's answer, what it gives back, or the end of a lease: node, attempt and
/// fence.
pub(super) fn answer(kind: &EventKind) -> Option<(&str, u32, u64)> {
    match kind {
        EventKind::NodeCompleted(it) => Some((&it.node_id, it.attempt, it.fence)),
        EventKind::NodeFailed(it) => Some((&it.node_id, it.attempt, it.fence)),
        EventKind::LeaseExpired(it) => Some((&it.node_id, it.attempt, it.fence)),
        EventKind::NodeReleased(it) => Some((&it.node_id, it.attempt, it.fence)),
        _ => None,
    }
}

/// Whether an event settles what this claim held.
pub(super) fn is_answer_of(kind: &EventKind, claim: &ClaimId) -> bool {
    answer(kind) == Some((claim.node_id.as_str(), claim.attempt, claim.fence))
}

/// A lease that a worker was told of does not end before its time.
fn leases_were_over(evidence: &Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        let id = account.record.id;
        for event in account.log() {
            let EventKind::LeaseExpired(it) = &event.kind else {
                continue;
            };
            let claim = claim_of(id, &it.node_id, it.attempt, it.fence);
            if let Some(end) = evidence
                .told
                .lease_end(&claim)
                .filter(|end| event.at < *end)
            {
                let message = format!(
                    "the lease is ended at {}, and its worker was told that it holds until {end}",
                    event.at
                );
                return Err(Violation::at(Law::Fenced, id, event.sequence, message));
            }
        }
    }
    Ok(())
}

/// A lease that is stored does not end before the time that its worker was
/// told.
fn leases_are_as_told(evidence: &Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        let id = account.record.id;
        for record in &account.items {
            let ItemState::Leased(lease) = &record.state else {
                continue;
            };
            let claim = claim_of(id, &record.item.node_id, record.item.attempt, lease.fence);
            let told = evidence.told.lease_end(&claim).unwrap_or(0);
            if lease.expires_at < told {
                let message = format!(
                    "the lease on node {:?} is stored until {}, and its worker was told that it holds until {told}",
                    record.item.node_id, lease.expires_at
                );
                return Err(Violation::at(Law::Fenced, id, lease.fence, message));
            }
        }
    }
    Ok(())
}

fn claim_of(execution: ExecutionId, node_id: &str, attempt: u32, fence: u64) -> ClaimId {
    ClaimId {
        execution,
        node_id: node_id.to_owned(),
        attempt,
        fence,
    }
}

fn refused_stays_out(evidence: &Evidence<'_>) -> Result<(), Violation> {
    for (claim, offer, receipt) in evidence.told.answers() {
        if receipt != Receipt::Stale {
            continue;
        }
        let events = evidence
            .account(claim.execution)
            .into_iter()
            .flat_map(Account::log);
        let entered = events
            .into_iter()
            .find(|event| is_answer_of(&event.kind, claim) && offer.is(&event.kind));
        if let Some(event) = entered {
            let message = format!(
                "the answer for node {:?} with fence {} was refused as stale, and is in the log",
                claim.node_id, claim.fence
            );
            return Err(Violation::at(
                Law::Fenced,
                claim.execution,
                event.sequence,
                message,
            ));
        }
    }
    Ok(())
}
