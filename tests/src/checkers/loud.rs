//! Law 9: an execution that cannot go on says so. Never a silent *running*.

use refrain::model::Status;
use refrain::store::{ItemRecord, ItemState, Reader, StoreError, ended};

use super::{Account, Evidence, Law, Violation};

/// More than there can be of anything.
const ALL: usize = u32::MAX as usize;

/// Each execution that has not ended has something in flight, waits for a
/// time, an external event or a person, is paused, or is stalled for a reason
/// that names what lifts it. And what should happen some time is found by
/// those who look for it: items by workers, leases and wakes by time.
///
/// # Errors
/// The first execution that is silent.
pub fn law9_loud(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in evidence
        .accounts
        .iter()
        .filter(|account| !ended(account.record.status))
    {
        let silent = |message| Violation::of(Law::Loud, account.record.id, message);
        says_why_not(account).map_err(silent)?;
        let found = is_looked_for(evidence.store, account);
        match found.map_err(|error| silent(error.to_string()))? {
            None => {}
            Some(message) => return Err(silent(message)),
        }
    }
    Ok(())
}

fn says_why_not(account: &Account) -> Result<(), String> {
    let in_flight = account
        .items
        .iter()
        .any(|record| !matches!(record.state, ItemState::Dead { .. }));
    let waits = account.fold.nodes.values().any(|node| node.waits);
    // That it will time out some day is no reason to rest until then.
    let wake = account.record.next_wake;
    let is_due = wake.is_some() && wake != account.fold.workflow_deadline;
    match account.record.status {
        Status::Paused => Ok(()),
        Status::Stalled => says_why_it_stands(account),
        _ if in_flight || waits || is_due => Ok(()),
        _ => Err(
            "it runs, and nothing of it is in flight, waits, or is due: nothing will ever happen"
                .to_owned(),
        ),
    }
}

fn says_why_it_stands(account: &Account) -> Result<(), String> {
    match &account.fold.stall {
        Some(reason) if !reason.is_empty() => Ok(()),
        _ => Err("it is stalled, and no event says why".to_owned()),
    }
}

/// What would not be found by those who look for it, if anything.
fn is_looked_for(store: &mut dyn Reader, account: &Account) -> Result<Option<String>, StoreError> {
    let record = &account.record;
    for item in &account.items {
        if !is_found(store, account, item)? {
            return Ok(Some(format!(
                "the item of node {:?} is {:?}, and nobody who looks for such finds it",
                item.item.node_id, item.state
            )));
        }
    }
    let Some(wake) = record.next_wake else {
        return Ok(None);
    };
    let due = store.due(wake, None, ALL)?;
    let next = store.next_due(&record.tenant, &[], wake.saturating_sub(1))?;
    let found =
        due.found.iter().any(|due| due.execution == record.id) && (wake == 0 || next == Some(wake));
    Ok((!found).then(|| format!("it is to wake at {wake}, and would not be found then")))
}

fn is_found(
    store: &mut dyn Reader,
    account: &Account,
    record: &ItemRecord,
) -> Result<bool, StoreError> {
    let this = |found: &ItemRecord| {
        found.item.execution_id == record.item.execution_id
            && found.item.node_id == record.item.node_id
    };
    let found = match &record.state {
        ItemState::Waiting if account.record.status == Status::Running => {
            let from = record.item.not_before.max(record.enqueued_at);
            store.claimable(&record.item.tenant, &record.item.queue, from, ALL)?
        }
        ItemState::Leased(lease) => store.expired(lease.expires_at, ALL)?,
        ItemState::Waiting | ItemState::Dead { .. } => return Ok(true),
    };
    Ok(found.found.iter().any(this))
}
