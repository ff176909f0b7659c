//! Where a log to be audited comes from: a store, or an export.
//!
//! A source only reads. What it cannot read is a finding about the log, not a
//! failure of the audit; a store that fails as a whole is the latter.

use std::io::BufRead;

use crate::contract::EventKind;
use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::log::export;
use crate::store::{ExecutionRecord, Head, ItemRecord, Store, StoreError, StoredEvent};

/// A log, and all that its replay needs from outside.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Whose log it is said to be.
    pub execution_id: ExecutionId,
    /// The anchored head: the store's record, or the export's header.
    pub head: Head,
    /// The events, as they stand there.
    pub events: Vec<StoredEvent>,
    /// The workflow's text.
    pub workflow: String,
    /// What a store says beside the log; none for an export.
    pub stored: Option<Stored>,
}

/// What a store says of an execution beside its log.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its record.
    pub record: ExecutionRecord,
    /// Its work items.
    pub items: Vec<ItemRecord>,
}

/// A log, or the place where it cannot be read.
pub type Reading = Result<Recording, Unreadable>;

/// A log that does not decode.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Whose log it is said to be; none where even that cannot be read.
    pub execution_id: Option<ExecutionId>,
    /// The first event that cannot be read; 0: what stands before the events.
    pub sequence: u64,
    /// What is wrong with it.
    pub message: String,
}

/// How often a log is read again because it went on meanwhile.
const READS_MAX: u32 = 1_000;

/// The log of one execution of a store; none if there is no such execution.
///
/// # Errors
/// [`StoreError`] if the store as a whole cannot be read.
pub fn from_store(store: &mut dyn Store, id: ExecutionId) -> Result<Option<Reading>, StoreError> {
    for _ in 0..READS_MAX {
        let Some(record) = store.execution(id)? else { return Ok(None) };
        let events = match all_events(store, id)? {
            Ok(events) => events,
            Err(unreadable) => return Ok(Some(Err(unreadable))),
        };
        let items = store.items(id)?;
        // Somebody may be working on it: only what held still is one state.
        if store.execution(id)?.as_ref() != Some(&record) {
            continue;
        }
        let workflow = match store.workflow(&record.workflow_id, &record.workflow_version)? {
            Some(workflow) => workflow.text,
            None => return Ok(Some(Err(without_workflow(&record)))),
        };
        let head = record.head;
        let stored = Some(Stored { record, items });
        return Ok(Some(Ok(Recording { execution_id: id, head, events, workflow, stored })));
    }
    Err(StoreError::Io {
        place: format!("execution {id}"),
        detail: "it goes on faster than it can be read; pause it and try again".to_owned(),
    })
}

fn without_workflow(record: &ExecutionRecord) -> Unreadable {
    Unreadable {
        execution_id: Some(record.id),
        sequence: 1,
        message: format!("workflow {} {} is not in the store", record.workflow_id, record.workflow_version),
    }
}

/// All events, or the first that does not decode.
fn all_events(store: &mut dyn Store, id: ExecutionId) -> Result<Result<Vec<StoredEvent>, Unreadable>, StoreError> {
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut first = 0;
    loop {
        let page = match store.events(id, first, EVENTS_PAGE_MAX) {
            Ok(page) => page,
            Err(StoreError::Corrupt { .. }) => return first_undecodable(store, id, first),
            Err(error) => return Err(error),
        };
        let Some(last) = page.last() else { return Ok(Ok(events)) };
        first = last.event.sequence.saturating_add(1);
        events.extend(page);
    }
}

/// Which event of a page that cannot be read is to blame.
fn first_undecodable(store: &mut dyn Store, id: ExecutionId, mut first: u64) -> Result<Result<Vec<StoredEvent>, Unreadable>, StoreError> {
    let mut last_good = first.saturating_sub(1);
    loop {
        match store.events(id, first, 1) {
            Ok(page) => match page.last() {
                Some(stored) => {
                    last_good = stored.event.sequence;
                    first = last_good + 1;
                }
                // It could be read after all: somebody repaired it meanwhile.
                None => return all_events(store, id),
            },
            Err(error @ StoreError::Corrupt { .. }) => {
                let message = format!("event {} cannot be read: {error}", last_good + 1);
                return Ok(Err(Unreadable { execution_id: Some(id), sequence: last_good + 1, message }));
            }
            Err(error) => return Err(error),
        }
    }
}

impl Recording {
    /// The digest of the guest that event 1 names.
    #[must_use]
    pub fn first_guest(&self) -> Option<&str> {
        match self.events.first().map(|stored| &stored.event.kind) {
            Some(EventKind::WorkflowStarted(started)) => Some(&started.guest_digest),
            _ => None,
        }
    }
}
