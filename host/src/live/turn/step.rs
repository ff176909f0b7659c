//! One execution goes on, as far as its share of the turn reaches.
//!
//! An execution that is cut off is **owed a step**. What it decided so far is
//! written with the turn, and its record says that it is due at once, at its last
//! event's time ([`ExecutionRecord::is_owed_a_step`]): so the next owner of the
//! store knows it too, after a crash and in another process. It goes on with the
//! clock reading of its last event, for law 2 wants all that follows at one time
//! decided before anything of a later time; until it has, no fact may be appended
//! to it.
//!
//! [`ExecutionRecord::is_owed_a_step`]: crate::store::ExecutionRecord::is_owed_a_step

use crate::error::EngineError;
use crate::guest::{CallError, GuestFailure, Instance};
use crate::id::ExecutionId;
use crate::model::{EventKind, Outcome};
use crate::store::{StoreError, ended};

use super::budget::Share;
use super::calls::call;
use super::child_rows::{note_end, take_orders};
use super::stall::stall;
use super::tampered::leave_out_for_rows;
use super::transaction::Transaction;
use crate::live::cache::instances::Failure;
use crate::live::execution::lawful_orders::judge_cancelled;
use crate::live::execution::ports::{CallPorts, Offer, Orders};
use crate::live::execution::queue_effects::{settle, taken_of};
use crate::live::execution::staged::kind_payload_bytes;

/// How the steps of an execution came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) enum StepEnd {
    /// It decides nothing more in this turn.
    Done,
    /// It was cut off, and comes after the others.
    CutOff,
}

/// Steps this execution, as far as its share of the turn reaches.
pub(in crate::live) fn step(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
) -> Result<StepEnd, EngineError> {
    let mut share = Share::of(transaction.core.settings.turn_limits);
    loop {
        let staged = transaction.open(id)?;
        if staged.held || ended(staged.record.status) {
            return Ok(StepEnd::Done);
        }
        let before = transaction.budget.fuel();
        let (outcome, bytes) = match one_step(transaction, id, &mut Vec::new()) {
            Ok(stepped) => stepped,
            Err(failure) => return failed(transaction, id, failure),
        };
        let burnt = transaction.budget.fuel().saturating_sub(before);
        let has_left = share.spend(burnt, bytes) && !transaction.budget.is_over();
        match goes_on(transaction, id, &outcome)? {
            true if has_left => {}
            true => return cut_off(transaction, id),
            false => {
                transaction.open(id)?.has_caught_up();
                return Ok(StepEnd::Done);
            }
        }
    }
}

/// Cuts an execution off: it is owed a step, unless nothing follows for it.
pub(in crate::live) fn cut_off(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
) -> Result<StepEnd, EngineError> {
    let staged = transaction.open(id)?;
    if staged.held || ended(staged.record.status) {
        return Ok(StepEnd::Done);
    }
    // An execution that only came to be due needs no mark: it stays due.
    if staged.has_changed() || staged.owed {
        staged.owed = true;
        staged.record.next_wake = Some(staged.record.last_at);
    }
    Ok(StepEnd::CutOff)
}

/// A step failed: the execution is stalled, if that is its guest's doing.
fn failed(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    failure: Failure,
) -> Result<StepEnd, EngineError> {
    let reason = match failure {
        // It has left the turn already.
        Failure::Store(
            StoreError::Tampered { .. }
            | StoreError::NewerEvent { .. }
            | StoreError::NewerThanGuest { .. }
            | StoreError::NoCompiler { .. },
        ) => {
            return Ok(StepEnd::Done);
        }
        // An execution that is damaged does not stop the others.
        Failure::Store(error @ StoreError::Corrupt { .. }) => error.to_string(),
        Failure::Store(error) => return Err(error.into()),
        Failure::Refused(refusal) => CallError::Scheduler(refusal).to_string(),
        Failure::Broken(reason) => reason,
    };
    stall(transaction, id, &reason)?;
    Ok(StepEnd::Done)
}

/// Whether an execution is to be stepped again after this outcome. One that was
/// owed a step, and has none left at the time of its last event, has come to the
/// time of the turn; something may have come to be due since.
fn goes_on(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    outcome: &Outcome,
) -> Result<bool, EngineError> {
    if outcome.more {
        return Ok(true);
    }
    let now = transaction.now();
    let staged = transaction.open(id)?;
    let was_owed = std::mem::replace(&mut staged.owed, false);
    Ok(was_owed && outcome.next_wake.is_some_and(|wake| wake <= now))
}

/// One call of the guest: these facts in, decisions out. What it took and decided
/// is staged, with what follows from it in the queue; or nothing is, and the facts
/// are left. Says too how many bytes of payload that was.
pub(in crate::live) fn one_step(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    facts: &mut Vec<EventKind>,
) -> Result<(Outcome, usize), Failure> {
    one_step_if(transaction, id, facts, |_| true)
}

/// The same, but that nothing is staged unless the outcome is wanted. What the guest
/// knows of the execution then is not what the turn has, and must be forgotten.
pub(in crate::live) fn one_step_if(
    transaction: &mut Transaction<'_>,
    id: ExecutionId,
    facts: &mut Vec<EventKind>,
    wanted: impl Fn(&Outcome) -> bool,
) -> Result<(Outcome, usize), Failure> {
    let offer = Offer::of(facts);
    let settled = call(transaction, id, Some(offer), |guest, ports| {
        step_and_settle(guest, ports, id, facts, &wanted)
    })?;
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
struct Settled {
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
