//! How an execution ends: its compensations, its finalizers, then the terminal event
//! (rules R16, R17, R18 and R27).

use alloc::string::String;
use alloc::vec::Vec;

use super::dispatch::may_dispatch;
use super::next::Next;
use crate::contract::{
    EventKind, WorkflowCancelled, WorkflowCompleted, WorkflowFailed, WorkflowFailure,
};
use crate::guards::{
    due_end, failing_nodes, is_held, is_time_for_finalizers, next_compensation, runs_now,
};
use crate::machine::Machine;
use crate::state::{Ending, Fixed};
use crate::workflow::plan::Kind;

/// The compensations, then the finalizers, then the end.
pub(super) fn finish(machine: &Machine, budget: u32) -> Option<Next> {
    if is_held(machine) {
        return None;
    }
    if let Some(run) = next_compensation(machine) {
        return may_dispatch(machine, budget).then_some(Next::Dispatch(run));
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
        Ending::Failed => EventKind::WorkflowFailed(WorkflowFailed {
            cause: cause(machine),
            final_state,
        }),
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

/// Why an execution fails that is neither cancelled nor out of time.
fn cause(machine: &Machine) -> WorkflowFailure {
    match &machine.state.fixed {
        Some(Fixed::OverBudget(excess)) => return WorkflowFailure::BudgetExceeded(excess.clone()),
        Some(Fixed::Terminated(ix)) => {
            if let Kind::Terminate(it) = &machine.node(*ix).kind
                && it.fails
            {
                return WorkflowFailure::Terminated(it.reason.clone());
            }
        }
        None => {}
    }
    let failed = failing_nodes(machine);
    let mut failed: Vec<String> = failed.map(|ix| machine.node_id(ix)).collect();
    failed.sort_unstable();
    WorkflowFailure::NodesFailed(failed)
}
