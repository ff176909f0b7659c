//! The data of a store in memory. A turn is checked first and then written, and only
//! what is new is copied. For every question the rows are kept in its order.
//!
//! What is large is shared between a look and the data that goes on next to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeBounds;
use std::sync::Arc;

use crate::id::ExecutionId;
use crate::model::Label;
use crate::store::check::{self, Conflicts};
use crate::store::labels;
use crate::store::memory::execution::Execution;
use crate::store::memory::output::Output;
use crate::store::memory::queue::Queue;
use crate::store::{
    ChildChange, ChildRecord, ClockReading, CommitError, DueWake, Erasure, ExecutionChange,
    ExecutionRecord, ItemChange, ItemRecord, ItemState, SeenUpTo, Timestamp, Turn, WorkflowRecord,
    ended,
};

#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    executions: HashMap<ExecutionId, Arc<Execution>>,
    pub(super) queue: Queue,
    by_start: BTreeSet<(Timestamp, ExecutionId)>,
    begun: Vec<ExecutionId>,
    /// How many events were ever appended.
    appended: i64,
    /// The executions by the number of the last event that was appended to them.
    by_append: BTreeSet<(i64, ExecutionId)>,
    set_aside: BTreeSet<ExecutionId>,
    /// The wakes of executions that have not ended.
    wakes: BTreeSet<DueWake>,
    /// The greatest time of an event or of a reading.
    pub(super) last_at: Timestamp,
    /// The reading of the last turn of real time.
    pub(super) reading: Option<ClockReading>,
    /// By tenant, id and version.
    children: BTreeMap<ExecutionId, ChildRecord>,
    pub(super) workflows: BTreeMap<[String; 3], WorkflowRecord>,
    pub(super) components: BTreeMap<String, Arc<[u8]>>,
}

/// Whether a node has an item.
#[derive(Clone, Copy)]
enum Presence {
    None,
    Unsettled,
    Dead,
}

impl Data {
    /// Checks everything, then writes everything.
    pub(super) fn commit(&mut self, turn: &Turn) -> Result<(), CommitError> {
        self.check_workflows(turn)?;
        self.conflicts(turn).none()?;
        for change in &turn.executions {
            self.write(change);
        }
        for erasure in &turn.erasures {
            self.erase(erasure);
        }
        self.read_clock(turn);
        self.keep(turn);
        Ok(())
    }

    /// Drops what can be erased of an execution.
    fn erase(&mut self, erasure: &Erasure) {
        let Some(execution) = self.executions.get_mut(&erasure.execution) else {
            return;
        };
        let execution = Arc::make_mut(execution);
        execution.erase_log();
        for number in std::mem::take(&mut execution.items).into_values() {
            self.queue.remove(number);
        }
        execution.snapshot = None;
        execution.labels = Vec::new();
        execution.output = Output::default();
        let record = &mut execution.record;
        record.key = None;
        self.set_aside.remove(&record.id);
        record.tampering = None;
        record.erased = Some(Box::new(erasure.attestation.clone()));
    }

    /// Moves the time on to the turn's reading.
    fn read_clock(&mut self, turn: &Turn) {
        match &turn.reading {
            Some(reading) => {
                self.last_at = self.last_at.max(reading.at);
                let at = self.last_at;
                self.reading = Some(ClockReading {
                    at,
                    ..reading.clone()
                });
            }
            None if turn.executions.is_empty() => {}
            None => self.reading = None,
        }
    }

    /// Checks that each change of an item fits those before it.
    fn check_items(
        &self,
        stored: Option<&Execution>,
        change: &ExecutionChange,
    ) -> Result<(), String> {
        let mut after: BTreeMap<&str, Presence> = BTreeMap::new();
        for item in &change.items {
            let node_id = node_of(item);
            let presence = after.get(node_id).copied().unwrap_or_else(|| {
                let number = stored.and_then(|execution| execution.items.get(node_id));
                presence(number.and_then(|number| self.queue.get(*number)))
            });
            let then = match (item, presence) {
                (ItemChange::Enqueue { .. }, Presence::Unsettled) => {
                    return Err(format!("node {node_id} has an unsettled item already"));
                }
                (ItemChange::Lease { .. }, Presence::None | Presence::Dead) => {
                    return Err(format!("node {node_id} has no unsettled item to lease"));
                }
                (ItemChange::Release { .. }, Presence::None | Presence::Dead) => {
                    return Err(format!("node {node_id} has no unsettled item to give back"));
                }
                (ItemChange::Remove { .. }, Presence::None) => {
                    return Err(format!("node {node_id} has no item to remove"));
                }
                (
                    ItemChange::Enqueue { .. }
                    | ItemChange::Lease { .. }
                    | ItemChange::Release { .. },
                    _,
                ) => Presence::Unsettled,
                (ItemChange::Remove { .. }, _) => Presence::None,
                (ItemChange::DeadLetter { .. }, _) => Presence::Dead,
            };
            after.insert(node_id, then);
        }
        Ok(())
    }

