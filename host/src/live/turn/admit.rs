//! A fact is taken into a log, if the guest lets it stand there.

use crate::error::EngineError;
use crate::guest::{CallError, GuestFailure, Instance};
use crate::id::ExecutionId;
use crate::model::{Event, EventKind, Origin, Outcome};

use super::calls::call;
use super::stall::refused;
use super::transaction::Transaction;
use crate::live::execution::ports::TurnPorts;
use crate::live::execution::queue_effects::outcome_fault;
use crate::live::execution::staged::{Staged, payload_bytes};

/// Takes a fact, if the guest lets it stand next in the log. Where the guest says
/// that nothing follows from it, a tick is spared.
pub(in crate::live) fn admit(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    kind: EventKind,
) -> Result<u64, EngineError> {
    let fact = transaction.next_event(id, Origin::Fact, kind)?;
    let admitted = call(transaction, id, false, |guest, ports| {
        admit_and_check(guest, ports, id, &fact)
    });
    let outcome = match admitted {
        Ok(outcome) => outcome,
        Err(failure) => return Err(refused(transaction, id, failure)),
    };
    let sequence = fact.sequence;
    transaction.budget.took(payload_bytes(&fact));
    transaction.append(id, fact)?;
    let staged = transaction.open(id)?;
    if !staged.held {
        staged.record.status = outcome.status;
        staged.record.next_wake = outcome.next_wake;
    }
    transaction.budget.took_fact();
    // A wake that has passed is due now.
    let now = transaction.now();
    if outcome.more || outcome.next_wake.is_some_and(|wake| wake <= now) {
        transaction.to_step.insert(id);
    }
    Ok(sequence)
}

/// Begins an execution: with its event 1, if the guest takes it.
pub(in crate::live) fn begin(
    transaction: &mut Transaction<'_>,
    staged: Staged,
    kind: EventKind,
) -> Result<(), EngineError> {
    let id = staged.record.id;
    transaction.staged.insert(id, Box::new(staged));
    let admitted = admit(transaction, id, kind);
    if admitted.is_err() {
        transaction.staged.remove(&id);
        transaction.to_step.remove(&id);
    }
    admitted.map(drop)
}

/// Admits a fact, and checks that the outcome is one that can be.
fn admit_and_check(
    guest: &mut Instance<TurnPorts>,
    ports: TurnPorts,
    id: ExecutionId,
    fact: &Event,
) -> (TurnPorts, Result<Outcome, CallError>) {
    let (ports, answer) = guest.admit(ports, id, fact);
    let answer = answer.and_then(|outcome| {
        let fault = outcome_fault(
            &ports.staged,
            std::slice::from_ref(fact),
            &outcome,
            ports.now,
        );
        match fault {
            Some(fault) => Err(CallError::Guest(GuestFailure::Malformed(fault))),
            None => Ok(outcome),
        }
    });
    (ports, answer)
}
