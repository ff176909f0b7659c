//! State and time become the next decision.
//!
//! The parent branches here, and the leaves compute. Nothing here changes
//! anything, and the order of the questions is the order of rule R17: what
//! operators ask, what is stopped, timeout, budgets, failure, what can go on, the end.
//!
//! It is done in two steps. `next` finds what comes next, copies nothing and
//! hashes nothing, so that it can be asked after every event. Only what is
//! really decided is then put into words, with all its payload.
//!
//! Deciding must be drained: decide, apply, and again until there is nothing
//! left. [`drain`] is that loop, and the one place here that has a machine
//! changed, by [`apply`](crate::apply::apply()) like everyone else.
//!
//! From the bottom up; each may use those above it in this list.

mod next;
mod decision;
mod stop;
mod dispatch;
mod child;
mod retry;
mod words;
mod map;
mod settle;
mod timer;
mod ending;

pub use decision::{Batch, Decision};
pub(crate) use next::Next;
pub(crate) use retry::judge_failure;

use crate::apply::apply;
use crate::contract::{EventKind, IllegalEvent, SkipReason, WorkOrder};
use crate::guards::{
    budget_to_stall_on, dispatch_per_tick, first_dispatch, is_ending, is_held, may_decide,
};
use crate::limits::{BATCH_BYTES_MAX, BATCH_DECISIONS_MAX, READ_BYTES_MAX};
use crate::machine::Machine;
use crate::time::Timestamp;
use decision::decision;
use dispatch::may_dispatch;

/// Decide and apply until there is nothing left to decide at `now`, until as
/// many work items are ordered as one step may (rule R4), until the batch
/// is as large as a host should have to take at once, or until expressions have
/// read much for it.
///
/// # Errors
/// A decision was refused: a fault of the machine itself. It must be dropped.
pub fn drain(machine: &mut Machine, now: Timestamp) -> Result<Batch, IllegalEvent> {
    let mut batch = Batch::default();
    let mut budget = dispatch_per_tick(machine);
    let (mut bytes, mut read) = (0, 0);
    // What the facts had judged is no part of the batch.
    machine.reads.take_total();
    while bytes < BATCH_BYTES_MAX
        && batch.events.len() < BATCH_DECISIONS_MAX
        && read < READ_BYTES_MAX
        && let Some(decision) = decide(machine, now, budget)
    {
        apply(machine, &decision.event)?;
        bytes += decision.bytes();
        read += machine.reads.take_total();
        let is_new =
            |order: &WorkOrder| matches!(order, WorkOrder::Enqueue(_) | WorkOrder::StartChild(_));
        if decision.order.as_ref().is_some_and(is_new) {
            budget -= 1;
        }
        batch.events.push(decision.event);
        batch.orders.extend(decision.order);
    }
    let is_full = bytes >= BATCH_BYTES_MAX
        || batch.events.len() >= BATCH_DECISIONS_MAX
        || read >= READ_BYTES_MAX;
    let cut = budget == 0 || is_full;
    batch.more = cut && is_due(machine, now);
    Ok(batch)
}

/// Whether a step at `now` would decide anything. Cheap: nothing is put into
/// words.
#[must_use]
pub fn is_due(machine: &Machine, now: Timestamp) -> bool {
    next(machine, now, dispatch_per_tick(machine)).is_some()
}

/// The decision that comes next at `now`, if one does. `budget` is how
/// many work items this step may still order (rule R4).
#[must_use = "deciding changes nothing: apply the decision"]
pub fn decide(machine: &Machine, now: Timestamp, budget: u32) -> Option<Decision> {
    next(machine, now, budget).map(|next| formulate(machine, now, next))
}

/// What [`decide`] decides next, if it decides anything.
fn next(machine: &Machine, now: Timestamp, budget: u32) -> Option<Next> {
    if !may_decide(machine) {
        return None;
    }
    stop::skip_asked_for(machine)
        .or_else(|| stop::stop(machine))
        .or_else(|| stop::unneeded(machine))
        .or_else(|| timer::overdue(machine, now, budget))
        .or_else(|| budget_to_stall_on(machine).map(|_| Next::StallOnBudget))
        .or_else(|| retry::after_failure(machine, budget))
        .or_else(|| go_on(machine, budget))
        .or_else(|| ending::finish(machine, budget))
}

fn formulate(machine: &Machine, now: Timestamp, next: Next) -> Decision {
    match next {
        Next::Skip(run) => stop::skip(machine, now, run),
        Next::Stop(run, reason) => stop::cancellation(machine, now, run, reason),
        Next::Dismiss(ix) => stop::dismissal(machine, now, ix),
        Next::StallOnBudget => retry::stall_on_budget(machine, now),
        Next::WorkflowTimesOut => decision(machine, now, EventKind::WorkflowTimedOut, None),
        Next::Overdue(run) => timer::overdue_node(machine, now, run),
        Next::Retry(run) => retry::retry(machine, now, run),
        Next::StallOn(run) => retry::stall_on(machine, now, run),
        Next::Exhaust(run) => retry::exhaust(machine, now, run),
        Next::Settle(ix) => settle::settle(machine, now, ix),
        Next::Dispatch(run) => dispatch::dispatch(machine, now, run),
        Next::Request(run) => child::request(machine, now, run),
        Next::PassOver(ix) => stop::skipping(machine, now, ix.into(), SkipReason::RunOn),
        Next::End(ending) => decision(machine, now, ending::terminal(machine, ending), None),
    }
}

/// The first node, in the order of rule R2, that can go on.
fn go_on(machine: &Machine, budget: u32) -> Option<Next> {
    if is_ending(machine) {
        return None;
    }
    let settle = machine.agenda.settle.first();
    let dispatch = machine.agenda.dispatch.first();
    let dispatch = dispatch.filter(|_| may_dispatch(machine, budget));
    let request = machine.agenda.requests.first();
    let request = request.filter(|_| budget > 0 && !is_held(machine));
    let first = settle.into_iter().chain(dispatch).chain(request).min()?;
    Some(match first {
        _ if settle == Some(first) => Next::Settle(first),
        _ if dispatch == Some(first) => Next::Dispatch(first_dispatch(machine, first)),
        _ => Next::Request(first_dispatch(machine, first)),
    })
}