    /// What conflicts of the turn's executions.
    fn conflicts(&self, turn: &Turn) -> Conflicts {
        let mut conflicts = Conflicts::default();
        for change in &turn.executions {
            let id = change.record.id;
            let stored = self.executions.get(&id).map(Arc::as_ref);
            let follows = check::follows(stored.map(|execution| &execution.record), change);
            let fits = follows.and_then(|()| {
                let items = self.check_items(stored, change);
                items.map_err(|detail| format!("{id}: {detail}"))
            });
            conflicts.note(id, fits);
        }
        for erasure in &turn.erasures {
            let id = erasure.execution;
            let stored = self.executions.get(&id);
            let record = stored.map(|execution| &execution.record);
            conflicts.note(id, check::erasable(record, erasure));
        }
        for (id, _) in &turn.snapshots {
            conflicts.note(*id, self.keeps_more_of(*id, turn, "a snapshot"));
        }
        for output in &turn.outputs {
            let id = output.execution;
            conflicts.note(id, self.keeps_more_of(id, turn, "output"));
        }
        conflicts
    }

    /// Checks that something may be kept of this execution besides its log.
    fn keeps_more_of(&self, id: ExecutionId, turn: &Turn, what: &str) -> Result<(), String> {
        let stored = self.executions.get(&id);
        if stored.is_some_and(|execution| execution.record.erased.is_some()) {
            return Err(format!("{id}: it is erased, and {what} of it is not kept"));
        }
        if stored.is_none() && !turn.executions.iter().any(|change| change.record.id == id) {
            return Err(format!(
                "{id}: there is no such execution to keep {what} of"
            ));
        }
        Ok(())
    }

    fn check_workflows(&self, turn: &Turn) -> Result<(), CommitError> {
        let mut texts = BTreeMap::new();
        for workflow in &turn.workflows {
            let WorkflowRecord {
                workflow_id,
                version,
                text,
                ..
            } = workflow;
            let name = name_of(workflow);
            let stored = self.workflows.get(&name).map(|workflow| &workflow.text);
            let kept = stored.unwrap_or_else(|| texts.entry(name).or_insert(text));
            if kept != text {
                return Err(CommitError::Conflict {
                    executions: Vec::new(),
                    detail: format!(
                        "workflow {workflow_id} {version} is registered with another text"
                    ),
                });
            }
        }
        Ok(())
    }

    fn write(&mut self, change: &ExecutionChange) {
        let record = &change.record;
        // Where nothing is appended, no time has passed.
        if let Some(last) = change.events.last() {
            self.last_at = self.last_at.max(last.event.at);
        }
        if change.expected.sequence == 0 {
            self.begin(record, labels::begun_with(&change.events));
        }
        let Some(execution) = self.executions.get_mut(&record.id) else {
            return;
        };
        let execution = Arc::make_mut(execution);
        let wake = |record: &ExecutionRecord| {
            let wake = record
                .next_wake
                .filter(|_| !ended(record.status) && record.tampering.is_none());
            let execution = record.id;
            wake.map(|at| DueWake { at, execution })
        };
        let (before, after) = (wake(&execution.record), wake(record));
        if before != after {
            before.map(|wake| self.wakes.remove(&wake));
            after.map(|wake| self.wakes.insert(wake));
        }
        if record.claims() != execution.record.claims() {
            for number in execution.items.values() {
                self.queue.hold(*number, !record.claims());
            }
        }
        if record.tampering.is_some() != execution.record.tampering.is_some() {
            for number in execution.items.values() {
                self.queue.set_aside(*number, record.tampering.is_some());
            }
        }
        execution.follow(record);
        execution.append(&change.events);
        for item in &change.items {
            execution.change_item(&mut self.queue, item);
        }
        match &record.tampering {
            Some(_) => self.set_aside.insert(record.id),
            None => self.set_aside.remove(&record.id),
        };
        if !change.events.is_empty() {
            self.by_append.remove(&(execution.appended, record.id));
            self.appended += i64::try_from(change.events.len()).unwrap_or(1);
            execution.appended = self.appended;
            self.by_append.insert((execution.appended, record.id));
        }
    }

    fn begin(&mut self, record: &ExecutionRecord, labels: &[Label]) {
        self.by_start.insert((record.started_at, record.id));
        self.begun.push(record.id);
        let mut record = record.clone();
        record.next_wake = None;
        let id = record.id;
        let mut execution = Execution::new(record);
        execution.labels = labels::as_kept(labels);
        self.executions.insert(id, Arc::new(execution));
    }

