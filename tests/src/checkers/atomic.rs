//! Law 3: a fact and all that follows from it are one commit.

use refrain::guest::Library;
use refrain::model::{EventKind, Status};
use refrain::names;
use refrain::replay::fetch_guest;
use refrain::store::{Reader, ended};

use crate::memory_ports::MemoryPorts;

use super::{Account, Evidence, Law, Violation, in_words};

/// At any moment between two turns nothing is left undone: a fresh instance of
/// the execution's guest, given its log and the time of its last event, has
/// nothing to add, and comes to the status and the next wake that are recorded.
/// Of one that is recorded as owed a step it has something to add, unless the host has
/// just lifted its stall.
///
/// # Errors
/// The first execution that would go on by itself.
pub fn law3_atomic(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        // What a failing guest left undone, the stall says (law 9).
        if ended(account.fold.status) || account.fold.stalled_by_host {
            continue;
        }
        let undone = |(law, message)| Violation::of(law, account.record.id, message);
        is_done(evidence.store, evidence.library, account).map_err(undone)?;
    }
    Ok(())
}

fn is_just_lifted(account: &Account) -> bool {
    let last = account.events.last().map(|stored| &stored.event.kind);
    matches!(last, Some(EventKind::StallLifted(_)))
}

/// A log that its guest cannot take is a matter of law 2.
fn is_done(
    store: &mut dyn Reader,
    library: &mut Library,
    account: &Account,
) -> Result<(), (Law, String)> {
    let guest = account.fold.guest_digest.as_deref().unwrap_or_default();
    let gone = |error: &dyn std::error::Error| (Law::GuestForLife, error.to_string());
    fetch_guest(library, store, guest).map_err(|error| gone(&error))?;
    let mut instance = library.instance(guest).map_err(|error| gone(&error))?;
    let last = account.events.len() as u64;
    let (ports, answer) = instance.step(ports(account), account.record.id, last, &[]);
    let left = ports.call.decisions().first();
    let undone = |message| Err((Law::Atomic, message));
    if account.record.is_owed_a_step() {
        return match left {
            Some(_) => Ok(()),
            // A host lifts its stall without asking the guest, and when its turn ends
            // there, nobody knows yet whether anything follows.
            None if is_just_lifted(account) => match account.record.status {
                Status::Running => Ok(()),
                status => undone(format!(
                    "its stall is lifted, and it is recorded as {status:?}"
                )),
            },
            None => undone("it is recorded as owed a step, and has nothing to decide".to_owned()),
        };
    }
    if let Some(left) = left {
        return undone(format!(
            "at {} it still has to decide {}",
            left.at,
            in_words(&left.kind)
        ));
    }
    let outcome = answer.map_err(|error| {
        let message = format!("its guest cannot go on from its log: {error}");
        (Law::Derived, message)
    })?;
    let record = &account.record;
    let said = (
        outcome.last_sequence,
        names::status(outcome.status),
        outcome.next_wake,
    );
    let held = (
        record.head.sequence,
        names::status(record.status),
        record.next_wake,
    );
    if said != held {
        return undone(format!(
            "its guest comes to (last event, status, next wake) {said:?}, and recorded is {held:?}"
        ));
    }
    Ok(())
}

/// The execution's world at the time of its last event.
pub(super) fn ports(account: &Account) -> MemoryPorts {
    let text = account
        .workflow
        .as_ref()
        .map(|workflow| workflow.text.clone());
    MemoryPorts {
        workflow: text.unwrap_or_default(),
        events: account.log().cloned().collect(),
        items: account
            .items
            .iter()
            .map(|record| record.item.clone())
            .collect(),
        snapshot: None,
        now: account.log().last().map_or(0, |event| event.at),
        ..MemoryPorts::default()
    }
}
