//! How an execution ends: its finalizers, then the terminal event (rules R16,
//! R17 and R18).

use alloc::string::String;
use alloc::vec::Vec;

use super::dispatch::may_dispatch;
use super::next::Next;
use crate::contract::{
    EventKind, WorkflowCancelled, WorkflowCompleted, WorkflowFailed, WorkflowFailure,
};
use crate::guards::{due_end, is_held, is_time_for_finalizers, runs_now};
use crate::machine::Machine;
use crate::state::Ending;

/// The finalizers, then the end.
pub(super) fn finish(machine: &Machine, budget: u32) -> Option<Next> {
    if is_held(machine) {
        return None;
    }
    let end = due_end(machine).map(Next::End);
    end.or_else(|| next_finalizer(machine, budget))
}

fn next_finalizer(machine: &Machine, budget: u32) -> Option<Next> {
    if !is_time_for_finalizers(machine) {
        return None;
    }
    let ix = machine.agenda.finalizers.first()?;
    if runs_now(machine, ix) {
        return may_dispatch(machine, budget).then_some(Next::Dispatch(ix.into()));
    }
    Some(Next::PassOver(ix))
}

pub(super) fn terminal(machine: &Machine, ending: Ending) -> EventKind {
    let final_state = machine.state.data.to_text();
    match ending {
        Ending::Completed => EventKind::WorkflowCompleted(WorkflowCompleted { final_state }),
        Ending::Failed => {
            let failed = machine.agenda.failed.iter();
            let mut failed: Vec<String> = failed.map(|ix| machine.node_id(ix)).collect();
            failed.sort_unstable();
            EventKind::WorkflowFailed(WorkflowFailed {
                cause: WorkflowFailure::NodesFailed(failed),
                final_state,
            })
        }
        Ending::TimedOut => {
            let timeout = machine.plan.workflow_timeout.unwrap_or_default();
            EventKind::WorkflowFailed(WorkflowFailed {
                cause: WorkflowFailure::Timeout(timeout.0),
                final_state,
            })
        }
        Ending::Cancelled => {
            let reason = machine
                .state
                .cancel
                .as_ref()
                .and_then(|request| request.reason.clone());
            EventKind::WorkflowCancelled(WorkflowCancelled {
                reason,
                final_state,
            })
        }
    }
}
