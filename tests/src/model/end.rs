//! How an execution ends (rules R16 to R18).

use refrain_guest::contract::{
    EventKind, SkipReason, WorkflowCancelled, WorkflowCompleted, WorkflowFailed, WorkflowFailure,
};

use super::ended::Fixed;
use super::next::Question;
use super::record::{Record, Stage};

impl Question<'_> {
    pub(super) fn ends(&self) -> Option<EventKind> {
        let mut nodes = self.nodes();
        if self.is_held()
            || self.is_undoing()
            || nodes.any(|(node, record)| !self.is_finalizer(node) && self.is_busy(node, record))
        {
            return None;
        }
        if let Some(node) = self.next_undo().filter(|_| self.ends_badly()) {
            let mut nodes = self.nodes();
            let is_idle = nodes.all(|(_, it)| !it.is_under_way() && !it.is_failing());
            return is_idle.then(|| self.dispatch(node)).flatten();
        }
        let finalizers = || self.nodes().filter(|(node, _)| self.is_finalizer(*node));
        let is_next = |(node, record): &(usize, &Record)| {
            matches!(record.stage, Stage::Pending) && self.is_its_turn(*node)
        };
        // One that has no room holds back those after it.
        match finalizers().find(is_next) {
            Some((node, _)) if self.may_run(node) => return self.dispatch(node),
            Some((node, _)) => return Some(self.skipped(node, SkipReason::RunOn)),
            None => {}
        }
        let mut finalizers = finalizers();
        let all_done = finalizers.all(|(_, record)| record.is_settled());
        all_done.then(|| self.terminal())
    }

    /// Something of an ordinary node is still to come.
    fn is_busy(&self, node: usize, record: &Record) -> bool {
        if self.is_stopping() {
            return false;
        }
        record.is_under_way() || record.is_failing() || self.is_ready(node)
    }

    /// Whether the node may still run: a finalizer on the ending that comes, the
    /// others as long as nothing stops them.
    pub(super) fn may_run(&self, node: usize) -> bool {
        let failed = match self.past.finalizing_failed {
            _ if self.past.compensating => true,
            _ if self.past.fixed.is_some() && !self.past.timed_out => {
                self.past.fixed != Some(Fixed::Completed)
            }
            Some(failed) => failed || self.past.timed_out,
            None => self.past.timed_out || !self.failed_nodes().is_empty(),
        };
        match self.graph.nodes[node].run_on() {
            None if self.is_undo(node) => true,
            None => !self.is_stopping(),
            Some("always") => true,
            Some(_) if self.past.cancel.is_some() => false,
            Some("failure") => failed,
            Some(_success) => !failed,
        }
    }

    /// In the order of the edges among finalizers.
    fn is_its_turn(&self, node: usize) -> bool {
        let mut before = self.graph.incoming(node).map(|(_, edge)| edge.from);
        before.all(|node| self.past.nodes[node].is_settled())
    }

    fn terminal(&self) -> EventKind {
        if let Some(reason) = &self.past.cancel {
            let reason = reason.clone();
            return EventKind::WorkflowCancelled(WorkflowCancelled {
                reason,
                final_state: self.past.state(),
            });
        }
        let failed = self.failed_nodes();
        let cause = if self.past.timed_out {
            WorkflowFailure::Timeout(self.graph.timeout_ms().unwrap_or(0))
        } else {
            match &self.past.fixed {
                Some(Fixed::Failed(reason)) => WorkflowFailure::Terminated(reason.clone()),
                Some(Fixed::OverBudget(excess)) => WorkflowFailure::BudgetExceeded(excess.clone()),
                _ if failed.is_empty() => {
                    let final_state = self.past.state();
                    return EventKind::WorkflowCompleted(WorkflowCompleted { final_state });
                }
                _ => WorkflowFailure::NodesFailed(failed),
            }
        };
        EventKind::WorkflowFailed(WorkflowFailed {
            cause,
            final_state: self.past.state(),
        })
    }

    pub(super) fn failed_nodes(&self) -> Vec<String> {
        // Failed nodes do not change an ending that is fixed; failed finalizers do (R24).
        let counts = |node| self.past.fixed.is_none() || self.is_finalizer(node);
        // Nor do instances: their map does that (R21); nor compensations (R27).
        let failed = |(node, record): &(usize, &Record)| {
            let is_node = self.map_of(*node).is_none() && !self.is_undo(*node);
            record.fails_execution() && counts(*node) && is_node
        };
        let mut ids: Vec<String> = self
            .nodes()
            .filter(failed)
            .map(|(node, _)| self.id(node))
            .collect();
        ids.sort();
        ids
    }
}
