//! The events of a log as they are kept, and the faults of their bytes and hashes.

use crate::id::ExecutionId;
use crate::limits::EVENTS_PAGE_MAX;
use crate::log::{ErasedEvent, KeptEvent};
use crate::store::{DecodeError, Hash, Head, RawEvent, Reader, StoreError, StoredEvent};

/// An event that does not follow on the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLink {
    /// Its place in the recording, from 0.
    pub place: usize,
    /// The hash of its bytes and of the stored hash before it.
    pub expected: Hash,
}

/// A log that does not decode.
#[derive(Clone, Debug)]
#[non_exhaustive]
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

/// The events of a log, and the faults of their bytes and hashes.
#[derive(Default)]
pub(super) struct Events {
    /// Those of a whole log.
    pub(super) events: Vec<StoredEvent>,
    /// Those of an erased one: one of the two is always empty.
    pub(super) erased: Vec<ErasedEvent>,
    pub(super) broken_link: Option<BrokenLink>,
    pub(super) broken_off: Option<Unreadable>,
}

impl Events {
    /// Takes the next event, which has this hash by its bytes. An event that is erased
    /// among others that are not, or the other way round, ends the reading: `false`.
    pub(super) fn push(&mut self, id: ExecutionId, event: KeptEvent, expected: Hash) -> bool {
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

    pub(super) fn len(&self) -> usize {
        self.events.len() + self.erased.len()
    }

    pub(super) fn head(&self) -> Head {
        let whole = self.events.last().map(StoredEvent::head);
        let last = whole.or_else(|| self.erased.last().map(ErasedEvent::head));
        last.unwrap_or_default()
    }
}

/// All events, up to the first that does not decode.
pub(super) fn all_events(store: &mut dyn Reader, id: ExecutionId) -> Result<Events, StoreError> {
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
