//! Law 10: an execution stays with its guest.

use refrain::model::EventKind;
use sha2::{Digest, Sha256};

use super::chained::hex;
use super::{Account, Evidence, Law, Violation};

/// The record names the guest that the log names last, the store keeps every
/// guest that a log names, byte for byte, and a snapshot names its guest, its
/// event and that event's hash.
///
/// # Errors
/// The first execution whose guest is another, or gone.
pub fn law10_guest_for_life(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    let mut kept: Vec<String> = Vec::new();
    for account in &evidence.accounts {
        let id = account.record.id;
        let broken = |message| Violation::of(Law::GuestForLife, id, message);
        let guest = account.fold.guest_digest.as_ref();
        if guest.map(String::as_str) != Some(&*account.record.guest_digest) {
            let message = format!(
                "its log leaves it with the guest {guest:?}, and its record names {}",
                account.record.guest_digest
            );
            return Err(broken(message));
        }
        snapshot_fits(account).map_err(broken)?;
        for (_, guest) in guests(account) {
            if kept.contains(&guest) {
                continue;
            }
            let bytes = evidence
                .store
                .component(&guest)
                .map_err(|error| broken(error.to_string()))?;
            if bytes.is_none_or(|bytes| hex(&Sha256::digest(bytes)) != guest) {
                return Err(broken(format!(
                    "its log names the guest {guest}, and the store does not keep it"
                )));
            }
            kept.push(guest);
        }
    }
    Ok(())
}

/// The guests of an execution, with the event from which on each has it.
pub(super) fn guests(account: &Account) -> impl DoubleEndedIterator<Item = (u64, String)> {
    account.events.iter().filter_map(|stored| {
        let guest = match &stored.event.kind {
            EventKind::WorkflowStarted(it) => &it.guest_digest,
            EventKind::GuestChanged(it) => &it.guest_digest,
            _ => return None,
        };
        Some((stored.event.sequence, guest.to_string()))
    })
}

/// Whether the snapshot is of this log, if there is one.
pub(super) fn snapshot_fits(account: &Account) -> Result<(), String> {
    let Some(snapshot) = &account.snapshot else {
        return Ok(());
    };
    let event = snapshot.sequence;
    let at = account
        .events
        .iter()
        .find(|stored| stored.event.sequence == event);
    if at.map(|stored| hex(&stored.hash)).as_ref() != Some(&snapshot.head) {
        return Err(format!(
            "its snapshot names event {event} with another hash than the log's"
        ));
    }
    let guest = guests(account).rev().find(|(from, _)| *from <= event);
    if guest.is_none_or(|(_, guest)| guest != snapshot.guest_digest) {
        return Err(format!(
            "its snapshot of event {event} names another guest than the log"
        ));
    }
    Ok(())
}
