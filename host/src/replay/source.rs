//! The sources of logs that are audited: a store, or an export.
//!
//! A source only reads. A part that it cannot read is a finding about the log, and not
//! a failure of the audit. A store that fails as a whole is such a failure.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::log::export::{Component, ExportError, ExportReader, ExportWriter, Header};
use crate::log::{Attestation, ErasedEvent, KeptEvent, chain};
use crate::model::{Event, EventKind};
use crate::store::{
    DecodeError, ExecutionRecord, Hash, Head, ItemRecord, RawEvent, Reader, StoreError,
    StoredEvent, at_one_moment,
};

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

/// An event that does not follow on the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLink {
    /// Its place in the recording, from 0.
    pub place: usize,
    /// The hash of its bytes and of the stored hash before it.
    pub expected: Hash,
}

/// The claims about an execution that stand outside of its log.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// The claims of a store.
    Store {
        /// The execution's record.
        record: Box<ExecutionRecord>,
        /// Its work items, or the fault of how they are kept.
        items: Result<Vec<ItemRecord>, String>,
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
            Self::Store { record, .. } => record.erased.as_ref(),
            Self::Header { erased, .. } => erased.as_ref(),
        }
    }
}

/// A log that does not decode.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// The execution that the log is said to be of. `None` if even that cannot be read.
    pub execution_id: Option<ExecutionId>,
    /// The first event that cannot be read; 0 if it is the part before the events.
    pub sequence: u64,
    /// Why it cannot be read.
    pub cause: UnreadableCause,
    /// What is wrong with it.
    pub message: String,
}

/// Why something does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnreadableCause {
    /// It was changed after it was written.
    Changed,
    /// It was written like this, and is no event.
    Malformed,
    /// It was written like this, by a newer program.
    Newer,
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

/// A workflow that was read: its id, its version, its text.
pub(super) type LastWorkflow = Option<(String, String, Arc<str>)>;

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
    let Some(workflow) = workflow(store, &record, last)? else {
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
            items,
        },
        components: Vec::new(),
    })))
}

fn workflow(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    last: &mut LastWorkflow,
) -> Result<Option<Arc<str>>, StoreError> {
    let (id, version) = (&record.workflow_id, &record.workflow_version);
    if let Some((_, _, text)) = last.as_ref().filter(|it| (&it.0, &it.1) == (id, version)) {
        return Ok(Some(Arc::clone(text)));
    }
    let text = store.workflow(id, version)?.map(|it| Arc::from(it.text));
    *last = text.clone().map(|text| (id.clone(), version.clone(), text));
    Ok(text)
}

/// The events of a log, and the faults of their bytes and hashes.
#[derive(Default)]
struct Events {
    /// Those of a whole log.
    events: Vec<StoredEvent>,
    /// Those of an erased one: one of the two is always empty.
    erased: Vec<ErasedEvent>,
    broken_link: Option<BrokenLink>,
    broken_off: Option<Unreadable>,
}

impl Events {
    /// Takes the next event, which has this hash by its bytes. An event that is erased
    /// among others that are not, or the other way round, ends the reading: `false`.
    fn push(&mut self, id: ExecutionId, event: KeptEvent, expected: Hash) -> bool {
        let head = event.head();
        let said = match &event {
            KeptEvent::Whole(_) if !self.erased.is_empty() => {
                "is not erased, and those before it are"
            }
            KeptEvent::Erased(_) if !self.events.is_empty() => {
                "is erased, and those before it are not"
            }
            KeptEvent::Whole(_) | KeptEvent::Erased(_) => "",
        };
        if !said.is_empty() {
            let sequence = self.head().sequence + 1;
            self.broken_off = Some(Unreadable {
                execution_id: Some(id),
                sequence,
                cause: UnreadableCause::Changed,
                message: format!("event {sequence} {said}: a log is erased as a whole"),
            });
            return false;
        }
        if expected != head.hash && self.broken_link.is_none() {
            self.broken_link = Some(BrokenLink {
                place: self.len(),
                expected,
            });
        }
        match event {
            KeptEvent::Whole(event) => self.events.push(event),
            KeptEvent::Erased(event) => self.erased.push(event),
        }
        true
    }

