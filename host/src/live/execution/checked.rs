//! A stored log on its way to those who decide by it, held against its chain
//! (law 4).
//!
//! An audit finds whatever is wrong with a log, perhaps a year later. Here each
//! event is checked before a guest believes it: from a hash that is known, to
//! the head that the execution's record names. The places named are those that
//! the audit names.

use super::named_guest::contradicted;
use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::log::chain;
use crate::model::{Digest, Event, EventKind};
use crate::store::{
    ExecutionRecord, Hash, Head, RawEvent, Reader, StoreError, StoredEvent, Tampering, Timestamp,
};

/// A log that is read, as far as it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked {
    id: ExecutionId,
    /// The last event that holds.
    head: Head,
    /// The head that the record names.
    recorded: Head,
}

/// The error that names a tampered log.
pub(crate) fn error(place: String, execution: ExecutionId, tampering: Tampering) -> StoreError {
    let Tampering { sequence, message } = tampering;
    StoreError::Tampered {
        place,
        execution,
        sequence,
        message,
    }
}

/// What is wrong with a whole log and with the workflow that its event 1 binds,
/// if anything is: the log is held against its chain (law 4), and no scheduler is asked.
/// For a log that is not erased.
///
/// # Errors
/// The store cannot be read, or holds what this program does not know.
pub fn tampering(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
) -> Result<Option<Tampering>, StoreError> {
    match Checked::new(record.id, Head::default(), record.head).whole(store, record) {
        Err(StoreError::Tampered {
            sequence, message, ..
        }) => Ok(Some(Tampering { sequence, message })),
        checked => checked.map(|()| None),
    }
}

/// What the store claims of an execution besides its log: the record, with the guest and
/// the last event that are stored, where a turn is about to write others.
#[derive(Clone, Copy)]
pub(crate) struct StoreClaims<'a> {
    pub(crate) record: &'a ExecutionRecord,
    pub(crate) guest: &'a str,
    pub(crate) last: (u64, Timestamp),
}

impl<'a> StoreClaims<'a> {
    /// A record as it is stored.
    pub(crate) fn stored(record: &'a ExecutionRecord) -> Self {
        Self {
            record,
            guest: &record.guest_digest,
            last: (record.head.sequence, record.last_at),
        }
    }
}

/// The record is of this log: it says nothing else than event 1, which binds it, than
/// the last event that names a guest, and than the last event, where `event` is one of
/// these. A host that believed another record would take simulated time for real, or go on
/// in another year. Nor is the log of another kind of time than the store.
///
/// # Errors
/// It says something else.
pub(crate) fn of_its_record(
    store: &mut dyn Reader,
    claims: StoreClaims<'_>,
    event: &Event,
) -> Result<(), StoreError> {
    let StoreClaims {
        record,
        guest,
        last,
    } = claims;
    if let EventKind::WorkflowStarted(started) = &event.kind
        && started.simulated != store.is_simulated()
    {
        let of = if started.simulated {
            "simulated"
        } else {
            "real"
        };
        let message =
            format!("event 1 is of {of} time, and the store keeps executions of the other kind");
        let tampering = Tampering {
            sequence: event.sequence,
            message,
        };
        return Err(error(store.place(), record.id, tampering));
    }
    let other = match &event.kind {
        EventKind::WorkflowStarted(started) if event.sequence == 1 => [
            ("workflow", record.workflow_id != started.workflow_id),
            (
                "version",
                record.workflow_version != started.workflow_version,
            ),
            ("tenant", record.tenant != started.tenant),
            ("key", record.key != started.key),
            ("start", record.started_at != event.at),
        ]
        .into_iter()
        .find_map(|(what, differs)| differs.then_some(what)),
        _ => None,
    };
    let last_differs = last.0 == event.sequence && last.1 != event.at;
    let other = other.or(last_differs.then_some("last time"));
    let fault = match other.map(|what| (what, event.sequence)) {
        None => contradicted(store, record.id, (guest, last.0), event)?
            .map(|sequence| ("guest", sequence)),
        fault => fault,
    };
    let Some((what, sequence)) = fault else {
        return Ok(());
    };
    let message = format!("the record of the execution names another {what} than event {sequence}");
    let tampering = Tampering { sequence, message };
    Err(error(store.place(), record.id, tampering))
}

/// The workflow's text is the one that event 1 of this log binds.
///
/// # Errors
/// It is not, or cannot be read.
pub(crate) fn workflow_text(
    store: &mut dyn Reader,
    claims: StoreClaims<'_>,
) -> Result<String, StoreError> {
    let record = claims.record;
    let first = match store.events(record.id, 1, 1) {
        // What is damaged is named by its place in the log.
        Err(damage) if damage.is_of_one() => {
            Checked::new(record.id, Head::default(), record.head).page(store, 1)?;
            return Err(damage);
        }
        first => first?,
    };
    if let Some(stored) = first.first() {
        of_its_record(store, claims, &stored.event)?;
    }
    let (workflow_id, version) = (&record.workflow_id, &record.workflow_version);
    let Some(workflow) = store.workflow(&record.tenant, workflow_id, version)? else {
        return Err(StoreError::Corrupt {
            place: format!("execution {}", record.id),
            detail: format!("its workflow {workflow_id:?} {version:?} is not registered"),
        });
    };
    let found = Digest::of(workflow.text.as_bytes());
    match first.first().map(|stored| &stored.event.kind) {
        Some(EventKind::WorkflowStarted(started)) if started.workflow_digest != found => {
            let message = format!(
                "the text of workflow {workflow_id} {version} is not the one that event 1 names"
            );
            let tampering = Tampering {
                sequence: 1,
                message,
            };
            Err(error(store.place(), record.id, tampering))
        }
        // Of an execution that begins just now nothing is stored yet.
        _ if found != workflow.digest => Err(StoreError::Corrupt {
            place: format!("{}, workflow {workflow_id} {version}", store.place()),
            detail: "its text is not the one that was registered".to_owned(),
        }),
        _ => Ok(workflow.text),
    }
}

