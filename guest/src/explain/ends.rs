//! How a node came to its end, and how finalizers come to theirs, in sentences.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::edges::dead_edges;
use super::reason::{no_room, say};
use crate::contract::{CancelReason, Reason, ReasonTopic, SkipReason};
use crate::guards::{has_room, is_held, is_time_for_finalizers, runs_now};
use crate::machine::Machine;
use crate::state::Dismissal;
use crate::workflow::plan::NodeIx;

/// Why a finalizer that is pending, or is to be retried, does not run yet
/// (rule R16).
pub(super) fn why_finalizer(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let (id, unsettled) = (&machine.node(ix).id, machine.record(ix).unsettled);
    if !is_time_for_finalizers(machine) {
        let sentence = format!(
            "finalizer `{id}` runs when the execution ends; {} node(s) are under way, and {} can go on",
            machine.agenda.active.len(),
            machine.agenda.settle.len() + machine.agenda.dispatch.len()
        );
        return [say(ReasonTopic::UnmetPredecessor, sentence)].into();
    }
    if unsettled > 0 {
        let sentence = format!(
            "finalizer `{id}` comes after {unsettled} other finalizer(s) that have not ended"
        );
        return [say(ReasonTopic::UnmetPredecessor, sentence)].into();
    }
    if is_held(machine) || machine.state.ended.is_some() {
        return Vec::new();
    }
    // They go in order: one that has no room holds back those after it.
    let mut due = machine.agenda.finalizers.range(..=ix);
    if !has_room(machine) && due.any(|due| runs_now(machine, *due)) {
        return [no_room(machine, ix)].into();
    }
    let sentence = if runs_now(machine, ix) {
        format!("finalizer `{id}` is dispatched at the next step")
    } else {
        format!("finalizer `{id}` does not run on this ending; it is skipped at the next step")
    };
    [say(ReasonTopic::Progress, sentence)].into()
}

pub(super) fn why_completed(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let (id, record) = (&machine.node(ix).id, machine.record(ix));
    let by = match &record.worker_id {
        Some(worker) => format!("worker `{worker}` at attempt {}", record.attempt),
        None => "the scheduler itself".to_string(),
    };
    let ended_at = record.ended_at.unwrap_or_default();
    let chosen = record
        .chosen_target
        .as_ref()
        .map_or(String::new(), |target| {
            format!(", with `{target}` as the chosen target")
        });
    [say(
        ReasonTopic::Progress,
        format!(
            "node `{id}` was completed by {by} at {} ms{chosen}",
            ended_at.0
        ),
    )]
    .into()
}

pub(super) fn why_failed(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let (id, record) = (&machine.node(ix).id, machine.record(ix));
    let error = record
        .failure
        .as_ref()
        .map_or("no error given", |failure| failure.error.as_str());
    let sentence = match record.attempt {
        0 => format!("node `{id}` failed for good: {error}"),
        attempts => format!(
            "node `{id}` failed for good after {attempts} of {} attempts: {error}",
            record.max_attempts
        ),
    };
    [say(ReasonTopic::Attempts, sentence)].into()
}

pub(super) fn why_dismissed(machine: &Machine, ix: NodeIx) -> Vec<Reason> {
    let id = &machine.node(ix).id;
    match machine.record(ix).dismissal {
        Some(Dismissal::Skipped(SkipReason::Unreached)) => dead_edges(machine, ix),
        Some(Dismissal::Skipped(SkipReason::RunOn)) => [say(
            ReasonTopic::Execution,
            format!("finalizer `{id}` does not run on the ending that the execution came to"),
        )]
        .into(),
        Some(
            Dismissal::Skipped(SkipReason::ByOperator)
            | Dismissal::Cancelled(CancelReason::ByOperator),
        ) => [say(
            ReasonTopic::Operator,
            format!("an operator asked for node `{id}` to be skipped; it counts as completed"),
        )]
        .into(),
        Some(Dismissal::Cancelled(CancelReason::CancelRequested)) => [say(
            ReasonTopic::Execution,
            format!("node `{id}` was stopped because the execution is cancelled"),
        )]
        .into(),
        Some(Dismissal::Cancelled(CancelReason::WorkflowTimedOut)) => [say(
            ReasonTopic::Execution,
            format!("node `{id}` was stopped because the workflow's time ran out"),
        )]
        .into(),
        // Nothing brings these about yet.
        Some(
            Dismissal::Skipped(SkipReason::NotNeeded)
            | Dismissal::Cancelled(
                CancelReason::JoinSatisfied
                | CancelReason::MapSettled
                | CancelReason::Terminated
                | CancelReason::BudgetExceeded,
            ),
        )
        | None => Vec::new(),
    }
}
