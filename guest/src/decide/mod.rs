//! State and time become the next decision.
//!
//! The parent branches here, and the leaves compute. Nothing here changes
//! anything, and the order of the questions is the order of rule R17: what
//! operators ask, cancel, timeout, failure, what can go on, the end.

mod dispatch;
mod ending;
mod retry;
mod settle;
mod timer;

pub use dispatch::item_digest;

use crate::contract::{CancelReason, EventKind, NodeCancelled, NodeSkipped, NodeState, SkipReason};
use crate::machine::{Decision, Machine, Order};
use crate::node::is_in_flight;
use crate::time::Timestamp;
use crate::workflow::plan::NodeIx;

impl Machine {
    /// The decision that comes next at `now`, if one does. `budget` is how
    /// many work items this tick may still order (rule R4).
    #[must_use = "deciding changes nothing: apply the decision"]
    pub fn decide(&self, now: Timestamp, budget: u32) -> Option<Decision> {
        if self.state.ended.is_some() || self.state.host_stall.is_some() {
            return None;
        }
        self.skip_asked_for(now)
            .or_else(|| self.stop(now))
            .or_else(|| self.overdue(now))
            .or_else(|| self.after_failure(now, budget))
            .or_else(|| self.go_on(now, budget))
            .or_else(|| self.finish(now, budget))
    }

    fn skip_asked_for(&self, now: Timestamp) -> Option<Decision> {
        let ix = *self.state.skips.front()?;
        let state = self.record(ix).state;
        if is_in_flight(state) || state == NodeState::Waiting {
            return Some(self.cancellation(now, ix, CancelReason::ByOperator));
        }
        let skipped = NodeSkipped {
            node_id: self.node_id(ix),
            reason: SkipReason::ByOperator,
        };
        Some(self.decision(now, EventKind::NodeSkipped(skipped), None))
    }

    /// Rules R14 and R17: stop what is under way, but for the finalizers that
    /// run on such an ending.
    fn stop(&self, now: Timestamp) -> Option<Decision> {
        let reason = self.stop_reason()?;
        let ix = self.agenda.active.iter().find(|ix| self.must_stop(**ix))?;
        Some(self.cancellation(now, *ix, reason))
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
    fn go_on(&self, now: Timestamp, budget: u32) -> Option<Decision> {
        if self.is_ending() {
            return None;
        }
        let settle = self.agenda.settle.first();
        let dispatch = self
            .next_to_dispatch()
            .filter(|_| self.may_dispatch(budget));
        match (settle, dispatch) {
            (Some(settle), Some(dispatch)) if dispatch < settle => {
                Some(self.dispatch(now, *dispatch))
            }
            (Some(settle), _) => Some(self.settle(now, *settle)),
            (None, Some(dispatch)) => Some(self.dispatch(now, *dispatch)),
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