    fn keep(&mut self, turn: &Turn) {
        for workflow in &turn.workflows {
            self.workflows
                .entry(name_of(workflow))
                .or_insert_with(|| workflow.clone());
        }
        for component in &turn.components {
            self.components
                .entry(component.digest.clone())
                .or_insert_with(|| component.bytes.as_slice().into());
        }
        for child in &turn.children {
            match child {
                ChildChange::Keep(record) => self.children.insert(record.child, record.clone()),
                ChildChange::Drop(child) => self.children.remove(child),
            };
        }
        for output in &turn.outputs {
            if let Some(execution) = self.executions.get_mut(&output.execution) {
                Arc::make_mut(execution).output.keep(output);
            }
        }
        for (id, snapshot) in &turn.snapshots {
            if let Some(execution) = self.executions.get_mut(id) {
                Arc::make_mut(execution).snapshot = Some(snapshot.clone());
            }
        }
    }

    /// The executions to whose logs something was appended after `seen`, with all that
    /// are set aside, and the place up to which that is. `None` in place of them if any
    /// may have changed.
    pub(super) fn changed_since(&self, seen: SeenUpTo) -> (Option<Vec<ExecutionId>>, SeenUpTo) {
        let last = SeenUpTo(self.appended);
        let Some(first) = seen.0.checked_add(1).filter(|_| seen <= last) else {
            return (None, last);
        };
        let first = (first, ExecutionId::from_bytes([0; 16]));
        let appended = self.by_append.range(first..).map(|(_, id)| *id);
        let changed: BTreeSet<_> = appended.chain(self.set_aside.iter().copied()).collect();
        (Some(changed.into_iter().collect()), last)
    }

    pub(super) fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.executions.get(&id).map(Arc::as_ref)
    }

    /// The executions at these places, ordered by start and then by id.
    pub(super) fn executions(
        &self,
        places: impl RangeBounds<(Timestamp, ExecutionId)>,
    ) -> impl DoubleEndedIterator<Item = &Execution> {
        let ids = self.by_start.range(places);
        ids.filter_map(|(_, id)| self.executions.get(id).map(Arc::as_ref))
    }

    pub(super) fn child(&self, id: ExecutionId) -> Option<&ChildRecord> {
        self.children.get(&id)
    }

    pub(super) fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    pub(super) fn descendants(&self, root: ExecutionId) -> u64 {
        let of_root = self.children.values().filter(|it| it.root == root);
        of_root.count() as u64
    }

    /// All children, sorted by parent and then in the order in which it asked for them.
    pub(super) fn children(&self) -> Vec<&ChildRecord> {
        let mut all: Vec<_> = self.children.values().collect();
        all.sort_by_key(|record| (record.parent, record.sequence, record.child));
        all
    }

    /// The execution that came last, but for children.
    pub(super) fn last_begun(&self) -> Option<ExecutionId> {
        let is_root = |id: &&ExecutionId| !self.children.contains_key(id);
        self.begun.iter().rev().find(is_root).copied()
    }

    /// The items of an execution, sorted by node id.
    pub(super) fn items(&self, id: ExecutionId) -> impl Iterator<Item = &ItemRecord> {
        let execution = self.executions.get(&id).into_iter();
        let numbers = execution.flat_map(|execution| execution.items.values());
        numbers.filter_map(|number| self.queue.get(*number))
    }

    pub(super) fn item(&self, id: ExecutionId, node_id: &str) -> Option<&ItemRecord> {
        let number = self.executions.get(&id)?.items.get(node_id)?;
        self.queue.get(*number)
    }

    /// The executions behind `after` whose wake is due at `now`, in their order.
    pub(super) fn due(
        &self,
        now: Timestamp,
        after: Option<DueWake>,
    ) -> impl Iterator<Item = DueWake> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let wakes = self.wakes.range((from, Unbounded));
        wakes.take_while(move |wake| wake.at <= now).copied()
    }

    /// The first wake after `now`.
    pub(super) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let next = DueWake {
            at: now.checked_add(1)?,
            execution: ExecutionId::from_bytes([0; 16]),
        };
        let mut wakes = self.wakes.range(next..);
        wakes.next().map(|wake| wake.at)
    }
}

fn name_of(workflow: &WorkflowRecord) -> [String; 3] {
    let WorkflowRecord {
        tenant,
        workflow_id,
        version,
        ..
    } = workflow;
    [tenant, workflow_id, version].map(Clone::clone)
}

fn node_of(change: &ItemChange) -> &str {
    match change {
        ItemChange::Enqueue { item, .. } => &item.node_id,
        ItemChange::Lease { node_id, .. }
        | ItemChange::Release { node_id, .. }
        | ItemChange::Remove { node_id }
        | ItemChange::DeadLetter { node_id, .. } => node_id,
    }
}

fn presence(item: Option<&ItemRecord>) -> Presence {
    match item.map(|item| &item.state) {
        None => Presence::None,
        Some(ItemState::Waiting | ItemState::Leased(_)) => Presence::Unsettled,
        Some(ItemState::Dead { .. }) => Presence::Dead,
    }
}
