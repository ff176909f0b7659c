//! The queue is what the log says is in flight: no item more, none fewer, each
//! as its decision ordered it.

use refrain::model::WorkItem;
use refrain::store::{ItemRecord, ItemState};
use sha2::{Digest, Sha256};

use super::chained::hex;
use super::{Account, Evidence, Item, Law, Place, Violation};

/// Unsettled items and dead letters are those of the log: attempt, queue,
/// times, who holds them by which claim, why they are dead; and each is, by its
/// digest, the item that its decision names.
///
/// # Errors
/// The first item that differs.
pub fn queue_is_what_the_log_says(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    evidence.accounts.iter().try_for_each(check)
}

fn check(account: &Account) -> Result<(), Violation> {
    let id = account.record.id;
    let differs = |message: String| Err(Violation::of(Law::Queue, id, message));
    if account.record.erased.is_some() {
        return match account.items.first() {
            None => Ok(()),
            Some(left) => differs(format!(
                "it is erased, and an item of node {:?} is left",
                left.item.node_id
            )),
        };
    }
    for (node, folded) in &account.fold.nodes {
        let stored = account
            .items
            .iter()
            .find(|record| record.item.node_id == *node);
        match (&folded.item, stored) {
            (None, None) => {}
            (Some(item), None) => {
                return differs(format!(
                    "the log has attempt {} of node {node:?} in the queue, and the store does not",
                    item.attempt
                ));
            }
            (None, Some(record)) => {
                return differs(format!(
                    "attempt {} of node {node:?} is in the queue, and the log has settled it",
                    record.item.attempt
                ));
            }
            (Some(item), Some(record)) => {
                if let Some(fault) = difference(account, item, record) {
                    return differs(format!("the item of node {node:?}: {fault}"));
                }
            }
        }
    }
    let unknown = account
        .items
        .iter()
        .find(|record| !account.fold.nodes.contains_key(&record.item.node_id));
    match unknown {
        Some(record) => differs(format!(
            "an item of node {:?} is in the queue, and the log never ordered it",
            record.item.node_id
        )),
        None => Ok(()),
    }
}

fn difference(account: &Account, item: &Item, record: &ItemRecord) -> Option<String> {
    let stored = &record.item;
    let said = (item.attempt, &item.queue, item.not_before, item.enqueued_at);
    let held = (
        stored.attempt,
        &stored.queue,
        stored.not_before,
        record.enqueued_at,
    );
    if said != held {
        return Some(format!(
            "the log says (attempt, queue, not before, ordered at) {said:?}, and the store {held:?}"
        ));
    }
    if stored.execution_id != account.record.id.to_string()
        || stored.tenant != account.record.tenant
    {
        return Some("it is another execution's".to_owned());
    }
    let digest = digest(stored);
    if digest != item.digest {
        return Some(format!(
            "its decision names {}, and its digest is {digest}",
            item.digest
        ));
    }
    let place = place(&record.state);
    if place != item.place {
        return Some(format!(
            "the log says {:?}, and the store {place:?}",
            item.place
        ));
    }
    (record.releases != item.releases).then(|| {
        format!(
            "by the log it was given back {} times, and by the store {}",
            item.releases, record.releases
        )
    })
}

fn place(state: &ItemState) -> Place {
    match state {
        ItemState::Waiting => Place::Waiting,
        ItemState::Leased(lease) => Place::Held {
            worker_id: lease.worker_id.clone(),
            fence: lease.fence,
        },
        ItemState::Dead { error, since } => Place::Dead {
            error: error.clone(),
            since: *since,
        },
    }
}

/// The digest of a work item, as the contract defines it at `work-item`.
fn digest(item: &WorkItem) -> String {
    let mut bytes = Vec::new();
    text(&mut bytes, &item.node_id);
    number(&mut bytes, item.attempt.into());
    number(&mut bytes, item.max_attempts.into());
    text(&mut bytes, &item.queue);
    text(&mut bytes, &item.tenant);
    number(&mut bytes, item.priority.into());
    number(&mut bytes, item.not_before);
    text(&mut bytes, &item.payload);
    hex(&Sha256::digest(&bytes))
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn number(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_le_bytes());
}