    fn len(&self) -> usize {
        self.events.len() + self.erased.len()
    }

    fn head(&self) -> Head {
        let whole = self.events.last().map(StoredEvent::head);
        let last = whole.or_else(|| self.erased.last().map(ErasedEvent::head));
        last.unwrap_or_default()
    }
}

/// All events, up to the first that does not decode.
fn all_events(store: &mut dyn Reader, id: ExecutionId) -> Result<Events, StoreError> {
    let mut events = Events::default();
    let mut first = 0;
    loop {
        let page = match store.raw_events(id, first, EVENTS_PAGE_MAX) {
            Err(StoreError::Corrupt { .. }) => one_by_one(store, id, first, &mut events)?,
            page => page?,
        };
        for raw in &page {
            let event = match raw.kept() {
                Ok(event) => event,
                Err(error) => {
                    events.broken_off = Some(broken_off(events.head(), id, raw, error));
                    return Ok(events);
                }
            };
            // What decodes has a hash by its bytes.
            let expected = raw.link(&events.head().hash).unwrap_or_default();
            if !events.push(id, event, expected) {
                return Ok(events);
            }
        }
        match page.last() {
            Some(last) if page.len() == EVENTS_PAGE_MAX as usize => {
                first = last.sequence.saturating_add(1);
            }
            _ => return Ok(events),
        }
    }
}

/// All events up to the first that cannot be read, where a page of the file is
/// damaged.
fn one_by_one(
    store: &mut dyn Reader,
    id: ExecutionId,
    first: u64,
    events: &mut Events,
) -> Result<Vec<RawEvent>, StoreError> {
    let mut page: Vec<RawEvent> = Vec::new();
    let mut next = first;
    while page.len() < EVENTS_PAGE_MAX as usize {
        match store.raw_events(id, next, 1) {
            Ok(one) if one.is_empty() => break,
            Ok(one) => page.extend(one),
            Err(StoreError::Corrupt { place, detail }) => {
                let sequence = next.max(1);
                events.broken_off = Some(Unreadable {
                    execution_id: Some(id),
                    sequence,
                    cause: UnreadableCause::Changed,
                    message: format!(
                        "{place} is damaged: event {sequence} cannot be read: {detail}"
                    ),
                });
                break;
            }
            Err(error) => return Err(error),
        }
        next = page
            .last()
            .map_or(next, |last| last.sequence.saturating_add(1));
    }
    Ok(page)
}

/// The finding about bytes that are no event: they were changed, or written like this.
fn broken_off(before: Head, id: ExecutionId, raw: &RawEvent, error: DecodeError) -> Unreadable {
    let changed = raw.sequence != before.sequence + 1 || !raw.follows(&before.hash);
    Unreadable {
        execution_id: Some(id),
        sequence: before.sequence + 1,
        cause: match error {
            _ if changed => UnreadableCause::Changed,
            DecodeError::Newer { .. } => UnreadableCause::Newer,
            DecodeError::Malformed { .. } | DecodeError::Erased { .. } => {
                UnreadableCause::Malformed
            }
        },
        message: error.to_string(),
    }
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
        Err(error) => return Ok(Err(unreadable(None, 0, error.to_string()))),
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
                let cause = match error {
                    ExportError::Newer { .. } => UnreadableCause::Newer,
                    _ => UnreadableCause::Malformed,
                };
                break Some(Unreadable {
                    cause,
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
    /// Writes the log as an export.
    ///
    /// # Errors
    /// The error of the writer.
    pub fn export<W: Write>(&self, to: W) -> io::Result<W> {
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
        for component in &self.components {
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
