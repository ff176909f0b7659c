//! State and time become the next decision.
//!
//! The parent branches here, and the leaves compute. Nothing here changes
//! anything, and the order of the questions is the order of rule R17: what
//! operators ask, cancel, timeout, failure, what can go on, the end.
//!
//! It is done in two steps. `Machine::next` finds what comes next, copies
//! nothing and hashes nothing, so that it can be asked after every event.
//! Only what is really decided is then put into words, with all its payload.

mod dispatch;
mod ending;
mod retry;
mod settle;
mod timer;

pub use dispatch::item_digest;

use crate::contract::{CancelReason, EventKind, NodeCancelled, NodeSkipped, NodeState, SkipReason};
use crate::machine::{Decision, Machine, Order};
use crate::node::is_in_flight;
use crate::state::Ending;
use crate::time::Timestamp;
use crate::workflow::plan::NodeIx;

/// What comes next, not yet in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A node is skipped or stopped because an operator asked for it.
    Skip(NodeIx),
    /// A node is stopped.
    Stop(NodeIx, CancelReason),
    /// The workflow's time is over.
    WorkflowTimesOut,
    /// The time of an attempt, a wait or an approval is over.
    Overdue(NodeIx),
    /// A further attempt is ordered.
    Retry(NodeIx),
    /// The execution stalls on a failed node.
    StallOn(NodeIx),
    /// A node fails for good.
    Exhaust(NodeIx),
    /// The guest settles a node itself.
    Settle(NodeIx),
    /// A node is dispatched.
    Dispatch(NodeIx),
    /// A finalizer of another ending is skipped.
    PassOver(NodeIx),
    /// The execution ends.
    End(Ending),
}

impl Machine {
    /// The decision that comes next at `now`, if one does. `budget` is how
    /// many work items this tick may still order (rule R4).
    #[must_use = "deciding changes nothing: apply the decision"]
    pub fn decide(&self, now: Timestamp, budget: u32) -> Option<Decision> {
        self.next(now, budget).map(|next| self.formulate(now, next))
    }

    /// What [`Machine::decide`] decides next, if it decides anything.
    pub(crate) fn next(&self, now: Timestamp, budget: u32) -> Option<Next> {
        if self.state.ended.is_some() || self.state.host_stall.is_some() {
            return None;
        }
        self.skip_asked_for()
            .or_else(|| self.stop())
            .or_else(|| self.overdue(now))
            .or_else(|| self.after_failure(budget))
            .or_else(|| self.go_on(budget))
            .or_else(|| self.finish(budget))
    }

    fn formulate(&self, now: Timestamp, next: Next) -> Decision {
        match next {
            Next::Skip(ix) => self.skip(now, ix),
            Next::Stop(ix, reason) => self.cancellation(now, ix, reason),
            Next::WorkflowTimesOut => self.decision(now, EventKind::WorkflowTimedOut, None),
            Next::Overdue(ix) => self.overdue_node(now, ix),
            Next::Retry(ix) => self.retry(now, ix),
            Next::StallOn(ix) => self.stall_on(now, ix),
            Next::Exhaust(ix) => self.exhaust(now, ix),
            Next::Settle(ix) => self.settle(now, ix),
            Next::Dispatch(ix) => self.dispatch(now, ix),
            Next::PassOver(ix) => self.skipping(now, ix, SkipReason::RunOn),
            Next::End(ending) => self.decision(now, self.terminal(ending), None),
        }
    }

    fn skip_asked_for(&self) -> Option<Next> {
        self.state.skips.front().copied().map(Next::Skip)
    }

    fn skip(&self, now: Timestamp, ix: NodeIx) -> Decision {
        let state = self.record(ix).state;
        if is_in_flight(state) || state == NodeState::Waiting {
            return self.cancellation(now, ix, CancelReason::ByOperator);
        }
        self.skipping(now, ix, SkipReason::ByOperator)
    }

    fn skipping(&self, now: Timestamp, ix: NodeIx, reason: SkipReason) -> Decision {
        let node_id = self.node_id(ix);
        let skipped = NodeSkipped { node_id, reason };
        self.decision(now, EventKind::NodeSkipped(skipped), None)
    }

    /// Rules R14 and R17: stop what is under way, but for the finalizers that
    /// run on such an ending.
    fn stop(&self) -> Option<Next> {
        let reason = self.stop_reason()?;
        let ix = self.agenda.active.iter().find(|ix| self.must_stop(**ix))?;
        Some(Next::Stop(*ix, reason))
    }

    fn cancellation(&self, now: Timestamp, ix: NodeIx, reason: CancelReason) -> Decision {
        let node_id = self.node_id(ix);
        let order = is_in_flight(self.record(ix).state).then(|| self.take_back(ix));
        self.decision(
            now,
            EventKind::NodeCancelled(NodeCancelled { node_id, reason }),
            order,
        )
    }

    fn take_back(&self, ix: NodeIx) -> Order {
        Order::Cancel {
            node_id: self.node_id(ix),
            attempt: self.record(ix).attempt,
        }
    }

    /// The first node, in the order of rule R2, that can go on.
    fn go_on(&self, budget: u32) -> Option<Next> {
        if self.is_ending() {
            return None;
        }
        let settle = self.agenda.settle.first();
        let dispatch = self
            .next_to_dispatch()
            .filter(|_| self.may_dispatch(budget));
        match (settle, dispatch) {
            (Some(settle), Some(dispatch)) if dispatch < settle => Some(Next::Dispatch(*dispatch)),
            (Some(settle), _) => Some(Next::Settle(*settle)),
            (None, Some(dispatch)) => Some(Next::Dispatch(*dispatch)),
            (None, None) => None,
        }
    }

    /// The first in the order of rule R2. The variant is never anyone's
    /// scheduler: the tests build it, so that audits have another guest's
    /// decisions to find.
    fn next_to_dispatch(&self) -> Option<&NodeIx> {
        if cfg!(refrain_variant = "reversed") {
            self.agenda.dispatch.last()
        } else {
            self.agenda.dispatch.first()
        }
    }

    /// Rules R4 and R18.
    fn may_dispatch(&self, budget: u32) -> bool {
        budget > 0 && !self.is_held() && self.agenda.in_flight < self.max_concurrent()
    }
}
