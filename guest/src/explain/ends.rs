//! How a node came to its end, and how finalizers come to theirs.

use alloc::vec::Vec;

use super::edges::dead_edges;
use super::reason::{because, no_room, retry_or_skip, with};
use super::seen::Seen;
use super::undo::{activity, before_finalizers};
use crate::contract::{
    AttemptFailure, CancelReason, Completion, NextStep, Reason, ReasonCause, SkipReason,
};
use crate::guards::{
    has_room, is_compensating, is_held, is_of_settled_map, is_time_for_finalizers, runs_now,
};
use crate::instance::RunIx;
use crate::machine::Machine;
use crate::state::Dismissal;
use crate::workflow::plan::NodeIx;

/// Why a finalizer that is pending, or is to be retried, does not run yet
/// (rule R16).
pub(super) fn why_finalizer(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    if !is_time_for_finalizers(machine) {
        return match is_compensating(machine) {
            true => before_finalizers(machine),
            false => [because(ReasonCause::NotAtTheEnd(activity(machine)))].into(),
        };
    }
    let unsettled = machine.record(ix).unsettled;
    if unsettled > 0 {
        return [because(ReasonCause::EarlierFinalizers(unsettled))].into();
    }
    if is_held(machine) || machine.state.ended.is_some() {
        return Vec::new();
    }
    // They go in order: one that has no room holds back those after it.
    let due = machine.agenda.finalizers.iter();
    let mut due = due.take_while(|due| *due <= ix);
    if !has_room(machine) && due.any(|due| runs_now(machine, due)) {
        return [no_room(machine)].into();
    }
    let next = |step| because(ReasonCause::NextStep(step));
    if runs_now(machine, ix) {
        return [next(NextStep::Dispatch)].into();
    }
    [because(ReasonCause::OtherEnding), next(NextStep::Skip)].into()
}

pub(super) fn why_completed(machine: &Machine, run: RunIx) -> Vec<Reason> {
    let record = machine.record(run);
    let completion = Completion {
        at: record.ended_at.unwrap_or_default().0,
        worker_id: record.worker_id.clone(),
        attempt: record.attempt,
        chosen_target: record.chosen_target.clone(),
    };
    [because(ReasonCause::WasCompleted(completion))].into()
}

pub(super) fn why_failed(machine: &Machine, run: RunIx) -> Vec<Reason> {
    let failure = ReasonCause::FailedForGood(attempt_failure(machine, run));
    [with(failure, retry_or_skip(machine, run))].into()
}

pub(super) fn attempt_failure(machine: &Machine, run: RunIx) -> AttemptFailure {
    let record = machine.record(run);
    let failure = record.failure.as_ref();
    AttemptFailure {
        attempt: record.attempt,
        max_attempts: record.max_attempts,
        cause: failure.map(|failure| failure.cause.clone()),
        error_class: failure.and_then(|failure| failure.class.clone()),
    }
}

pub(super) fn why_dismissed(machine: &Machine, run: RunIx, seen: &Seen) -> Vec<Reason> {
    let cause = match machine.record(run).dismissal {
        Some(Dismissal::Skipped(SkipReason::Unreached)) => {
            return dead_edges(machine, run.node, seen);
        }
        Some(Dismissal::Skipped(SkipReason::RunOn)) => ReasonCause::OtherEnding,
        Some(Dismissal::Skipped(SkipReason::NotNeeded)) => ReasonCause::NotNeeded,
        Some(
            Dismissal::Skipped(SkipReason::ByOperator)
            | Dismissal::Cancelled(CancelReason::ByOperator),
        ) => ReasonCause::SkippedByOperator,
        Some(Dismissal::Cancelled(reason)) => ReasonCause::WasStopped(reason),
        None if is_of_settled_map(machine, run) => {
            ReasonCause::WasStopped(CancelReason::MapSettled)
        }
        None => return Vec::new(),
    };
    [because(cause)].into()
}
