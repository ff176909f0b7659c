//! What follows a failed attempt (rules R11, R12 and R13).

use super::child::request;
use super::decision::{Decision, decision};
use super::dispatch::order_retry;
use super::next::Next;
use crate::backoff::{delay, is_retried};
use crate::contract::{EventKind, NodeExhausted, NodeState, StallReason, Stalled};
use crate::guards::{budget_to_stall_on, failing_runs, is_held, is_of_settled_map};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::state::Failure;
use crate::time::Timestamp;

/// The first failing node, in the order of rule R2, about which something
/// can be decided now. Few nodes are failing at a time: no more than were
/// in flight.
pub(super) fn after_failure(machine: &Machine, budget: u32) -> Option<Next> {
    let failing = machine.agenda.failing.iter();
    let failing = failing.flat_map(|ix| failing_runs(machine, ix));
    // It has failed, or there is nothing to judge.
    let undo = machine.agenda.undos.active.map(RunIx::undo);
    let undo = undo.filter(|run| machine.record(*run).state == NodeState::Failing);
    failing
        .chain(undo)
        .find_map(|run| judge_failure(machine, budget, run))
}

/// What follows the failure of a node, if that can be decided now.
pub(crate) fn judge_failure(machine: &Machine, budget: u32, run: RunIx) -> Option<Next> {
    let (policy, record) = (&machine.node(run).retry, machine.record(run));
    let failure = record.failure.as_ref()?;
    if is_of_settled_map(machine, run) {
        return Some(Next::Exhaust(run));
    }
    if is_retried(machine, run, failure) {
        // The delay of a child's next attempt is a deadline.
        if record.deadline.is_some() {
            return None;
        }
        return (budget > 0 && !is_held(machine)).then_some(Next::Retry(run));
    }
    if policy.pause_when_exhausted && !run.is_undo() {
        return machine
            .state
            .policy_stall
            .is_none()
            .then_some(Next::StallOn(run));
    }
    Some(Next::Exhaust(run))
}

pub(super) fn retry(machine: &Machine, now: Timestamp, run: RunIx) -> Decision {
    match machine.subgraph(run) {
        Some(_) => request(machine, now, run),
        None => order_retry(
            machine,
            now,
            run,
            delay(machine, run, failure(machine, run)),
        ),
    }
}

pub(super) fn exhaust(machine: &Machine, now: Timestamp, run: RunIx) -> Decision {
    let exhausted = EventKind::NodeExhausted(exhausted(machine, run));
    decision(machine, now, exhausted, None)
}

pub(super) fn stall_on(machine: &Machine, now: Timestamp, run: RunIx) -> Decision {
    let reason = StallReason::AttemptsExhausted(exhausted(machine, run));
    decision(machine, now, EventKind::Stalled(Stalled { reason }), None)
}

/// Rule R28.
pub(super) fn stall_on_budget(machine: &Machine, now: Timestamp) -> Decision {
    let excess = budget_to_stall_on(machine).expect("a budget was found to be exceeded");
    let reason = StallReason::BudgetExceeded(excess);
    decision(machine, now, EventKind::Stalled(Stalled { reason }), None)
}

/// The node's attempts are spent, or no further one helps.
fn exhausted(machine: &Machine, run: RunIx) -> NodeExhausted {
    NodeExhausted {
        node_id: machine.node_id(run),
        attempts: machine.record(run).attempt,
        cause: failure(machine, run).cause.clone(),
    }
}

fn failure(machine: &Machine, run: RunIx) -> &Failure {
    let failure = machine.record(run).failure.as_deref();
    failure.expect("only a failed attempt is judged")
}
