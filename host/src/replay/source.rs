//! The sources of logs that are audited: a store, or an export.
//!
//! A source only reads. A part that it cannot read is a finding about the log, and not
//! a failure of the audit. A store that fails as a whole is such a failure.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use crate::id::ExecutionId;
use crate::limits::{EVENTS_PAGE_BYTES_MAX, EVENTS_PAGE_MAX};
use crate::log::export::{Component, ExportError, ExportReader, ExportWriter, Header};
use crate::log::{Attestation, ErasedEvent, canonical, chain};
use crate::model::{Event, EventKind, Label};
use crate::store::{
    ExecutionRecord, Head, ItemRecord, Reader, StoreError, StoredEvent, at_one_moment,
};

use super::kept_events::{BrokenLink, Events, Unreadable, UnreadableCause, all_events};

/// A log, and all that its replay needs besides.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The execution that the log is said to be of.
    pub execution_id: ExecutionId,
    /// The anchored head: the store's record, or the export's header.
    pub head: Head,
    /// The events, as they stand there; none if the log is erased.
    pub events: Vec<StoredEvent>,
    /// The events of an erased log.
    pub erased: Vec<ErasedEvent>,
    /// The first of them whose hash is not what it should be. `None` if the chain is
    /// whole. It is found while reading, when the bytes are at hand.
    pub broken_link: Option<BrokenLink>,
    /// The place after `events` where reading had to stop. `None` if that is the end.
    pub broken_off: Option<Unreadable>,
    /// The workflow's text.
    pub workflow: Arc<str>,
    /// The claims that are made outside of the log.
    pub claimed: Claimed,
    /// Scheduler components that an export brings with the log, each held against its
    /// digest.
    pub components: Vec<Component>,
}

/// What a store keeps of an execution, or the fault of how it is kept.
pub type Kept<T> = Result<Vec<T>, String>;

/// The claims about an execution that stand outside of its log.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// The claims of a store.
    Store {
        /// The execution's record.
        record: Box<ExecutionRecord>,
        /// Whether the store keeps simulated executions.
        simulated: bool,
        /// Its work items, or the fault of how they are kept.
        items: Kept<ItemRecord>,
        /// Its labels, or the fault of how they are kept.
        labels: Kept<Label>,
        /// The digest under which the workflow's text is kept.
        workflow_digest: String,
    },
    /// The claims of an export's header.
    Header {
        /// The guest that the execution started with.
        guest_digest: String,
        /// Whether the execution is owed a step.
        owed_a_step: bool,
        /// That the log was erased. `None` if it is whole.
        erased: Option<Attestation>,
    },
}

impl Claimed {
    /// Whether the execution is claimed to be owed a step: its log ends where a turn's
    /// budget cut it off.
    #[must_use]
    pub fn says_owed_a_step(&self) -> bool {
        match self {
            Self::Store { record, .. } => record.is_owed_a_step(),
            Self::Header { owed_a_step, .. } => *owed_a_step,
        }
    }

    /// What is said of the log's erasure. `None` if it is said to be whole.
    #[must_use]
    pub fn attestation(&self) -> Option<&Attestation> {
        match self {
            Self::Store { record, .. } => record.erased.as_deref(),
            Self::Header { erased, .. } => erased.as_ref(),
        }
    }
}

/// A log, or the reason why it cannot be read.
pub type Reading = Result<Recording, Unreadable>;

/// The log of one execution of a store, as it is at one moment: an engine may be
/// working on it. `None` if there is no such execution.
///
/// # Errors
/// [`StoreError`] if the store as a whole cannot be read.
pub fn from_store(store: &mut dyn Reader, id: ExecutionId) -> Result<Option<Reading>, StoreError> {
    at_one_moment(store, |store| from_look(store, id))
}

/// The same, of a store that is being looked at already.
///
/// # Errors
/// [`StoreError`] if the store as a whole cannot be read.
pub fn from_look(store: &mut dyn Reader, id: ExecutionId) -> Result<Option<Reading>, StoreError> {
    read(store, id, &mut LastWorkflow::default())
}

/// A workflow that was read: its tenant, id and version, its text, and the digest under which
/// that is kept.
pub(super) type LastWorkflow = Option<([String; 3], (Arc<str>, String))>;

