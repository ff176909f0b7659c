//! Where a log to be audited comes from: a store, or an export.
//!
//! A source only reads. What it cannot read is a finding about the log, not a
//! failure of the audit; a store that fails as a whole is the latter.

use std::io::{self, BufRead, Write};

use crate::contract::EventKind;
use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::log::chain;
use crate::log::export::{ExportError, ExportReader, ExportWriter, Header};
use crate::store::{ExecutionRecord, Head, ItemRecord, RawEvent, Store, StoreError, StoredEvent};

/// A log, and all that its replay needs from outside.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Whose log it is said to be.
    pub execution_id: ExecutionId,
    /// The anchored head: the store's record, or the export's header.
    pub head: Head,
    /// The events, as they stand there.
    pub events: Vec<StoredEvent>,
    /// The place after `events` where reading had to stop; none: the end.
    pub broken_off: Option<Unreadable>,
    /// The workflow's text.
    pub workflow: String,
    /// What is said beside the log.
    pub beside: Beside,
}

/// What is said of an execution beside its log.
#[derive(Clone, Debug)]
pub enum Beside {
    /// A store says this.
    Store {
        /// The execution's record.
        record: Box<ExecutionRecord>,
        /// Its work items, or what is wrong with how they are kept.
        items: Result<Vec<ItemRecord>, String>,
    },
    /// The header of an export says this.
    Header {
        /// The guest that the execution started with.
        guest_digest: String,
    },
}

/// Something that does not decode.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Whose log it is said to be; none where even that cannot be read.
    pub execution_id: Option<ExecutionId>,
    /// The first event that cannot be read; 0: what stands before the events.
    pub sequence: u64,
    /// Whether it was changed after it was written.
    pub changed: bool,
    /// What is wrong with it.
    pub message: String,
}

/// A log, or why there is none to be had.
pub type Reading = Result<Recording, Unreadable>;

/// How often a log is read again because it went on meanwhile.
const READS_MAX: u32 = 1_000;

/// The log of one execution of a store; none if there is no such execution.
///
/// # Errors
/// [`StoreError`] if the store as a whole cannot be read.
pub fn from_store(store: &mut dyn Store, id: ExecutionId) -> Result<Option<Reading>, StoreError> {
    for _ in 0..READS_MAX {
        let Some(record) = store.execution(id)? else {
            return Ok(None);
        };
        let (events, broken_off) = all_events(store, id)?;
        let items = match store.items(id) {
            Ok(items) => Ok(items),
            Err(StoreError::Corrupt { detail, .. }) => Err(detail),
            Err(error) => return Err(error),
        };
        // Somebody may be working on it: only what held still is one state.
        if store.execution(id)?.as_ref() != Some(&record) {
            continue;
        }
        let Some(workflow) = store.workflow(&record.workflow_id, &record.workflow_version)? else {
            let message = format!(
                "workflow {} {} is not in the store",
                record.workflow_id, record.workflow_version
            );
            return Ok(Some(Err(Unreadable {
                execution_id: Some(id),
                sequence: 1,
                changed: false,
                message,
            })));
        };
        return Ok(Some(Ok(Recording {
            execution_id: id,
            head: record.head,
            events,
            broken_off,
            workflow: workflow.text,
            beside: Beside::Store {
                record: Box::new(record),
                items,
            },
        })));
    }
    Err(StoreError::Io {
        place: format!("execution {id}"),
        detail: "it goes on faster than it can be read; pause it and try again".to_owned(),
    })
}

type Events = (Vec<StoredEvent>, Option<Unreadable>);

/// All events, up to the first that does not decode.
fn all_events(store: &mut dyn Store, id: ExecutionId) -> Result<Events, StoreError> {
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut first = 0;
    loop {
        let page = store.raw_events(id, first, EVENTS_PAGE_MAX)?;
        let Some(last) = page.last() else {
            return Ok((events, None));
        };
        first = last.sequence.saturating_add(1);
        for raw in page {
            match raw.decode() {
                Ok(event) => events.push(event),
                Err(message) => return Ok(broken_off(events, id, &raw, message)),
            }
        }
    }
}

/// Bytes that are no event: were they changed, or written like this?
fn broken_off(
    events: Vec<StoredEvent>,
    id: ExecutionId,
    raw: &RawEvent,
    message: String,
) -> Events {
    let before = events.last().map(StoredEvent::head).unwrap_or_default();
    let unreadable = Unreadable {
        execution_id: Some(id),
        sequence: before.sequence + 1,
        changed: raw.sequence != before.sequence + 1
            || raw.hash != chain::link(&before.hash, &raw.bytes),
        message,
    };
    (events, Some(unreadable))
}

/// The log that an export holds. `place` names the export in errors.
///
/// # Errors
/// [`StoreError`] if it cannot be read at all.
pub fn from_export(export: impl BufRead, place: &str) -> Result<Reading, StoreError> {
    let failed = |detail: String| StoreError::Io {
        place: place.to_owned(),
        detail,
    };
    let unreadable = |execution_id, sequence, message| Unreadable {
        execution_id,
        sequence,
        changed: false,
        message,
    };
    let mut lines = match ExportReader::new(export) {
        Ok(lines) => lines,
        Err(error @ ExportError::Io { .. }) => return Err(failed(error.to_string())),
        Err(error) => return Ok(Err(unreadable(None, 0, error.to_string()))),
    };
    let header = lines.header().clone();
    let execution_id: ExecutionId = match header.execution_id.parse() {
        Ok(id) => id,
        Err(error) => return Ok(Err(unreadable(None, 0, format!("line 1: {error}")))),
    };
    let mut events = Vec::new();
    let broken_off = loop {
        match lines.next() {
            // That the end is missing shows in the head, and where.
            None | Some(Err(ExportError::Cut { .. })) => break None,
            Some(Ok(event)) => events.push(event),
            Some(Err(error @ ExportError::Io { .. })) => return Err(failed(error.to_string())),
            Some(Err(error)) => {
                break Some(unreadable(
                    Some(execution_id),
                    events.len() as u64 + 1,
                    error.to_string(),
                ));
            }
        }
    };
    let beside = Beside::Header {
        guest_digest: header.guest_digest,
    };
    Ok(Ok(Recording {
        execution_id,
        head: header.head,
        events,
        broken_off,
        workflow: header.workflow,
        beside,
    }))
}

impl Recording {
    /// Write the log as an export.
    ///
    /// # Errors
    /// What writing says.
    pub fn export<W: Write>(&self, to: W) -> io::Result<W> {
        let header = Header {
            execution_id: self.execution_id.to_string(),
            workflow: self.workflow.clone(),
            guest_digest: self.first_guest().unwrap_or_default().to_owned(),
            head: self.head,
        };
        let mut writer = ExportWriter::new(to, &header)?;
        for event in &self.events {
            writer.event(event)?;
        }
        writer.finish()
    }

    /// The digest of the guest that event 1 names.
    #[must_use]
    pub fn first_guest(&self) -> Option<&str> {
        match self.events.first().map(|stored| &stored.event.kind) {
            Some(EventKind::WorkflowStarted(started)) => Some(&started.guest_digest),
            _ => None,
        }
    }
}
