//! An execution is handed to another guest (law 10): from the fact `guest_changed` on,
//! that one decides.
//!
//! The new guest is offered the fact, and so it reads the whole log before. The former
//! one is not asked: it may be the one that fails. Where the new guest does not take
//! the log or the fact, or fails, nothing is changed, and the former one goes on.

use std::sync::Arc;

use crate::error::EngineError;
use crate::id::ExecutionId;
use crate::model::{Digest, EventKind, GuestChanged, Outcome, RefusalCode};
use crate::names;
use crate::store::{Head, ended};

use super::components::component_to_keep;
use super::guest_call::engine_error;
use super::one_call::one_step_if;
use super::open_turn::OpenTurn;
use super::transaction::Transaction;
use crate::live::values::work::Receipt;

/// What an execution is handed to.
#[derive(Clone, Debug)]
pub(in crate::live) struct Upgrade {
    /// The digest of the new guest.
    pub(in crate::live) guest: Digest,
    /// Who hands it over.
    pub(in crate::live) by: Option<String>,
    /// The head that the log must have. `None` if any will do.
    pub(in crate::live) head: Option<Head>,
}

/// Hands an execution to another guest, unless it belongs to that one already.
pub(in crate::live) fn upgrade(
    turn: &mut OpenTurn<'_>,
    id: ExecutionId,
    upgrade: &Upgrade,
) -> Result<Receipt, EngineError> {
    turn.must_not_wait(id)?;
    let transaction = &mut turn.transaction;
    let record = &transaction.open(id)?.record;
    if ended(record.status) {
        let status = names::status(record.status);
        return Err(EngineError::Refused {
            execution: id,
            code: RefusalCode::Ended,
            reason: format!("it is {status}, and nothing follows on an end"),
        });
    }
    if upgrade.guest == *record.guest_digest {
        return Ok(Receipt::AlreadyRecorded);
    }
    if let Some(head) = upgrade.head.filter(|head| *head != record.head) {
        return Err(EngineError::HeadMoved {
            execution: id,
            expected: head.sequence,
            found: record.head.sequence,
        });
    }
    let guest = upgrade.guest.to_string();
    let component = component_to_keep(transaction, &guest)?;
    hand_over(transaction, id, upgrade)?;
    transaction.besides.components.extend(component);
    tracing::info!(refrain.execution = %id, refrain.guest = %guest, "handed to another guest");
    Ok(Receipt::Recorded)
}

/// Offers the fact to the new guest, and hands the execution back if it is not taken.
fn hand_over(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    upgrade: &Upgrade,
) -> Result<(), EngineError> {
    let guest: Arc<str> = upgrade.guest.to_string().into();
    let former = leave(transaction, id, Arc::clone(&guest));
    let fact = EventKind::GuestChanged(GuestChanged {
        guest_digest: upgrade.guest,
        by: upgrade.by.clone(),
    });
    let takes_it = |outcome: &Outcome| outcome.refused.is_empty();
    let error = match one_step_if(transaction, id, &mut vec![fact], takes_it) {
        Ok((outcome, _)) => match outcome.refused.into_iter().next() {
            None => {
                transaction.budget.took_fact();
                if outcome.more {
                    transaction.to_step.insert(id);
                }
                return Ok(());
            }
            Some(refusal) => EngineError::Refused {
                execution: id,
                code: refusal.code,
                reason: refusal.message,
            },
        },
        Err(failure) => engine_error(failure, id, &guest),
    };
    leave(transaction, id, former.unwrap_or(guest));
    Err(error)
}

/// The execution leaves its guest for this one. Answers the guest that it leaves;
/// `None` if the execution has left the turn.
fn leave(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    for_guest: Arc<str>,
) -> Option<Arc<str>> {
    let staged = transaction.staged.get_mut(&id)?;
    let former = staged.hand_to(for_guest);
    transaction.core.guests.leave(&former, id);
    Some(former)
}