/// The same within a look, unless the workflow is the one that was read last: a
/// workflow is immutable.
pub(super) fn read(
    store: &mut dyn Reader,
    id: ExecutionId,
    last: &mut LastWorkflow,
) -> Result<Option<Reading>, StoreError> {
    let Some(record) = store.execution(id)? else {
        return Ok(None);
    };
    let Events {
        events,
        erased,
        broken_link,
        broken_off,
    } = all_events(store, id)?;
    let items = match store.items(id) {
        Ok(items) => items.all().map_err(|error| error.to_string()),
        Err(error) if error.is_of_one() => Err(error.to_string()),
        Err(error) => return Err(error),
    };
    let labels = match store.labels(id) {
        Ok(labels) => Ok(labels),
        Err(error) if error.is_of_one() => Err(error.to_string()),
        Err(error) => return Err(error),
    };
    let whole = events.first().map(|stored| &stored.event.kind);
    let first = whole.or_else(|| erased.first().map(|it| &it.event.kind));
    let bound = match first {
        Some(EventKind::WorkflowStarted(started)) => &started.tenant,
        _ => &record.tenant,
    };
    // Where the two differ, one was changed, and the audit says which.
    let tenants = [&record.tenant, bound];
    let Some((workflow, workflow_digest)) = workflow(store, tenants, &record, last)? else {
        let message = format!(
            "workflow {} {} is not in the store",
            record.workflow_id, record.workflow_version
        );
        return Ok(Some(Err(Unreadable {
            execution_id: Some(id),
            sequence: 1,
            cause: UnreadableCause::Malformed,
            message,
        })));
    };
    Ok(Some(Ok(Recording {
        execution_id: id,
        head: record.head,
        events,
        erased,
        broken_link,
        broken_off,
        workflow,
        claimed: Claimed::Store {
            record: Box::new(record),
            simulated: store.is_simulated(),
            items,
            labels,
            workflow_digest,
        },
        components: Vec::new(),
    })))
}

/// The text of the record's workflow, of the first of these tenants that has it.
fn workflow(
    store: &mut dyn Reader,
    tenants: [&String; 2],
    record: &ExecutionRecord,
    last: &mut LastWorkflow,
) -> Result<Option<(Arc<str>, String)>, StoreError> {
    let (id, version) = (&record.workflow_id, &record.workflow_version);
    for tenant in tenants {
        let name = [tenant, id, version];
        if let Some((_, kept)) = last.as_ref().filter(|(of, _)| of.each_ref() == name) {
            return Ok(Some(kept.clone()));
        }
        if let Some(found) = store.workflow(tenant, id, version)? {
            let kept = (Arc::from(found.text), found.digest);
            *last = Some((name.map(Clone::clone), kept.clone()));
            return Ok(Some(kept));
        }
    }
    Ok(None)
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
        cause: UnreadableCause::Malformed,
        message,
    };
    let mut lines = match ExportReader::new(export) {
        Ok(lines) => lines,
        Err(error @ ExportError::Io { .. }) => return Err(failed(error.to_string())),
        Err(error) => {
            return Ok(Err(Unreadable {
                cause: cause_of(&error),
                ..unreadable(None, 0, error.to_string())
            }));
        }
    };
    let components = lines.take_components();
    let header = lines.header().clone();
    let execution_id: ExecutionId = match header.execution_id.parse() {
        Ok(id) => id,
        Err(error) => return Ok(Err(unreadable(None, 0, format!("line 1: {error}")))),
    };
    let mut events = Events::default();
    events.broken_off = loop {
        match lines.next() {
            // The head shows that the end is missing, and where.
            None | Some(Err(ExportError::Cut { .. })) => break None,
            Some(Ok(event)) => {
                let expected = chain::link_of_kept(&events.head().hash, &event);
                if !events.push(execution_id, event, expected) {
                    break events.broken_off.take();
                }
            }
            Some(Err(error @ ExportError::Io { .. })) => return Err(failed(error.to_string())),
            Some(Err(error)) => {
                let sequence = events.len() as u64 + 1;
                break Some(Unreadable {
                    cause: cause_of(&error),
                    ..unreadable(Some(execution_id), sequence, error.to_string())
                });
            }
        }
    };
    let claimed = Claimed::Header {
        guest_digest: header.guest_digest,
        owed_a_step: header.owed_a_step,
        erased: header.erased,
    };
    Ok(Ok(Recording {
        execution_id,
        head: header.head,
        events: events.events,
        erased: events.erased,
        broken_link: events.broken_link,
        broken_off: events.broken_off,
        workflow: header.workflow.into(),
        claimed,
        components,
    }))
}

impl Recording {
    /// The event of this sequence. `None` if there is none, or the log is erased.
    pub(super) fn event(&self, sequence: u64) -> Option<&Event> {
        let index = usize::try_from(sequence).ok()?.checked_sub(1)?;
        self.events.get(index).map(|stored| &stored.event)
    }

