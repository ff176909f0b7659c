//! What is in memory: plain maps, checked first and then written.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::Snapshot;
use crate::id::ExecutionId;
use crate::store::check::{self, EventBytes};
use crate::store::status::claims;
use crate::store::{
    CommitError, ExecutionChange, ExecutionRecord, ItemChange, ItemRecord, ItemState, RawEvent,
    Timestamp, Turn, WorkflowRecord, ended,
};

#[derive(Debug, Default)]
pub(super) struct Data {
    /// Whether an owner holds the write lock.
    pub(super) locked: bool,
    /// How many turns all owners have committed.
    pub(super) committed: u64,
    /// How many work items were ever ordered.
    ordered: u64,
    pub(super) executions: BTreeMap<ExecutionId, Execution>,
    /// Those that have not ended: all that time and workers concern.
    live: BTreeSet<ExecutionId>,
    pub(super) keys: BTreeMap<(String, String), ExecutionId>,
    /// The greatest time of an event, for real and for simulated time.
    pub(super) last_at: BTreeMap<bool, Timestamp>,
    pub(super) workflows: BTreeMap<(String, String), WorkflowRecord>,
    pub(super) components: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug)]
pub(super) struct Execution {
    pub(super) record: ExecutionRecord,
    pub(super) events: Vec<RawEvent>,
    pub(super) items: Items,
    pub(super) snapshot: Option<Snapshot>,
}

/// Items by node id, each with the number of its order.
pub(super) type Items = BTreeMap<String, (u64, ItemRecord)>;

impl Data {
    /// Check everything, then write everything.
    pub(super) fn commit(
        &mut self,
        turn: &Turn,
        bytes: Vec<EventBytes>,
    ) -> Result<(), CommitError> {
        let mut ordered = self.ordered;
        let mut items = Vec::new();
        for change in &turn.executions {
            let stored = self.executions.get(&change.record.id);
            check::follows(stored.map(|execution| &execution.record), change)
                .map_err(CommitError::Conflict)?;
            self.check_key(turn, change)?;
            let mut after = stored
                .map(|execution| execution.items.clone())
                .unwrap_or_default();
            for item in &change.items {
                change_items(&mut after, item, &mut ordered).map_err(|detail| {
                    CommitError::Conflict(format!("{}: {detail}", change.record.id))
                })?;
            }
            items.push(after);
        }
        self.check_kept(turn)?;
        self.ordered = ordered;
        self.committed += 1;
        for ((change, bytes), items) in turn.executions.iter().zip(bytes).zip(items) {
            self.write(change, bytes, items);
        }
        self.keep(turn);
        Ok(())
    }

    fn check_key(&self, turn: &Turn, change: &ExecutionChange) -> Result<(), CommitError> {
        let ExecutionRecord {
            id,
            tenant,
            key: Some(key),
            ..
        } = &change.record
        else {
            return Ok(());
        };
        let stored = self.keys.get(&(tenant.clone(), key.clone())).copied();
        let staged = turn.executions.iter().map(|other| &other.record);
        let mut same = staged
            .filter(|other| other.tenant == *tenant && other.key.as_ref() == Some(key))
            .map(|other| other.id);
        match stored
            .into_iter()
            .chain(&mut same)
            .find(|other| other != id)
        {
            None => Ok(()),
            Some(other) => Err(CommitError::Conflict(format!(
                "{id}: the key {key:?} has started {other}"
            ))),
        }
    }

    fn check_kept(&self, turn: &Turn) -> Result<(), CommitError> {
        let mut texts = BTreeMap::new();
        for WorkflowRecord {
            workflow_id,
            version,
            text,
            ..
        } in &turn.workflows
        {
            let name = (workflow_id.clone(), version.clone());
            let stored = self.workflows.get(&name).map(|workflow| &workflow.text);
            let kept = stored.unwrap_or_else(|| texts.entry(name).or_insert(text));
            if kept != text {
                return Err(CommitError::Conflict(format!(
                    "workflow {workflow_id} {version} is registered with another text"
                )));
            }
        }
        for (id, _) in &turn.snapshots {
            if !self.executions.contains_key(id)
                && !turn.executions.iter().any(|change| change.record.id == *id)
            {
                return Err(CommitError::Conflict(format!(
                    "{id}: there is no such execution to keep a snapshot of"
                )));
            }
        }
        Ok(())
    }

