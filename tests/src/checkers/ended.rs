//! Law 6: ended is ended.

use refrain::names;
use refrain::store::ended;

use super::{Account, Evidence, Law, Violation};

/// At most one terminal event, nothing after it, nothing in flight then, and
/// the record says so.
///
/// # Errors
/// The first event after an end.
pub fn law6_ended_is_ended(evidence: &mut Evidence<'_>) -> Result<(), Violation> {
    evidence.accounts.iter().try_for_each(check)
}

fn check(account: &Account) -> Result<(), Violation> {
    let id = account.record.id;
    let end = account
        .log()
        .find(|event| event.kind.is_terminal())
        .map(|event| event.sequence);
    let Some(end) = end else {
        if ended(account.record.status) {
            let message = format!(
                "its record says that it is {}, and its log holds no end",
                names::status(account.record.status)
            );
            return Err(Violation::of(Law::EndedIsEnded, id, message));
        }
        return Ok(());
    };
    if let Some(after) = account.log().find(|event| event.sequence > end) {
        let what = if after.kind.is_terminal() {
            "a second end"
        } else {
            "an event"
        };
        let message = format!("{what} comes after event {end}, which ended the execution");
        return Err(Violation::at(
            Law::EndedIsEnded,
            id,
            after.sequence,
            message,
        ));
    }
    if !ended(account.record.status) {
        let message = format!(
            "its log ended with event {end}, and its record says that it is {}",
            names::status(account.record.status)
        );
        return Err(Violation::of(Law::EndedIsEnded, id, message));
    }
    let unsettled = account
        .fold
        .nodes
        .iter()
        .find(|(_, node)| node.item.as_ref().is_some_and(|item| item.is_unsettled()));
    if let Some((node, _)) = unsettled {
        let message = format!("it ended while a work item of node {node:?} was in flight");
        return Err(Violation::at(Law::EndedIsEnded, id, end, message));
    }
    Ok(())
}
