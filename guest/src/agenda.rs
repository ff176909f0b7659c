//! What is to be done next, in order.
//!
//! An index over the node records: which nodes can be settled, dispatched or
//! judged, and which deadlines run. It holds nothing of its own. Every change
//! of a record is followed by [`Agenda::refile`], so that finding the next
//! decision never looks at the whole graph, and filing all records anew gives
//! the same index.
//!
//! A map's bit in a set stands for the map and its instances; which of these it is
//! stands in the map's own index (rule R21, see [`crate::instance`]).

use alloc::collections::{BTreeMap, BTreeSet};

use crate::contract::{CancelReason, NodeState};
use crate::instance::RunIx;
use crate::node;
use crate::node_set::NodeSet;
use crate::state::{Dismissal, NodeRecord, is_finalizer, is_out_of_reach};
use crate::time::Timestamp;
use crate::workflow::plan::{Kind, NodeIx};

/// The index. All lists are in the order of rule R2.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    /// Nodes that the guest can settle now: skip, complete, let wait.
    pub(crate) settle: NodeSet,
    /// Ready nodes for workers.
    pub(crate) dispatch: NodeSet,
    /// Ready nodes that ask for a child.
    pub(crate) requests: NodeSet,
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
    pub(crate) deadlines: BTreeSet<(Timestamp, RunIx)>,
    /// The instances of the maps that were expanded.
    pub(crate) maps: BTreeMap<NodeIx, MapAgenda>,
    /// Settled maps of which something is under way that has to be stopped.
    pub(crate) stopping: BTreeSet<NodeIx>,
    /// The compensations of runs that were completed.
    pub(crate) undos: UndoAgenda,
}

/// Compensations, by the run that they undo (rule R27). None of them is in the sets of
/// nodes.
#[derive(Debug, Default)]
pub(crate) struct UndoAgenda {
    /// Those that are not settled and not under way, the earliest completion first.
    pub(crate) waiting: BTreeSet<(u64, RunIx)>,
    /// The one that is under way.
    pub(crate) active: Option<RunIx>,
}

/// The instances of one map.
#[derive(Debug, Default)]
pub(crate) struct MapAgenda {
    /// The first to which nothing has happened. Those before it are no more dispatched
    /// for the first time.
    pub(crate) next_fresh: u32,
    /// Those that are ready once more.
    pub(crate) reopened: BTreeSet<u32>,
    /// Those whose failure is to be judged.
    pub(crate) failing: BTreeSet<u32>,
    /// Those that are under way.
    pub(crate) active: BTreeSet<u32>,
    /// How many have completed.
    pub(crate) completed: u32,
    /// How many an operator skipped or stopped.
    pub(crate) skipped: u32,
    /// How many have failed for good.
    pub(crate) failed: u32,
}

/// What of a map belongs into the sets of nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MapFiling {
    pub(crate) settle: bool,
    pub(crate) dispatch: bool,
    pub(crate) requests: bool,
    pub(crate) failed: bool,
    pub(crate) is_active: bool,
    /// What is under way of it has to be stopped.
    pub(crate) stops: bool,
}

impl MapAgenda {
    /// The first instance that could be dispatched, of so many.
    pub(crate) fn first_ready(&self, count: u32) -> Option<u32> {
        let fresh = (self.next_fresh < count).then_some(self.next_fresh);
        let reopened = self.reopened.first().copied();
        fresh.into_iter().chain(reopened).min()
    }

    /// Count an instance in or, if it leaves, out.
    fn file(&mut self, index: u32, filing: InstanceFiling, enters: bool) {
        let put = |set: &mut BTreeSet<u32>| {
            match enters {
                true => set.insert(index),
                false => set.remove(&index),
            };
        };
        if filing.is_active {
            put(&mut self.active);
        }
        let count = match filing.list {
            None => return,
            Some(InstanceList::Reopened) => return put(&mut self.reopened),
            Some(InstanceList::Failing) => return put(&mut self.failing),
            Some(InstanceList::Completed) => &mut self.completed,
            Some(InstanceList::Skipped) => &mut self.skipped,
            Some(InstanceList::Failed) => &mut self.failed,
        };
        match enters {
            true => *count += 1,
            false => *count -= 1,
        }
    }
}

/// Where an instance is filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InstanceFiling {
    list: Option<InstanceList>,
    is_active: bool,
    is_in_flight: bool,
    deadline: Option<Timestamp>,
}

/// The lists of which an instance is on one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InstanceList {
    Reopened,
    Failing,
    Completed,
    Skipped,
    Failed,
}

impl InstanceFiling {
    /// Where an instance with this record belongs.
    pub(crate) fn of(record: &NodeRecord) -> Self {
        Self {
            list: instance_list(record),
            is_active: node::is_active(record.state),
            is_in_flight: node::is_in_flight(record.state),
            deadline: record.deadline,
        }
    }
}