    fn write(&mut self, change: &ExecutionChange, bytes: EventBytes, items: Items) {
        let record = &change.record;
        let last_at = self.last_at.entry(record.simulated).or_default();
        *last_at = record.last_at.max(*last_at);
        if let Some(key) = &record.key {
            self.keys
                .insert((record.tenant.clone(), key.clone()), record.id);
        }
        if ended(record.status) {
            self.live.remove(&record.id)
        } else {
            self.live.insert(record.id)
        };
        let execution = self
            .executions
            .entry(record.id)
            .or_insert_with(|| Execution {
                record: record.clone(),
                events: Vec::new(),
                items: Items::new(),
                snapshot: None,
            });
        execution.record = record.clone();
        execution.items = items;
        execution.events.extend(
            change
                .events
                .iter()
                .zip(bytes)
                .map(|(stored, bytes)| RawEvent {
                    sequence: stored.event.sequence,
                    bytes,
                    hash: stored.hash.to_vec(),
                }),
        );
    }

    fn keep(&mut self, turn: &Turn) {
        for workflow in &turn.workflows {
            let name = (workflow.workflow_id.clone(), workflow.version.clone());
            self.workflows
                .entry(name)
                .or_insert_with(|| workflow.clone());
        }
        for component in &turn.components {
            self.components
                .entry(component.digest.clone())
                .or_insert_with(|| component.bytes.clone());
        }
        for (id, snapshot) in &turn.snapshots {
            if let Some(execution) = self.executions.get_mut(id) {
                execution.snapshot = Some(snapshot.clone());
            }
        }
    }

    fn live(&self, simulated: bool) -> impl Iterator<Item = &Execution> {
        let live = self.live.iter().filter_map(|id| self.executions.get(id));
        live.filter(move |execution| execution.record.simulated == simulated)
    }

    /// Wakes with their executions.
    pub(super) fn wakes(&self, simulated: bool) -> impl Iterator<Item = (Timestamp, ExecutionId)> {
        let waking = self
            .live(simulated)
            .map(|execution| &execution.record)
            .filter(|record| !ended(record.status));
        waking.filter_map(|record| Some((record.next_wake?, record.id)))
    }

    /// Waiting items with the time from which they may be claimed, and the
    /// number of their order.
    pub(super) fn claimable_items(
        &self,
        simulated: bool,
    ) -> impl Iterator<Item = (Timestamp, u64, &ItemRecord)> {
        let running = self
            .live(simulated)
            .filter(|execution| claims(execution.record.status));
        let items = running.flat_map(|execution| execution.items.values());
        items
            .filter(|(_, item)| item.state == ItemState::Waiting)
            .map(|(order, item)| (item.item.not_before.max(item.enqueued_at), *order, item))
    }

    /// Leased items with the end of their lease, and the number of their order.
    pub(super) fn leased_items(
        &self,
        simulated: bool,
    ) -> impl Iterator<Item = (Timestamp, u64, &ItemRecord)> {
        let items = self
            .live(simulated)
            .flat_map(|execution| execution.items.values());
        items.filter_map(|(order, item)| match &item.state {
            ItemState::Leased(lease) => Some((lease.expires_at, *order, item)),
            ItemState::Waiting | ItemState::Dead { .. } => None,
        })
    }
}

/// What a change does to the items of its execution, or why it cannot.
fn change_items(items: &mut Items, change: &ItemChange, ordered: &mut u64) -> Result<(), String> {
    *ordered += 1;
    match change {
        ItemChange::Enqueue { item, at, lease } => {
            if items
                .get(&item.node_id)
                .is_some_and(|(_, former)| unsettled(former))
            {
                return Err(format!(
                    "node {} has an unsettled item already",
                    item.node_id
                ));
            }
            let record = ItemRecord {
                item: item.clone(),
                enqueued_at: *at,
                state: lease.clone().map_or(ItemState::Waiting, ItemState::Leased),
            };
            items.insert(item.node_id.clone(), (*ordered, record));
        }
        ItemChange::Lease { node_id, lease } => match items.get_mut(node_id) {
            Some((_, item)) if unsettled(item) => item.state = ItemState::Leased(lease.clone()),
            _ => return Err(format!("node {node_id} has no unsettled item to lease")),
        },
        ItemChange::Remove { node_id } => {
            items
                .remove(node_id)
                .ok_or_else(|| format!("node {node_id} has no item to remove"))?;
        }
        ItemChange::Bury {
            node_id,
            item,
            enqueued_at,
            error,
            at,
        } => {
            let state = ItemState::Dead {
                error: error.clone(),
                since: *at,
            };
            let record = ItemRecord {
                item: item.clone(),
                enqueued_at: *enqueued_at,
                state,
            };
            items.insert(node_id.clone(), (*ordered, record));
        }
    }
    Ok(())
}

fn unsettled(item: &ItemRecord) -> bool {
    !matches!(item.state, ItemState::Dead { .. })
}
