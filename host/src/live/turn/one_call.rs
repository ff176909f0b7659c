//! One call of a guest about an execution: facts in, decisions out, all of it staged.

use crate::guest::{CallError, GuestFailure, Instance};
use crate::id::ExecutionId;
use crate::model::{EventKind, Outcome};
use crate::store::{StoreError, ended};

use super::calls::call;
use super::child_rows::{note_end, take_orders};
use super::tampered::leave_out_for_rows;
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::live::execution::lawful_orders::judge_cancelled;
use crate::live::execution::ports::{CallPorts, Offer, Orders};
use crate::live::execution::queue_effects::{settle, taken_of};
use crate::live::execution::staged::kind_payload_bytes;

/// One call of the guest: these facts in, decisions out. What it took and decided
/// is staged, with what follows from it in the queue; or nothing is, and the facts
/// are left. Nothing is staged either unless the outcome is wanted; what the guest
/// knows of the execution then is not what the turn has, and must be forgotten. Says too
/// how many bytes of payload that was.
pub(in crate::live) fn one_step_if(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    facts: &mut Vec<EventKind>,
    wanted: impl Fn(&Outcome) -> bool,
) -> Result<(Outcome, usize), Failure> {
    let settled = staged_step(transaction, id, facts, wanted)?;
    kept(transaction, id, settled)
}

/// The same, but that nobody else in the turn hears of it yet: staged anew as it was
/// before, the execution has not been stepped.
pub(super) fn staged_step(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    facts: &mut Vec<EventKind>,
    wanted: impl Fn(&Outcome) -> bool,
) -> Result<Settled, Failure> {
    let offer = Offer::of(facts);
    call(transaction, id, Some(offer), |guest, ports| {
        step_and_settle(guest, ports, id, facts, &wanted)
    })
}

/// A step that was staged is kept.
pub(super) fn kept(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    settled: Settled,
) -> Result<(Outcome, usize), Failure> {
    let Settled {
        outcome,
        bytes,
        orders_children,
    } = settled;
    transaction.budget.took(bytes);
    transaction.changed.insert(id);
    if orders_children || ended(outcome.status) {
        follow(transaction, id)?;
    }
    Ok((outcome, bytes))
}

/// What the step ordered about children, and that it ended the execution, is noted.
fn follow(transaction: &mut Transaction<'_>, id: ExecutionId) -> Result<(), Failure> {
    let noted = take_orders(transaction, id).and_then(|()| note_end(transaction, id));
    noted.map_err(|error| {
        if error.is_of_one() {
            leave_out_for_rows(transaction, id, &error);
        }
        Failure::Store(error)
    })
}

/// A step, staged.
pub(super) struct Settled {
    outcome: Outcome,
    /// How many bytes of payload it took and ordered.
    bytes: usize,
    orders_children: bool,
}

fn step_and_settle(
    guest: &mut Instance<CallPorts>,
    ports: CallPorts,
    id: ExecutionId,
    facts: &mut Vec<EventKind>,
    wanted: impl Fn(&Outcome) -> bool,
) -> (CallPorts, Result<Settled, CallError>) {
    let last = ports.staged.record.head.sequence;
    let (mut ports, answer) = guest.step(ports, id, last, facts);
    let outcome = match answer {
        Ok(outcome) => outcome,
        // That an order was refused says more than what the guest made of it.
        Err(CallError::Guest(error)) => {
            let error = match ports.orders.refused.take() {
                Some(fault) => GuestFailure::Malformed(fault),
                None => error,
            };
            return (ports, Err(error.into()));
        }
        Err(error) => return (ports, Err(error)),
    };
    let orders = std::mem::take(&mut ports.orders);
    if !wanted(&outcome) {
        let unsettled = Settled {
            outcome,
            bytes: 0,
            orders_children: false,
        };
        return (ports, Ok(unsettled));
    }
    let taken = taken_of(facts, &outcome.refused);
    match cancel_fault(&mut ports, taken, &orders) {
        Ok(None) => {}
        Ok(Some(fault)) => return (ports, Err(GuestFailure::Malformed(fault).into())),
        Err(error) => return (ports, Err(error.into())),
    }
    let bytes = orders.payload_bytes() + facts.iter().map(kind_payload_bytes).sum::<usize>();
    let answer = settle(&mut ports.staged, facts, orders, &outcome, ports.now)
        .map(|()| Settled {
            outcome,
            bytes,
            orders_children: !ports.staged.child_orders.is_empty(),
        })
        .map_err(|fault| GuestFailure::Malformed(fault).into());
    (ports, answer)
}

/// What is wrong with the children that a step cancelled, and those whose nodes it stopped.
fn cancel_fault<'a>(
    ports: &mut CallPorts,
    taken: impl Iterator<Item = &'a EventKind>,
    orders: &'a Orders,
) -> Result<Option<String>, StoreError> {
    let Some(rules) = ports.order_rules.as_deref() else {
        return Ok(None);
    };
    let (decisions, children) = (&orders.decisions, &orders.children);
    let (staged, store) = (&*ports.staged, ports.store.reader());
    judge_cancelled(taken, decisions, children, rules, staged, store)
}