    /// Gives its workflow this version, where event 1 and the store name it.
    pub(super) fn name_version(&mut self, version: &str) {
        let first = self.events.first_mut().map(|it| &mut it.event.kind);
        if let Some(EventKind::WorkflowStarted(started)) = first {
            version.clone_into(&mut started.workflow_version);
        }
        if let Claimed::Store { record, .. } = &mut self.claimed {
            version.clone_into(&mut record.workflow_version);
        }
    }

    /// A page of the first `end` events, from this sequence on, as a guest reads it.
    pub(super) fn page(&self, first: u64, max: u32, end: usize) -> Vec<Event> {
        let start = usize::try_from(first.saturating_sub(1)).map_or(end, |start| start.min(end));
        let mut bytes = 0;
        let page = self.events[start..end]
            .iter()
            .take(max.min(EVENTS_PAGE_MAX) as usize)
            .enumerate()
            .take_while(|(i, stored)| {
                bytes += canonical::length(&stored.event);
                *i == 0 || bytes <= EVENTS_PAGE_BYTES_MAX
            });
        page.map(|(_, stored)| stored.event.clone()).collect()
    }

    /// Leaves the first events, up to this one, as a log of its own. `None` if it has no such
    /// event, or is erased.
    #[must_use]
    pub fn until(mut self, sequence: u64) -> Option<Self> {
        let count = usize::try_from(sequence).ok()?;
        self.head = self.events.get(count.checked_sub(1)?)?.head();
        self.events.truncate(count);
        self.broken_link = self.broken_link.filter(|link| link.place < count);
        self.broken_off = None;
        Some(self)
    }

    /// Writes the log as an export.
    ///
    /// # Errors
    /// The error of the writer.
    pub fn export<W: Write>(&self, to: W) -> io::Result<W> {
        self.write(to, &self.components)
    }

    /// The same without the lines of the components, which its header names all the same:
    /// where they are kept elsewhere, they are put behind the first line.
    pub(crate) fn export_without_components<W: Write>(&self, to: W) -> io::Result<W> {
        self.write(to, &[])
    }

    fn write<W: Write>(&self, to: W, components: &[Component]) -> io::Result<W> {
        let header = Header {
            execution_id: self.execution_id.to_string(),
            workflow: self.workflow.to_string(),
            guest_digest: self.first_guest().unwrap_or_default(),
            head: self.head,
            owed_a_step: self.claimed.says_owed_a_step(),
            erased: self.claimed.attestation().cloned(),
            components: self.components.iter().map(|it| it.digest.clone()).collect(),
        };
        let mut writer = ExportWriter::new(to, &header)?;
        for component in components {
            writer.component(component)?;
        }
        for event in &self.events {
            writer.event(event)?;
        }
        for event in &self.erased {
            writer.erased(event)?;
        }
        writer.finish()
    }

    /// Takes the scheduler components that the log names from the store, so that its
    /// export is all that an audit needs. Those that the store does not have are left
    /// out, and named in the answer.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn fetch_components(&mut self, store: &mut dyn Reader) -> Result<Vec<String>, StoreError> {
        let named: BTreeSet<String> = self.guests().collect();
        let mut missing = Vec::new();
        for digest in named {
            match store.component(&digest)? {
                Some(bytes) => self.components.push(Component { digest, bytes }),
                None => missing.push(digest),
            }
        }
        Ok(missing)
    }

    /// Whether the log is erased: its events have only their plain fields.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        !self.erased.is_empty()
    }

    /// The events with the heads up to them. Of an erased log they have blanks in the
    /// place of what was erased: see [`ErasedEvent::event`].
    pub fn plain(&self) -> impl DoubleEndedIterator<Item = (&Event, Head)> {
        let whole = self.events.iter().map(|it| (&it.event, it.head()));
        whole.chain(self.erased.iter().map(|it| (&it.event, it.head())))
    }

    /// The digests of the guests that the log names, in its order.
    pub fn guests(&self) -> impl Iterator<Item = String> {
        self.plain().filter_map(|(event, _)| match &event.kind {
            EventKind::WorkflowStarted(started) => Some(started.guest_digest.to_string()),
            EventKind::GuestChanged(changed) => Some(changed.guest_digest.to_string()),
            _ => None,
        })
    }

    /// The digest of the guest that event 1 names.
    #[must_use]
    pub fn first_guest(&self) -> Option<String> {
        match self.plain().next().map(|(event, _)| &event.kind) {
            Some(EventKind::WorkflowStarted(started)) => Some(started.guest_digest.to_string()),
            _ => None,
        }
    }
}

fn cause_of(error: &ExportError) -> UnreadableCause {
    match error {
        ExportError::Newer { .. } | ExportError::NewerFormat { .. } => UnreadableCause::Newer,
        _ => UnreadableCause::Malformed,
    }
}
