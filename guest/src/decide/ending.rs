//! How an execution ends: what it heads for, its finalizers, the terminal
//! event (rules R16, R17 and R18).

use alloc::format;
use alloc::vec::Vec;

use super::Next;
use crate::contract::{
    CancelReason, EventKind, WorkflowCancelled, WorkflowCompleted, WorkflowFailed,
};
use crate::machine::Machine;
use crate::state::Ending;
use crate::workflow::plan::{Kind, NodeIx, RunOn};

impl Machine {
    /// What the execution heads for, once something asks for its end or
    /// nothing else is left. The gravest wins.
    pub(crate) fn ending(&self) -> Option<Ending> {
        if self.state.cancel.is_some() {
            return Some(Ending::Cancelled);
        }
        if self.state.timed_out {
            return Some(Ending::TimedOut);
        }
        self.state
            .finalizing
            .or_else(|| self.is_quiet().then(|| self.verdict()))
    }

    /// Whether ordinary nodes go on no more.
    pub(crate) fn is_ending(&self) -> bool {
        self.state.cancel.is_some() || self.state.timed_out || self.state.finalizing.is_some()
    }

    /// Nothing is under way, and nothing can become ready.
    fn is_quiet(&self) -> bool {
        self.agenda.active.is_empty()
            && self.agenda.settle.is_empty()
            && self.agenda.dispatch.is_empty()
    }

    fn verdict(&self) -> Ending {
        if self.agenda.failed.is_empty() {
            Ending::Completed
        } else {
            Ending::Failed
        }
    }

    /// Why what is under way is being stopped, if it is.
    pub(crate) fn stop_reason(&self) -> Option<CancelReason> {
        if self.state.cancel.is_some() {
            return Some(CancelReason::CancelRequested);
        }
        self.state
            .timed_out
            .then_some(CancelReason::WorkflowTimedOut)
    }

    /// Whether an active node is among what a cancel or a timeout stops. Not
    /// a finalizer that runs on that very ending.
    pub(crate) fn must_stop(&self, ix: NodeIx) -> bool {
        !self.runs_now(ix)
    }

    /// Whether this is a finalizer that runs on the ending ahead.
    pub(crate) fn runs_now(&self, ix: NodeIx) -> bool {
        let Kind::Work(work) = &self.node(ix).kind else {
            return false;
        };
        match (work.finalizer, self.ending()) {
            (Some(RunOn::Always), Some(_)) => true,
            (Some(RunOn::Success), Some(ending)) => ending == Ending::Completed,
            (Some(RunOn::Failure), Some(ending)) => {
                matches!(ending, Ending::Failed | Ending::TimedOut)
            }
            (None, _) | (_, None) => false,
        }
    }

    /// Whether nothing but finalizers is left to do.
    pub(crate) fn is_time_for_finalizers(&self) -> bool {
        self.ending().is_some() && !self.agenda.active.iter().any(|ix| self.must_stop(*ix))
    }

    /// The finalizers, then the end.
    pub(super) fn finish(&self, budget: u32) -> Option<Next> {
        if self.is_held() {
            return None;
        }
        let end = self.due_end().map(Next::End);
        end.or_else(|| self.next_finalizer(budget))
    }

    fn next_finalizer(&self, budget: u32) -> Option<Next> {
        if !self.is_time_for_finalizers() {
            return None;
        }
        let ix = *self.agenda.finalizers.first()?;
        if self.runs_now(ix) {
            return self.may_dispatch(budget).then_some(Next::Dispatch(ix));
        }
        Some(Next::PassOver(ix))
    }

    /// The end that is due now: nothing is under way and no finalizer is left.
    pub(crate) fn due_end(&self) -> Option<Ending> {
        if self.is_held() || !self.agenda.active.is_empty() || !self.agenda.finalizers.is_empty() {
            return None;
        }
        match self.ending()? {
            // A finalizer may have failed since.
            Ending::Completed | Ending::Failed => Some(self.verdict()),
            graver => Some(graver),
        }
    }

    pub(super) fn terminal(&self, ending: Ending) -> EventKind {
        match ending {
            Ending::Completed => EventKind::WorkflowCompleted(WorkflowCompleted {
                final_state: self.state.data.to_text(),
            }),
            Ending::Failed => {
                let mut failed: Vec<&str> = self
                    .agenda
                    .failed
                    .iter()
                    .map(|ix| self.node(*ix).id.as_str())
                    .collect();
                failed.sort_unstable();
                let error = format!("node(s) failed terminally: {}", failed.join(", "));
                EventKind::WorkflowFailed(WorkflowFailed { error })
            }
            Ending::TimedOut => {
                let timeout = self.plan.workflow_timeout.unwrap_or_default();
                EventKind::WorkflowFailed(WorkflowFailed {
                    error: format!("workflow timed out after {timeout}"),
                })
            }
            Ending::Cancelled => {
                let reason = self
                    .state
                    .cancel
                    .as_ref()
                    .and_then(|request| request.reason.clone());
                EventKind::WorkflowCancelled(WorkflowCancelled { reason })
            }
        }
    }
}