impl Checked {
    /// A log that is to be read from the event after `head` on.
    pub(crate) fn new(id: ExecutionId, head: Head, recorded: Head) -> Self {
        Self { id, head, recorded }
    }

    /// The same, where the hash before the first event is the stored one. That
    /// it is right is known from a snapshot, or from what was cached.
    pub(crate) fn after(
        store: &mut dyn Reader,
        id: ExecutionId,
        sequence: u64,
        recorded: Head,
    ) -> Result<Self, StoreError> {
        let mut checked = Self::new(id, Head::default(), recorded);
        if sequence == 0 {
            return Ok(checked);
        }
        let stored = checked.raw(store, sequence, 1)?;
        let hash = stored
            .first()
            .filter(|raw| raw.sequence == sequence)
            .and_then(|raw| Hash::try_from(raw.hash.as_slice()).ok());
        let Some(hash) = hash else {
            let message = format!("event {sequence} is missing, or its hash is none");
            return Err(checked.broken(store, sequence, message));
        };
        checked.head = Head { sequence, hash };
        Ok(checked)
    }

    /// The last event that holds.
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// The next events, at most `max`, none after the recorded head.
    pub(crate) fn page(
        &mut self,
        store: &mut dyn Reader,
        max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let left = self.recorded.sequence.saturating_sub(self.head.sequence);
        if left == 0 {
            return Ok(Vec::new());
        }
        let max = max.min(u32::try_from(left).unwrap_or(u32::MAX));
        let page = self.raw(store, self.head.sequence + 1, max)?;
        if page.is_empty() {
            let (ends, named) = (self.head.sequence, self.recorded.sequence);
            let message = format!(
                "event {} is missing: the log ends with event {ends}, and its recorded head is event {named}",
                ends + 1
            );
            return Err(self.broken(store, ends + 1, message));
        }
        page.iter().map(|raw| self.take(store, raw)).collect()
    }

    /// One event: it is the next, and its hash is that of its bytes and of what
    /// comes before.
    fn take(&mut self, store: &mut dyn Reader, raw: &RawEvent) -> Result<StoredEvent, StoreError> {
        let (due, found) = (self.head.sequence + 1, raw.sequence);
        let fault = chain::out_of_order(due, found)
            .or_else(|| (!raw.follows(&self.head.hash)).then(|| chain::changed(due)));
        if let Some(message) = fault {
            return Err(self.broken(store, due, message));
        }
        let undecoded = |error| StoreError::undecoded(store.place(), self.id, error);
        let stored = raw.decode().map_err(undecoded)?;
        self.head = stored.head();
        if self.head.sequence == self.recorded.sequence && self.head.hash != self.recorded.hash {
            return Err(self.broken(store, due, chain::other_head(due)));
        }
        Ok(stored)
    }

    /// Events as their bytes are found. Where a page of the file is damaged, the
    /// first event that is on it is named, and those before it are read.
    fn raw(
        &self,
        store: &mut dyn Reader,
        first: u64,
        max: u32,
    ) -> Result<Vec<RawEvent>, StoreError> {
        match store.raw_events(self.id, first, max) {
            Err(StoreError::Corrupt { .. }) => {}
            read => return read,
        }
        let mut page = Vec::new();
        let mut sequence = first;
        while page.len() < max as usize {
            match store.raw_events(self.id, sequence, 1) {
                Ok(one) if one.is_empty() => break,
                Ok(one) => page.extend(one),
                Err(StoreError::Corrupt { detail, .. }) if page.is_empty() => {
                    let message = format!("event {sequence} cannot be read: {detail}");
                    return Err(self.broken(store, sequence, message));
                }
                Err(StoreError::Corrupt { .. }) => break,
                Err(error) => return Err(error),
            }
            sequence = page
                .last()
                .map_or(sequence, |last: &RawEvent| last.sequence.saturating_add(1));
        }
        Ok(page)
    }

    /// All of it, what stands after the recorded head too.
    fn whole(mut self, store: &mut dyn Reader, record: &ExecutionRecord) -> Result<(), StoreError> {
        let claims = StoreClaims::stored(record);
        while self.head.sequence < self.recorded.sequence {
            for stored in self.page(store, EVENTS_PAGE_MAX)? {
                of_its_record(store, claims, &stored.event)?;
            }
        }
        let (after, named) = (self.head.sequence + 1, self.recorded.sequence);
        if !self.raw(store, after, 1)?.is_empty() {
            let message = format!("event {after} was inserted: the recorded head is event {named}");
            return Err(self.broken(store, after, message));
        }
        workflow_text(store, claims).map(drop)
    }

    fn broken(&self, store: &mut dyn Reader, sequence: u64, message: String) -> StoreError {
        error(store.place(), self.id, Tampering { sequence, message })
    }
}
