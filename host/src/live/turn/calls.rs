//! Calls of guests about executions that are in the turn.

use crate::guest::{CallError, Instance};
use crate::id::ExecutionId;

use super::guest_call::{GuestCall, call_guest};
use super::tampered;
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::live::execution::ports::{CallPorts, Offer};

/// Calls the guest of an execution that is in the turn.
pub(in crate::live) fn call<T>(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    offer: Option<Offer>,
    call: impl FnMut(&mut Instance<CallPorts>, CallPorts) -> (CallPorts, Result<T, CallError>),
) -> Result<T, Failure> {
    let Some(staged) = transaction.staged.remove(&id) else {
        return Err(Failure::Broken(format!(
            "execution {id} is not in the turn"
        )));
    };
    let record = &staged.record;
    let mut registered = transaction.besides.workflows.iter();
    let workflow = registered.find(|workflow| {
        workflow.workflow_id == record.workflow_id && workflow.version == record.workflow_version
    });
    let facts = offer.as_ref().map_or(0, Offer::facts);
    let about = GuestCall {
        now: staged.reading(transaction.time.at),
        workflow_text: workflow.map(|workflow| workflow.text.clone()),
        staged,
        offer,
    };
    let (staged, answer) = call_guest(transaction.core, about, call);
    transaction.staged.insert(id, staged);
    let burnt = count(transaction);
    transaction.core.costly.called(id, burnt, facts);
    if let Err(Failure::Store(error)) = &answer {
        tampered::leave_out(transaction, id, error);
    }
    answer
}

/// Counts the fuel of a call that was just made, and says how much it was.
pub(in crate::live) fn count(transaction: &mut Transaction<'_>) -> u64 {
    let burnt = transaction.core.guests.take_burnt();
    let time = &transaction.core.time;
    transaction.budget.burnt(burnt, || time.monotonic());
    burnt
}
