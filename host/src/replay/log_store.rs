//! One log as a store has it, for reading: what reads executions from stores reads an
//! export so, or an execution as it was behind one of its events.

use std::sync::Arc;

use super::integrity;
use super::source::Recording;
use super::status::status_of;
use super::verdict::Verdict;
use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::log::digest::digest;
use crate::log::{ErasedEvent, canonical};
use crate::model::{EventKind, Label};
use crate::store::{
    ExecutionRecord, ListFilter, Many, MemoryStore, RawEvent, Reader, StoreError, StoredEvent,
    Tampering, Timestamp, WorkflowRecord,
};

/// A store of one execution, made of its log. It has all that a log says: events, workflow,
/// status, labels, the scheduler components that came with it. Work items, leases, children
/// and the output of programs are not in it.
#[derive(Debug)]
pub struct LogStore {
    recording: Arc<Recording>,
    /// `None` if the log has no beginning.
    record: Option<ExecutionRecord>,
    labels: Vec<Label>,
    simulated: bool,
    place: String,
    /// What a log does not say is asked of a store without anything.
    empty: MemoryStore,
}

impl LogStore {
    /// The store of this log. `place` names it in errors.
    #[must_use]
    pub fn new(recording: Arc<Recording>, place: impl Into<String>) -> Self {
        let first = recording.plain().next().map(|(event, _)| event);
        let started = first.and_then(|event| match &event.kind {
            EventKind::WorkflowStarted(started) => Some((started, event.at)),
            _ => None,
        });
        Self {
            record: started.map(|(started, at)| {
                let guest = recording.guests().last().unwrap_or_default();
                let id = recording.execution_id;
                let begun = ExecutionRecord::before(started, id, at, guest.into());
                as_recorded(begun, &recording)
            }),
            labels: started.map_or(Vec::new(), |(started, _)| {
                let mut labels = started.labels.clone();
                labels.sort_by(|a, b| (&a.name, &a.value).cmp(&(&b.name, &b.value)));
                labels
            }),
            simulated: started.is_some_and(|(started, _)| started.simulated),
            recording,
            place: place.into(),
            empty: MemoryStore::new(),
        }
    }

    /// The log.
    #[must_use]
    pub fn recording(&self) -> &Arc<Recording> {
        &self.recording
    }

    fn is_it(&self, id: ExecutionId) -> bool {
        self.recording.execution_id == id
    }
}

/// The record of an execution with this log.
fn as_recorded(begun: ExecutionRecord, recording: &Recording) -> ExecutionRecord {
    let last = recording.plain().next_back();
    let erased = recording.claimed.attestation().cloned();
    ExecutionRecord {
        status: status_of(recording.plain().map(|(event, _)| event)),
        head: recording.head,
        last_at: last.map_or(begun.last_at, |(event, _)| event.at),
        tampering: tampering(recording),
        erased: erased.filter(|_| recording.is_erased()).map(Box::new),
        ..begun
    }
}

/// Where the log was tampered with. `None` if it was not.
fn tampering(recording: &Recording) -> Option<Tampering> {
    match integrity::check(recording) {
        Err((Verdict::Tampered, fault)) => Some(Tampering {
            sequence: fault.sequence,
            message: fault.message,
        }),
        _ => None,
    }
}

impl Reader for LogStore {
    crate::delegate_store!(empty: begin_reading, end_reading);
    crate::delegate_store!(empty: output, changed_since, items, item, claimable, expired, dead_letters, claimed_by);
    crate::delegate_store!(empty: waiting_queues, lease_holders, due, next_due, last_reading);
    crate::delegate_store!(empty: snapshot, child, children, owed_children, descendants, has_children);

    fn place(&self) -> String {
        self.place.clone()
    }

    fn is_simulated(&self) -> bool {
        self.simulated
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(Self::new(
            Arc::clone(&self.recording),
            self.place.clone(),
        )))
    }

    fn execution(&mut self, id: ExecutionId) -> Result<Option<ExecutionRecord>, StoreError> {
        Ok(self.record.clone().filter(|_| self.is_it(id)))
    }

    fn list(&mut self, filter: &ListFilter) -> Result<Many<ExecutionRecord>, StoreError> {
        let found = self.record.clone().into_iter();
        let is_listed = |it: &ExecutionRecord| filter.status.is_none_or(|only| only == it.status);
        Ok(Many::whole(found.filter(is_listed).collect()))
    }

    fn labels(&mut self, id: ExecutionId) -> Result<Vec<Label>, StoreError> {
        Ok(match self.is_it(id) {
            true => self.labels.clone(),
            false => Vec::new(),
        })
    }

    fn last_begun(&mut self) -> Result<Option<ExecutionId>, StoreError> {
        Ok(self.record.as_ref().map(|record| record.id))
    }

    fn raw_events(
        &mut self,
        id: ExecutionId,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        if !self.is_it(id) {
            return Ok(Vec::new());
        }
        let first = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let max = max.min(EVENTS_PAGE_MAX) as usize;
        let whole = self.recording.events.iter().skip(first).take(max).map(raw);
        let erased = self.recording.erased.iter().skip(first).take(max);
        Ok(whole.chain(erased.map(raw_erased)).collect())
    }

    fn last_at(&mut self, _shard: [u8; 2]) -> Result<Timestamp, StoreError> {
        Ok(self.record.as_ref().map_or(0, |record| record.last_at))
    }

    fn workflow(
        &mut self,
        tenant: &str,
        workflow_id: &str,
        version: &str,
    ) -> Result<Option<WorkflowRecord>, StoreError> {
        let named = (tenant, workflow_id, version);
        let is_named =
            |it: &&ExecutionRecord| (&*it.tenant, &*it.workflow_id, &*it.workflow_version) == named;
        let text = &self.recording.workflow;
        Ok(self
            .record
            .as_ref()
            .filter(is_named)
            .map(|it| WorkflowRecord {
                tenant: it.tenant.clone(),
                workflow_id: it.workflow_id.clone(),
                version: it.workflow_version.clone(),
                text: text.to_string(),
                digest: digest(text.as_bytes()),
            }))
    }

    fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut components = self.recording.components.iter();
        let found = components.find(|it| it.digest == digest);
        Ok(found.map(|it| it.bytes.clone()))
    }
}

fn raw(stored: &StoredEvent) -> RawEvent {
    let bytes = canonical::write(&stored.event);
    RawEvent {
        sequence: stored.event.sequence,
        plain: bytes.plain,
        erasable: bytes.erasable,
        salt: stored.salt.to_vec(),
        hash: stored.hash.to_vec(),
    }
}

fn raw_erased(erased: &ErasedEvent) -> RawEvent {
    RawEvent {
        sequence: erased.event.sequence,
        plain: canonical::write(&erased.event).plain,
        erasable: Vec::new(),
        salt: erased.commitment.to_vec(),
        hash: erased.hash.to_vec(),
    }
}
