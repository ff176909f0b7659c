//! Law 11: a fork has the first events of its log in common with its origin.

use refrain::log::StoredEvent;

use super::{Account, Evidence, Law, Violation};

/// Each fork names an event of its origin, and has all events up to that in common with
/// it, salts included, but for event 1. Then it goes its own way.
///
/// # Errors
/// The first event that is another one.
pub fn law11_linked(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    for account in &evidence.accounts {
        let Some(origin) = account.origin() else {
            continue;
        };
        let named = origin.execution_id.parse().ok();
        let Some(other) = named.and_then(|id| evidence.account(id)) else {
            let message = format!(
                "it was forked from {}, which is not there",
                origin.execution_id
            );
            return Err(Violation::of(Law::Linked, account.record.id, message));
        };
        agree(account, other)?;
    }
    Ok(())
}

fn agree(fork: &Account, origin: &Account) -> Result<(), Violation> {
    let common = fork.common();
    let broken = |sequence, message: &str| {
        Err(Violation::at(
            Law::Linked,
            fork.record.id,
            sequence,
            message,
        ))
    };
    let Some(named) = fork.origin() else {
        return Ok(());
    };
    let at = |account: &Account, sequence: u64| -> Option<StoredEvent> {
        let mut events = account.events.iter();
        events.find(|it| it.event.sequence == sequence).cloned()
    };
    if at(origin, common).is_none_or(|last| last.hash != named.head.0) {
        return broken(1, "it names another event of its origin");
    }
    for sequence in 2..=common {
        let of = |account| at(account, sequence).map(|it| (it.event, it.salt));
        if of(fork) != of(origin) {
            return broken(sequence, "it is not the one of the origin");
        }
    }
    match at(fork, common + 1) {
        Some(_) => Ok(()),
        None => broken(common + 1, "it does not go its own way"),
    }
}
