//! What is to be done next, in order.
//!
//! An index over the node records: which nodes can be settled, dispatched or
//! judged, and which deadlines run. It holds nothing of its own. Every change
//! of a record is followed by [`Agenda::refile`], so that finding the next
//! decision never looks at the whole graph, and filing all records anew gives
//! the same index.

use alloc::collections::BTreeSet;

use crate::contract::NodeState;
use crate::node;
use crate::node_set::NodeSet;
use crate::state::{NodeRecord, is_finalizer, is_out_of_reach};
use crate::time::Timestamp;
use crate::workflow::plan::{Kind, NodeIx};

/// The index. All lists are in the order of rule R2.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    /// Nodes that the guest can settle now: skip, complete, let wait.
    pub(crate) settle: NodeSet,
    /// Ready nodes for workers.
    pub(crate) dispatch: NodeSet,
    /// Nodes whose failure is to be judged.
    pub(crate) failing: NodeSet,
    /// Finalizers that no other finalizer holds back.
    pub(crate) finalizers: NodeSet,
    /// Nodes that failed for good, and whose failure no edge handled.
    pub(crate) failed: NodeSet,
    /// Nodes about which something is under way.
    pub(crate) active: NodeSet,
    /// How many of those are in flight (rule R4).
    pub(crate) in_flight: u32,
    /// When time alone ends something.
    pub(crate) deadlines: BTreeSet<(Timestamp, NodeIx)>,
}

/// Where a node is filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filing {
    list: Option<List>,
    is_active: bool,
    is_in_flight: bool,
    deadline: Option<Timestamp>,
}

/// The lists of which a node is on one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Settle,
    Dispatch,
    Failing,
    Finalizers,
    Failed,
}

impl Filing {
    /// Where a node of this kind belongs.
    pub(crate) fn of(record: &NodeRecord, kind: &Kind) -> Self {
        Self {
            list: list(record, kind),
            is_active: node::is_active(record.state),
            is_in_flight: node::is_in_flight(record.state),
            deadline: record.deadline,
        }
    }
}

fn list(record: &NodeRecord, kind: &Kind) -> Option<List> {
    let can_go_on = match record.state {
        NodeState::Pending => record.unsettled == 0 || is_out_of_reach(record, kind),
        NodeState::Ready => true,
        NodeState::Waiting => record.wait_result.is_some(),
        NodeState::Failing => return Some(List::Failing),
        NodeState::Failed => return (!record.is_handled()).then_some(List::Failed),
        NodeState::Scheduled
        | NodeState::Running
        | NodeState::BackingOff
        | NodeState::Completed
        | NodeState::Skipped
        | NodeState::Cancelled => false,
    };
    can_go_on.then(|| match kind {
        _ if is_finalizer(kind) => List::Finalizers,
        Kind::Work(_) if record.state == NodeState::Ready => List::Dispatch,
        _ => List::Settle,
    })
}

impl Agenda {
    /// Take a node from where it was filed, and file it where it belongs now.
    pub(crate) fn refile(&mut self, ix: NodeIx, before: Option<Filing>, after: Filing) {
        if before == Some(after) {
            return;
        }
        if let Some(before) = before {
            self.remove(ix, before);
        }
        self.insert(ix, after);
    }

    fn remove(&mut self, ix: NodeIx, filing: Filing) {
        if let Some(list) = filing.list {
            self.list(list).remove(ix);
        }
        if filing.is_active {
            self.active.remove(ix);
        }
        if filing.is_in_flight {
            self.in_flight -= 1;
        }
        if let Some(deadline) = filing.deadline {
            self.deadlines.remove(&(deadline, ix));
        }
    }

    fn insert(&mut self, ix: NodeIx, filing: Filing) {
        if let Some(list) = filing.list {
            self.list(list).insert(ix);
        }
        if filing.is_active {
            self.active.insert(ix);
        }
        if filing.is_in_flight {
            self.in_flight += 1;
        }
        if let Some(deadline) = filing.deadline {
            self.deadlines.insert((deadline, ix));
        }
    }

    fn list(&mut self, list: List) -> &mut NodeSet {
        match list {
            List::Settle => &mut self.settle,
            List::Dispatch => &mut self.dispatch,
            List::Failing => &mut self.failing,
            List::Finalizers => &mut self.finalizers,
            List::Failed => &mut self.failed,
        }
    }
}
