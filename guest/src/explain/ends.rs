//! How a node came to its end, and how finalizers come to theirs, in sentences.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::say;
use crate::contract::{CancelReason, Reason, ReasonTopic, SkipReason};
use crate::machine::Machine;
use crate::state::Dismissal;
use crate::workflow::plan::NodeIx;

impl Machine {
    /// Why a finalizer that is pending, or is to be retried, does not run yet
    /// (rule R16).
    pub(super) fn why_finalizer(&self, ix: NodeIx) -> Vec<Reason> {
        let (id, unsettled) = (&self.node(ix).id, self.record(ix).unsettled);
        if !self.is_time_for_finalizers() {
            let sentence = format!(
                "finalizer `{id}` runs when the execution ends; {} node(s) are under way, and {} can go on",
                self.agenda.active.len(),
                self.agenda.settle.len() + self.agenda.dispatch.len()
            );
            return [say(ReasonTopic::UnmetPredecessor, sentence)].into();
        }
        if unsettled > 0 {
            let sentence = format!(
                "finalizer `{id}` comes after {unsettled} other finalizer(s) that have not ended"
            );
            return [say(ReasonTopic::UnmetPredecessor, sentence)].into();
        }
        if self.is_held() || self.state.ended.is_some() {
            return Vec::new();
        }
        // They go in order: one that has no room holds back those after it.
        let mut due = self.agenda.finalizers.range(..=ix);
        if self.agenda.in_flight >= self.max_concurrent() && due.any(|due| self.runs_now(*due)) {
            return [self.no_room(ix)].into();
        }
        let sentence = if self.runs_now(ix) {
            format!("finalizer `{id}` is dispatched at the next tick")
        } else {
            format!("finalizer `{id}` does not run on this ending; it is skipped at the next tick")
        };
        [say(ReasonTopic::Progress, sentence)].into()
    }

    pub(super) fn why_completed(&self, ix: NodeIx) -> Vec<Reason> {
        let (id, record) = (&self.node(ix).id, self.record(ix));
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

    pub(super) fn why_failed(&self, ix: NodeIx) -> Vec<Reason> {
        let (id, record) = (&self.node(ix).id, self.record(ix));
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

    pub(super) fn why_dismissed(&self, ix: NodeIx) -> Vec<Reason> {
        let id = &self.node(ix).id;
        match self.record(ix).dismissal {
            Some(Dismissal::Skipped(SkipReason::Unreached)) => self.dead_edges(ix),
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
            None => Vec::new(),
        }
    }
}