fn instance_list(record: &NodeRecord) -> Option<InstanceList> {
    Some(match record.state {
        NodeState::Ready => InstanceList::Reopened,
        NodeState::Failing => InstanceList::Failing,
        NodeState::Completed => InstanceList::Completed,
        NodeState::Failed => InstanceList::Failed,
        _ if counts_as_skipped(record) => InstanceList::Skipped,
        NodeState::Skipped
        | NodeState::Pending
        | NodeState::Scheduled
        | NodeState::Running
        | NodeState::BackingOff
        | NodeState::Waiting
        | NodeState::Cancelled => return None,
    })
}

/// Where a compensation is filed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UndoFiling {
    waits: bool,
    is_active: bool,
    is_in_flight: bool,
    deadline: Option<Timestamp>,
}

impl UndoFiling {
    /// Where a compensation with this record belongs.
    pub(crate) fn of(record: &NodeRecord) -> Self {
        Self {
            waits: matches!(record.state, NodeState::Pending | NodeState::Ready),
            is_active: node::is_active(record.state),
            is_in_flight: node::is_in_flight(record.state),
            deadline: record.deadline,
        }
    }
}

/// Whether an instance was skipped, or stopped as an operator asked: it counts as
/// completed (rule R9).
pub(crate) fn counts_as_skipped(record: &NodeRecord) -> bool {
    record.state == NodeState::Skipped
        || record.dismissal == Some(Dismissal::Cancelled(CancelReason::ByOperator))
            && record.state == NodeState::Cancelled
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
    Requests,
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
        Kind::Subgraph(_) if record.state == NodeState::Ready => List::Requests,
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
            self.deadlines.remove(&(deadline, ix.into()));
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
            self.deadlines.insert((deadline, ix.into()));
        }
    }

    /// Take an instance from where it was filed, and file it where it belongs now.
    pub(crate) fn refile_instance(
        &mut self,
        node: NodeIx,
        index: u32,
        before: Option<InstanceFiling>,
        after: InstanceFiling,
    ) {
        let map = self.maps.entry(node).or_default();
        if let Some(before) = before {
            map.file(index, before, false);
            self.in_flight -= u32::from(before.is_in_flight);
        }
        map.file(index, after, true);
        self.in_flight += u32::from(after.is_in_flight);
        let run = RunIx::of_instance(node, index);
        if let Some(deadline) = before.and_then(|it| it.deadline) {
            self.deadlines.remove(&(deadline, run));
        }
        if let Some(deadline) = after.deadline {
            self.deadlines.insert((deadline, run));
        }
    }

    /// Take what undoes a run from where it was filed, and file it where it belongs now.
    pub(crate) fn refile_undo(
        &mut self,
        undone: RunIx,
        completed: u64,
        before: Option<&UndoFiling>,
        after: &UndoFiling,
    ) {
        let run = undone.undo();
        if let Some(before) = before {
            if before.waits {
                self.undos.waiting.remove(&(completed, undone));
            }
            if before.is_active {
                self.undos.active = None;
            }
            self.in_flight -= u32::from(before.is_in_flight);
            if let Some(deadline) = before.deadline {
                self.deadlines.remove(&(deadline, run));
            }
        }
        if after.waits {
            self.undos.waiting.insert((completed, undone));
        }
        if after.is_active {
            self.undos.active = Some(undone);
        }
        self.in_flight += u32::from(after.is_in_flight);
        if let Some(deadline) = after.deadline {
            self.deadlines.insert((deadline, run));
        }
    }

    /// File a map: itself, and for its instances.
    pub(crate) fn refile_map(&mut self, ix: NodeIx, filing: MapFiling) {
        let is_failing = self.maps.get(&ix).is_some_and(|it| !it.failing.is_empty());
        for (set, belongs) in [
            (&mut self.settle, filing.settle),
            (&mut self.dispatch, filing.dispatch),
            (&mut self.requests, filing.requests),
            (&mut self.failing, is_failing),
            (&mut self.failed, filing.failed),
            (&mut self.active, filing.is_active),
        ] {
            match belongs {
                true => set.insert(ix),
                false => set.remove(ix),
            }
        }
        match filing.stops {
            true => self.stopping.insert(ix),
            false => self.stopping.remove(&ix),
        };
    }

    fn list(&mut self, list: List) -> &mut NodeSet {
        match list {
            List::Settle => &mut self.settle,
            List::Dispatch => &mut self.dispatch,
            List::Requests => &mut self.requests,
            List::Failing => &mut self.failing,
            List::Finalizers => &mut self.finalizers,
            List::Failed => &mut self.failed,
        }
    }
}
